// The bytes of a live HLS stream in order, from near its live edge on. In: a playlist's address. Out: initialization and media, piece
// by piece (a part, or a whole segment). Never: a piece twice; where pieces were missed, the next one says that it jumps.

import { ask } from "./api.js";
import { readPlaylist } from "./hls-playlist.js";

const AGAIN_MS = 500;
const ATTEMPTS = 4;
/** In target durations: what is waited for comes sooner, or never. */
const LONGEST_WAIT = 3;
/** Begins so far before the live edge, in parts or, where there are none, in segments. */
const PARTS_BEHIND = 3;
const SEGMENTS_BEHIND = 1.5;

export class HlsFeed {
  #address;
  #signal;
  #playlist;
  #inits = new Map();

  constructor(address, signal) {
    this.#address = new URL(address, location.href).href;
    this.#signal = signal;
  }

  /** How long the buffer is to be, in seconds: as much as lies between two arrivals, and some. */
  get holdBack() {
    const { partTarget, target } = this.#playlist;
    return partTarget ? partTarget * PARTS_BEHIND : target * SEGMENTS_BEHIND;
  }

  /** Reads the playlist for the first time. */
  async open() {
    this.#playlist = await this.#read(this.#address);
  }

  /** Every piece from now on: `{map, init, bytes, duration, starts, jumps}`, until the stream ends. */
  async *pieces() {
    let at;
    while (!this.#signal.aborted) {
      const jumps = !at || !isWithin(at, this.#playlist.segments);
      if (jumps) at = edge(this.#playlist, this.holdBack);
      let first = jumps;
      for (const piece of at ? after(this.#playlist.segments, at) : []) {
        at = piece.next;
        const bytes = await this.#bytes(piece.url);
        if (!bytes) break;
        yield { ...piece, init: await this.#init(piece.map), bytes, jumps: first };
        first = false;
      }
      if (this.#playlist.ended) return;
      await this.#reload(at);
    }
  }

  /** The playlist anew: once it has what comes next, where the server waits for that (§6.2.5.2). */
  async #reload(at) {
    const { blocks, partTarget, target } = this.#playlist;
    if (!blocks || !at) {
      await pause((partTarget ?? target) * 500);
      this.#playlist = await this.#read(this.#address);
      return;
    }
    const address = new URL(this.#address);
    address.searchParams.set("_HLS_msn", at.sequence);
    if (partTarget) address.searchParams.set("_HLS_part", at.part);
    const patience = AbortSignal.timeout(target * LONGEST_WAIT * 1000);
    // A stream that has begun anew does not have what is waited for: then as it stands.
    this.#playlist = await this.#read(address.href, patience).catch(() => this.#read(this.#address));
  }

  async #read(address, patience = this.#signal) {
    const response = await this.#insist(address, AbortSignal.any([this.#signal, patience]));
    return readPlaylist(await response.text(), response.url || address);
  }

  async #init(url) {
    if (!this.#inits.has(url)) this.#inits = new Map([[url, await (await this.#insist(url)).arrayBuffer()]]);
    return this.#inits.get(url);
  }

  /** A piece's bytes; undefined where it has gone from the window meanwhile. */
  async #bytes(url) {
    try {
      return await (await this.#insist(url)).arrayBuffer();
    } catch (problem) {
      if (problem.status === 404 || problem.status === 410) return undefined;
      throw problem;
    }
  }

  /** Asks again a few times where nothing answers: a stream outlives a short cut of the line. */
  async #insist(url, signal = this.#signal) {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await ask(url, { signal });
      } catch (problem) {
        if (signal.aborted || !problem.passing || attempt === ATTEMPTS) throw problem;
        await pause(AGAIN_MS * attempt);
      }
    }
  }
}

/** Whether a place is still in the window, or the next after it. */
function isWithin({ sequence }, segments) {
  return segments.length > 0 && sequence >= segments[0].sequence && sequence <= segments.at(-1).sequence + 1;
}

/** Where to begin: the newest keyframe that lies as far before the end as the buffer is to be long. */
function edge({ segments }, holdBack) {
  let left = 0;
  for (const segment of segments.toReversed()) {
    for (const [part, { duration, independent, isGap }] of [...segment.parts.entries()].toReversed()) {
      left += duration;
      if (independent && !isGap && left >= holdBack) return { sequence: segment.sequence, part };
    }
    if (segment.parts.length === 0) left += segment.duration;
    if (segment.url && left >= holdBack) return { sequence: segment.sequence, part: 0 };
  }
  return segments.length > 0 ? { sequence: segments[0].sequence, part: 0 } : undefined;
}

/** All pieces from a place on: whole segments where they are complete, else their parts. */
function after(segments, at) {
  return segments.flatMap(({ sequence, url, map, starts, duration, parts }) => {
    if (sequence < at.sequence) return [];
    const from = sequence === at.sequence ? at.part : 0;
    const following = { sequence: sequence + 1, part: 0 };
    if (url && from === 0) return [{ url, map, starts, duration, next: following }];
    return parts.slice(from).map((part, index) => {
      const isLast = url && from + index === parts.length - 1;
      const next = isLast ? following : { sequence, part: from + index + 1 };
      return { url: part.url, map, starts: starts && from + index === 0, duration: part.duration, next };
    });
  });
}

function pause(ms) {
  return new Promise((done) => setTimeout(done, ms));
}
