// /watch/{room}: see and hear the mix, send nothing (WHEP).

import { warn, say, by, roomOfPage, queryOfPage, endInWords, lacking, play, wireStage, askForKey } from "./view.js";
import { Session } from "./session.js";
import { hold } from "./line.js";
import { Talk } from "./talk.js";
import { wireTalk } from "./talk-panels.js";

const room = roomOfPage();
const talk = new Talk();
let leaving;

async function connect(signal) {
  const session = await Session.open(`/whep/${room}${queryOfPage()}`, {
    direction: "recvonly",
    talk,
    signal,
    onState: (state) => say(state === "connected" ? `You are watching ${room}.` : "The connection is interrupted…"),
  });
  by("notice").textContent = session.notice;
  await play(session.mix);
  return session;
}

async function watch() {
  leaving = new AbortController();
  by("stop").textContent = "Stop";
  say("Connecting…");
  warn(lacking());
  try {
    await hold({ connect, say, signal: leaving.signal });
    say("You have stopped watching.");
  } catch (problem) {
    say("Not connected.");
    warn(endInWords(problem));
    if (problem.status === 401) askForKey(watch);
  }
  leaving = undefined;
  by("mix").srcObject = null;
  by("stop").textContent = "Watch again";
}

if (room) {
  wireStage();
  wireTalk(talk);
  by("stop").onclick = () => (leaving ? leaving.abort() : watch());
  addEventListener("pagehide", () => leaving?.abort());
  addEventListener("pageshow", (event) => event.persisted && watch());
  watch();
} else {
  by("stage").hidden = by("talk").hidden = true;
}
