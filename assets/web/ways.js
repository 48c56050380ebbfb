// Chooses how to watch: WebRTC, else HLS, else single pictures and sound, or what the address asks (`?via=`).
// In: what this browser can and what the network lets through. Out: the first way that plays, and why no better one does.
// Never: a way that was told off, tried again before the page is told to.

import { Problem, Unfit } from "./api.js";
import { hls } from "./way-hls.js";
import { hold } from "./line.js";
import { pictures } from "./way-pictures.js";
import { webrtc } from "./way-webrtc.js";

const WORD = "via";
export const WAYS = { webrtc, hls, mjpeg: pictures };

/** The name of the way that the address asks for; undefined where it leaves the choice to the page. */
export function asked() {
  const via = new URLSearchParams(location.search).get(WORD);
  return Object.hasOwn(WAYS, via) ? via : undefined;
}

/** Writes a way, or none, into the address. */
export function ask(via) {
  const address = new URL(location.href);
  if (via) address.searchParams.set(WORD, via);
  else address.searchParams.delete(WORD);
  history.replaceState(null, "", address);
}

/**
 * Watches by the best way until `signal` aborts; throws what no way can mend. `uses` gets each way that plays and why it is that one.
 * @param {{room: string, talk: import("./talk.js").Talk, say: Function, uses: (way: Object, why: string) => void, signal: AbortSignal}} wish
 */
export async function watchBy({ room, talk, say, uses, signal }) {
  const told = asked();
  const reasons = [];
  for (const way of told ? [WAYS[told]] : Object.values(WAYS)) {
    const connect = async (ending) => {
      const session = await way.open({ room, talk, signal: ending });
      uses(way, sentence(way, reasons, told));
      if (!way.talks) say(`You are watching ${room}.`);
      return session;
    };
    try {
      const lacking = way.lacking();
      if (lacking) throw new Unfit(0, lacking);
      return await hold({ connect, say, signal });
    } catch (problem) {
      if (!(problem instanceof Unfit)) throw problem;
      reasons.push(problem.message);
    } finally {
      way.close();
    }
  }
  throw new Problem(0, `${capital(reasons.join("; "))}.${told ? " Choose another way." : ""}`);
}

/** Which way it is, and why. */
function sentence(way, reasons, told) {
  const why = told ? ["as the address asks"] : reasons;
  return capital(why.length > 0 ? `${why.join("; ")}: ${way.inWords}.` : `${way.inWords}.`);
}

function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
