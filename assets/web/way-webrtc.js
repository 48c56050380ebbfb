// Watching by WebRTC (WHEP): the way with the least delay, and the only one with people and chat.
// In: a room and what the page asks of it. Out: a session whose mix plays, or why WebRTC does not work from here.

import { Unfit, ask, isBlocked } from "./api.js";
import { notYet } from "./playing.js";
import { by, play, queryOfPage, say } from "./view.js";
import { Blocked, Session, decodesH264 } from "./session.js";

/** Refusals that are WebRTC's alone: no such endpoint, or no offer like this one. */
const REFUSED = [404, 405, 406, 415, 501];

export const webrtc = {
  inWords: "WebRTC, with hardly any delay",
  talks: true,

  /** Why this browser cannot; "" where it can. */
  lacking() {
    if (!globalThis.RTCPeerConnection) return "this browser has no WebRTC";
    return decodesH264() ? "" : "this browser has no H.264 for WebRTC";
  },

  async open({ room, talk, signal }) {
    try {
      const onState = (state) => say(state === "connected" ? `You are watching ${room}.` : "The connection is interrupted…");
      const session = await Session.open(`/whep/${room}${queryOfPage()}`, { direction: "recvonly", talk, signal, onState });
      by("notice").textContent = session.notice;
      await play(session.mix);
      return session;
    } catch (problem) {
      throw await meaningOf(problem, room, signal);
    }
  },

  close() {
    by("mix").srcObject = null;
    by("notice").textContent = "";
  },
};

async function meaningOf(problem, room, signal) {
  if (signal.aborted) return problem;
  if (problem instanceof Blocked) return new Unfit(0, "your network lets no WebRTC through");
  // A room that is not there is answered as by a server that has no WHEP.
  if (problem.status === 404 && (await isMissing(room, signal))) return notYet();
  if (REFUSED.includes(problem.status)) return new Unfit(problem.status, `the server gives no WebRTC (${problem.status})`);
  // What the browser's own stack throws has no status: it cannot do what it says it has.
  if (problem.status === undefined) return new Unfit(0, "this browser's WebRTC does not work");
  if (problem.status === 0 && (await isBlocked(`/whep/${room}`, signal))) return new Unfit(0, "your network lets no WebRTC through");
  return problem;
}

/** Whether the server knows no such room. */
function isMissing(room, signal) {
  return ask(`/v1/rooms/${room}`, { cache: "no-store", signal }).then(() => false, ({ status }) => status === 404);
}
