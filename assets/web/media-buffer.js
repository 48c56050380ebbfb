// A MediaSource with one buffer, used in order. In: bytes. Out: what is buffered. Never: two operations on the buffer at once.

const QUOTA_KEPT = 2;
/** Trimmed in steps: each removal costs. */
const TRIM_STEP = 5;

export class MediaBuffer {
  #video;
  #buffer;
  #url;
  #busy = Promise.resolve();
  #failed = new Promise((_, fail) => (this.fail = fail));

  /** Attaches a new source to a video element. */
  static async open(video, type) {
    const media = new MediaBuffer();
    const source = new MediaSource();
    media.#video = video;
    media.#failed.catch(() => {});
    media.#url = URL.createObjectURL(source);
    video.src = media.#url;
    await new Promise((done) => source.addEventListener("sourceopen", done, { once: true }));
    source.duration = Infinity;
    media.#buffer = source.addSourceBuffer(type);
    return media;
  }

  /** The end of the newest range, in seconds; 0 where there is none. */
  get end() {
    const ranges = this.#buffer.buffered;
    return ranges.length > 0 ? ranges.end(ranges.length - 1) : 0;
  }

  /** The range that holds a time, or the next one after it; undefined where there is neither. */
  around(time) {
    return this.#ranges.find(({ end }) => end > time);
  }

  /** The next range that begins after a time; undefined where there is none. */
  after(time) {
    return this.#ranges.find(({ start }) => start > time);
  }

  get #ranges() {
    const ranges = this.#buffer.buffered;
    return Array.from({ length: ranges.length }, (_, index) => ({ start: ranges.start(index), end: ranges.end(index) }));
  }

  /** Appends bytes; makes room once where the browser has none left. */
  async append(bytes) {
    try {
      await this.#run(() => this.#buffer.appendBuffer(bytes));
    } catch (problem) {
      if (problem.name !== "QuotaExceededError") throw problem;
      await this.#remove(this.#video.currentTime - QUOTA_KEPT);
      await this.#run(() => this.#buffer.appendBuffer(bytes));
    }
  }

  /** Forgets what lies before a time. */
  async trim(before) {
    const ranges = this.#buffer.buffered;
    if (ranges.length > 0 && before - ranges.start(0) > TRIM_STEP) await this.#remove(before);
  }

  close() {
    URL.revokeObjectURL(this.#url);
    this.#video.removeAttribute("src");
    this.#video.load();
  }

  async #remove(before) {
    if (before > 0) await this.#run(() => this.#buffer.remove(0, before));
  }

  /** One operation after the other, until `fail` is called. */
  #run(act) {
    const done = this.#busy.then(() => new Promise((settle, fail) => {
      const refused = () => fail(new Error("the bytes are not playable"));
      this.#buffer.onupdateend = settle;
      this.#buffer.onerror = refused;
      act();
    }));
    this.#busy = done.catch(() => {});
    return Promise.race([done, this.#failed]);
  }
}
