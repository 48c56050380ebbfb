// A stream that a page plays over HTTP, with the face of a WebRTC session (`line.js` holds either).
// In: how it is closed. Out: why it ended. Never: an end that nobody is told of.

import { Problem, Unfit, isBlocked } from "./api.js";

const ROOM_AGAIN_MS = 3_000;

export class Playing {
  #close;

  /** Resolves with a sentence once the stream is gone; with "" where `close` ended it. */
  lost = new Promise((settle) => (this.end = settle));

  constructor(close) {
    this.#close = close;
  }

  /** Nobody is removed from a stream. */
  async removal() {
    return undefined;
  }

  close() {
    this.#close();
    this.end("");
  }
}

/** There is no such room, and there may be: it is looked for again. */
export function notYet() {
  return new Problem(0, "Nobody is in the room yet.", ROOM_AGAIN_MS);
}

/**
 * What a refusal or a silence at a way's path means: a room that is not there may come, a server that answers elsewhere is not let
 * through to here, and the rest is as it is.
 */
export async function meaning(problem, way, path, signal) {
  if (signal.aborted || problem instanceof Unfit) return problem;
  if (problem.status === undefined) return new Unfit(0, `${way} does not work here`);
  if (problem.status === 404) return notYet();
  if (problem.status === 0 && (await isBlocked(path, signal))) return new Unfit(0, `your network lets no ${way} through`);
  return problem.passing || problem.status === 401 ? problem : new Unfit(problem.status, `the server refuses ${way} (${problem.status})`);
}
