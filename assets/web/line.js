// Keeps a session up: opens it, and opens it again whenever it is lost, with growing waits, until told to stop.

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;
const STEADY_MS = 5_000;

/**
 * Holds a line until `signal` aborts; throws what no new attempt can mend.
 * @param {{connect: (signal: AbortSignal) => Promise<import("./session.js").Session>, say: (text: string) => void, signal: AbortSignal}} line
 */
export async function hold({ connect, say, signal }) {
  let failures = 0;
  while (!signal.aborted) {
    const { reason, waitMs, steady } = await once(connect, signal);
    if (signal.aborted) return;
    if (steady) failures = 0;
    const wait = waitMs ?? Math.min(FIRST_WAIT_MS * 2 ** failures, LONGEST_WAIT_MS);
    failures += 1;
    // Said once, not counted down: a screen reader reads each change of the status aloud.
    say(`${reason} Trying again in ${Math.ceil(wait / 1000)} s.`);
    await pause(wait, signal);
    if (!signal.aborted) say("Connecting again…");
  }
}

/** One session from its beginning to its end. */
async function once(connect, signal) {
  try {
    const session = await connect(signal);
    const began = Date.now();
    const leave = () => session.close();
    signal.addEventListener("abort", leave, { once: true });
    if (signal.aborted) leave();
    const reason = await session.lost;
    signal.removeEventListener("abort", leave);
    const removal = await session.removal();
    session.close();
    // Who was sent out does not come back by itself.
    if (removal) throw removal;
    return { reason, steady: Date.now() - began > STEADY_MS };
  } catch (problem) {
    if (signal.aborted) return {};
    if (!problem.passing) throw problem;
    return { reason: problem.message, waitMs: problem.retryAfterMs };
  }
}

/** Waits; ends early when told to stop or when the network comes back. */
function pause(ms, signal) {
  return new Promise((done) => {
    setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    addEventListener("online", done, { once: true, signal });
  });
}
