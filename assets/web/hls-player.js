// Our own HLS player, by Media Source Extensions: nearer to the live edge than browsers' own, for our own fMP4 only.
// In: a playlist's address. Out: a video element that plays. Never: a buffer that grows, or a gap in the stream that stops it.

import { Problem, Unfit } from "./api.js";
import { start } from "./view.js";
import { HlsFeed } from "./hls-feed.js";
import { MediaBuffer } from "./media-buffer.js";
import { Playing } from "./playing.js";

const TYPE = 'video/mp4; codecs="avc1.42e01f,opus"';
const LOOK_MS = 250;
const STANDING_MS = 10_000;
/** So long it stands before it leaps over a gap, and so far behind the gap's end it goes on, in seconds. */
const GAP_MS = 400;
const INSIDE = 0.01;
const STARTING_MS = 15_000;
/** So much is kept behind the playhead, in seconds. */
const KEPT = 10;
/** Later than this beyond the aim, it leaps to the live edge; later by the lesser, it catches up faster than can be heard. */
const FAR_LATE = 3;
const LATE = 0.5;
const CATCHING_UP = 1.06;
/** Each time that the buffer runs empty, so much more is aimed at, up to a bound: a slow line is not caught up with again and again. */
const MARGIN_STEP = 0.5;
const LARGEST_MARGIN = 3;
/** How far times may lie from those before and still go on from them. */
const ADJOINING = 1;

/** Whether this browser plays what our server packs. */
export function playsFragments() {
  return Boolean(globalThis.MediaSource?.isTypeSupported(TYPE));
}

export class HlsPlayer {
  #video;
  #feed;
  #signal;
  #media;
  #map;
  #began;
  #margin = 0;
  #progress = { at: -1, since: performance.now() };

  /** Resolves with what plays, once there is a picture. */
  static async open(video, address, signal) {
    const ending = new AbortController();
    const player = new HlsPlayer(video, address, AbortSignal.any([signal, ending.signal]));
    const playing = new Playing(() => {
      ending.abort();
      player.#media?.close();
    });
    try {
      await player.#feed.open();
      const over = player.#run();
      await Promise.race([player.#begins(), over.then((problem) => Promise.reject(problem))]);
      over.then((problem) => playing.end(problem.message));
    } catch (problem) {
      playing.close();
      throw problem;
    }
    return playing;
  }

  constructor(video, address, signal) {
    this.#video = video;
    this.#feed = new HlsFeed(address, signal);
    this.#signal = signal;
    const widen = () => this.#began && (this.#margin = Math.min(this.#margin + MARGIN_STEP, LARGEST_MARGIN));
    video.addEventListener("waiting", widen, { signal });
  }

  /** Plays until the stream ends; gives what ended it. */
  async #run() {
    const timer = setInterval(() => this.#tend(), LOOK_MS);
    this.#signal.addEventListener("abort", () => clearInterval(timer), { once: true });
    try {
      for await (const piece of this.#feed.pieces()) {
        if (piece.jumps || !(await this.#continues(piece))) await this.#restart(piece);
      }
      return new Problem(0, "The stream has ended.");
    } catch (problem) {
      return problem instanceof Problem ? problem : new Unfit(0, "this browser does not play the server's HLS");
    } finally {
      clearInterval(timer);
    }
  }

  /** Appends a piece to what is there; false where its times do not go on from it. */
  async #continues(piece) {
    const before = this.#media.end;
    const isOther = piece.starts || piece.map !== this.#map;
    await this.#append(piece);
    // After a discontinuity the times may be others: what is buffered grows then at another place, or over what was there.
    return !isOther || (this.#media.end > before && this.#media.end - before < piece.duration + ADJOINING);
  }

  /** Begins with an empty buffer, at this piece. */
  async #restart(piece) {
    this.#media?.close();
    // Until the next one is open there is nothing to tend: a closed one does not say what it has.
    this.#media = undefined;
    this.#began = false;
    this.#progress = { at: -1, since: performance.now() };
    this.#map = undefined;
    this.#media = await MediaBuffer.open(this.#video, TYPE);
    await this.#append(piece);
  }

  async #append({ init, map, bytes }) {
    if (map !== this.#map) await this.#media.append(init);
    this.#map = map;
    await this.#media.append(bytes);
    await this.#media.trim(this.#video.currentTime - KEPT);
  }

  #begins() {
    return new Promise((done, fail) => {
      const timer = setTimeout(() => fail(new Unfit(0, "HLS does not start here")), STARTING_MS);
      const begun = () => {
        clearTimeout(timer);
        done();
      };
      this.#video.addEventListener("loadeddata", begun, { once: true, signal: this.#signal });
    });
  }

  /** Keeps the playhead where it belongs; says that the stream stands where nothing helps. */
  #tend() {
    if (!this.#media) return;
    const aim = this.#feed.holdBack + this.#margin;
    if (!this.#began) {
      this.#begin(aim);
      return;
    }
    const ahead = this.#media.end - this.#video.currentTime;
    if (ahead > aim + FAR_LATE) this.#video.currentTime = this.#media.end - aim;
    this.#video.playbackRate = ahead > aim + LATE ? CATCHING_UP : 1;
    this.#watchProgress();
  }

  #begin(aim) {
    const place = this.#media.around(this.#video.currentTime);
    if (!place || place.end - place.start < aim) {
      if (performance.now() - this.#progress.since > STARTING_MS) this.#media.fail(new Problem(0, "The stream does not go on."));
      return;
    }
    this.#began = true;
    this.#video.currentTime = Math.max(place.start, place.end - aim);
    start(this.#video);
  }

  #watchProgress() {
    const { currentTime, paused } = this.#video;
    if (paused || currentTime !== this.#progress.at) {
      this.#progress = { at: currentTime, since: performance.now() };
      return;
    }
    const stood = performance.now() - this.#progress.since;
    const next = this.#media.after(currentTime);
    // A piece was lost: browsers stop a little before a gap, and wait there for what does not come.
    if (next && stood > GAP_MS) this.#video.currentTime = next.start + INSIDE;
    else if (stood > STANDING_MS) this.#media.fail(new Problem(0, "The stream stands still."));
  }
}
