// Writing over what another admin may have changed meanwhile (RFC 9110 §13.1.1).
// In: what a change was made for. Out: a write with If-Match. Never: another's change replaced by somebody who has not seen it.

import { ask } from "./api.js";
import { attempt, tell } from "./admin-api.js";
import { confirmed } from "./admin-confirm.js";

// Changes of something else in the room move its tag too; who meets more of them than this is told.
const MOST_TRIES = 5;

/**
 * Reads what is at a path and writes it anew: `write` gets the value, and the headers to send with it. Nothing is written
 * where `stands` says that the value is another one than what the change was made for.
 * @returns {Promise<"done" | "refused" | "changed">}
 */
export async function change(path, { stands = () => true, write, said }) {
  let outcome = "refused";
  await attempt(async () => (outcome = await written(path, stands, write)));
  if (outcome === "done") tell(said);
  return outcome;
}

async function written(path, stands, write) {
  for (let tries = 1; ; tries += 1) {
    const response = await ask(path, { cache: "no-store" });
    const value = await response.json();
    if (!stands(value)) return "changed";
    try {
      await write(value, { "If-Match": response.headers.get("ETag") });
      return "done";
    } catch (problem) {
      if (problem.status !== 412 || tries === MOST_TRIES) throw problem;
    }
  }
}

/** Tells that something was changed meanwhile; whether what is there now is to be loaded. */
export function loadsTheirs(what) {
  const text = `${what} changed meanwhile: somebody else was here, or another pane. Nothing is applied. Load what is there now, or keep yours: applied again, it replaces theirs.`;
  return confirmed(text, "Load theirs", "Keep mine");
}
