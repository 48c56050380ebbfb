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
const STARTING_MS = 15_000;
/** So much is kept behind the playhead, in seconds. */
const KEPT = 10;
/** Later than this beyond the aim, it leaps to the live edge; later by the lesser, it catches up faster than can be heard. */
const FAR_LATE = 3;
const LATE = 0.5;
const CATCHING_UP = 1.06;
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
    this.#began = false;
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
    const place = this.#media?.around(this.#video.currentTime);
    if (!place) return;
    const aim = this.#feed.holdBack;
    const ahead = place.end - this.#video.currentTime;
    if (!this.#began) return this.#begin(place, aim);
    // Pieces were lost: on behind the gap.
    if (this.#video.currentTime < place.start) this.#video.currentTime = place.start;
    else if (ahead > aim + FAR_LATE) this.#video.currentTime = place.end - aim;
    this.#video.playbackRate = ahead > aim + LATE ? CATCHING_UP : 1;
    return this.#watchProgress();
  }

  #begin(place, aim) {
    if (place.end - place.start < aim) return;
    this.#began = true;
    this.#video.currentTime = Math.max(place.start, place.end - aim);
    start(this.#video);
  }

  #watchProgress() {
    const { currentTime, paused } = this.#video;
    if (paused || currentTime !== this.#progress.at) this.#progress = { at: currentTime, since: performance.now() };
    else if (performance.now() - this.#progress.since > STANDING_MS) this.#media.fail(new Problem(0, "The stream stands still."));
  }
}
