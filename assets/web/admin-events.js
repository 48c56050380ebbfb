// Server-sent events by fetch: an EventSource could not carry the key.
// In: the stream of a room. Out: each event as it comes. Never: an end, until told to stop; a lost stream is opened again.

import { ask } from "./api.js";

const AGAIN_MS = 2_000;

/** Calls `happened` with each event's value, and `state` when the stream is there or gone, until `signal` aborts. */
export async function follow(path, { happened, state, signal }) {
  while (!signal.aborted) {
    try {
      const { body } = await ask(path, { headers: { Accept: "text/event-stream" }, cache: "no-store", signal });
      state(true);
      for await (const value of values(body)) happened(value);
    } catch {
      // Gone, or never there: what the room answers otherwise says why.
    }
    if (signal.aborted) return;
    state(false);
    await new Promise((done) => setTimeout(done, AGAIN_MS));
  }
}

/** The `data` of each event (WHATWG HTML §9.2.6), read as JSON. */
async function* values(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let { value, done } = await reader.read(); !done; { value, done } = await reader.read()) {
    const blocks = (rest + value).replaceAll("\r\n", "\n").split("\n\n");
    rest = blocks.pop();
    for (const block of blocks) {
      const lines = block.split("\n").filter((line) => line.startsWith("data:"));
      if (lines.length > 0) yield JSON.parse(lines.map((line) => line.slice(5)).join("\n"));
    }
  }
}
