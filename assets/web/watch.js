// /watch/{room}: see and hear the mix, send nothing, by the best way that works from here.

import { warn, say, by, roomOfPage, endInWords, wireStage, askForKey } from "./view.js";
import { wireLow } from "./low.js";
import { Talk } from "./talk.js";
import { wireTalk } from "./talk-panels.js";
import { ask, asked, watchBy } from "./ways.js";

const room = roomOfPage();
const talk = new Talk();
let leaving;
let running;

/** Says which way it is and why; who is there and what they write comes by WebRTC alone. */
function uses(way, why) {
  by("way").textContent = why;
  by("talk").hidden = !way.talks;
}

async function watch() {
  leaving = new AbortController();
  by("stop").textContent = "Stop";
  by("way").textContent = "";
  say("Connecting…");
  warn("");
  try {
    await watchBy({ room, talk, say, uses, signal: leaving.signal });
    say("You have stopped watching.");
  } catch (problem) {
    say("Not connected.");
    warn(endInWords(problem));
    if (problem.status === 401) askForKey(begin);
  }
  leaving = undefined;
  by("unmute").hidden = true;
  by("stop").textContent = "Watch again";
}

function begin() {
  running = watch();
}

/** Watches by what the address says now; of several wishes while the last way ends, one begins. */
async function again() {
  leaving?.abort();
  const before = running;
  await before;
  if (running === before) begin();
}

if (room) {
  wireStage();
  wireTalk(talk);
  wireLow(by("low"), again);
  by("via").value = asked() ?? "";
  by("via").onchange = () => {
    ask(by("via").value);
    again();
  };
  by("stop").onclick = () => (leaving ? leaving.abort() : begin());
  addEventListener("pagehide", () => leaving?.abort());
  addEventListener("pageshow", (event) => event.persisted && again());
  begin();
} else {
  by("stage").hidden = by("talk").hidden = true;
}
