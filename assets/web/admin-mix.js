// The mix of the open room as it is, and a button on each tile that pins its person.
// In: the chosen view's cells. Out: a picture by WHEP, else stills. Never: sound, or a session once it is not looked at.

import { by } from "./view.js";
import { Session, decodesH264 } from "./session.js";
import { get, showPicture } from "./admin-api.js";
import { element, keyed, write } from "./admin-element.js";
import { desk } from "./admin-desk.js";
import { change } from "./admin-people.js";

const STILL_MS = 1_000;
const AGAIN_MS = 10_000;
let watching;

export function wireMix() {
  by("view").onchange = () => desk.choose(by("view").value);
  by("picture").onchange = restart;
  desk.addEventListener("open", restart);
  desk.addEventListener("view", restart);
  desk.addEventListener("close", stop);
  desk.addEventListener("report", show);
  addEventListener("keyed", () => desk.room && restart());
  addEventListener("pagehide", stop);
}

function stop() {
  watching?.abort();
  watching = undefined;
  by("mix").srcObject = null;
}

function restart() {
  stop();
  watching = new AbortController();
  const signal = watching.signal;
  const choice = by("picture").value;
  by("mix").hidden = true;
  by("still").hidden = choice === "off";
  if (choice === "off") return write(by("picture-state"), "No picture is asked for.");
  if (choice === "live" && globalThis.RTCPeerConnection && decodesH264()) return live(signal);
  write(by("picture-state"), choice === "live" ? "This browser cannot play the live picture: a still each second." : "A still each second.");
  return stills(signal);
}

/** Plays the mix; stills until it comes, and again when it is lost. */
async function live(signal) {
  write(by("picture-state"), "Connecting…");
  while (!signal.aborted) {
    const waiting = new AbortController();
    stills(AbortSignal.any([signal, waiting.signal]));
    try {
      // To watch a room that was deleted would make it again.
      await get(desk.path);
      const session = await Session.open(`/whep/${desk.room}?view=${desk.view}`, { direction: "recvonly", signal, onState: () => {} });
      signal.addEventListener("abort", () => session.close(), { once: true });
      if (signal.aborted) session.close();
      await play(session.mix, waiting);
      await session.lost;
      session.close();
      write(by("picture-state"), "The live picture was lost: stills until it comes back.");
    } catch (problem) {
      if (signal.aborted) return;
      write(by("picture-state"), problem.status === 401 ? "The picture comes once there is a key." : `${problem.message} Stills until it comes back.`);
    }
    if (signal.aborted) return;
    by("mix").hidden = true;
    by("still").hidden = false;
    await new Promise((done) => setTimeout(done, AGAIN_MS));
    waiting.abort();
  }
}

async function play(mix, waiting) {
  const video = by("mix");
  video.srcObject = new MediaStream(mix.getVideoTracks());
  await video.play();
  video.hidden = false;
  by("still").hidden = true;
  waiting.abort();
  write(by("picture-state"), "Live, without sound.");
}

async function stills(signal) {
  while (!signal.aborted) {
    if (!document.hidden) await showPicture(by("still"), `${desk.path}/snapshot.jpg?view=${desk.view}`);
    await new Promise((done) => setTimeout(done, STILL_MS));
  }
}

function show() {
  const { applied, report } = desk;
  if (!applied) return;
  showViews(Object.keys(report.views));
  const { width, height } = applied.canvas;
  by("screen").style.aspectRatio = `${width} / ${height}`;
  const people = new Map(report.participants.map((person) => [person.id, person]));
  const cells = applied.cells.filter(({ participant }) => people.has(participant));
  keyed(by("cells"), cells, {
    key: ({ participant }) => participant,
    make: () => element("button", { type: "button", className: "cell" }),
    update: (tile, cell) => showTile(tile, cell, people.get(cell.participant), applied.canvas),
  });
}

function showViews(names) {
  const select = by("view");
  if ([...select.options].map(({ value }) => value).join() !== names.join()) select.replaceChildren(...names.map((name) => new Option(name)));
  select.value = desk.view;
}

function showTile(tile, cell, person, canvas) {
  const percent = (part, whole) => `${(part / whole) * 100}%`;
  tile.style.left = percent(cell.x, canvas.width);
  tile.style.top = percent(cell.y, canvas.height);
  tile.style.width = percent(cell.width, canvas.width);
  tile.style.height = percent(cell.height, canvas.height);
  tile.style.zIndex = cell.z + 101;
  tile.setAttribute("aria-pressed", String(person.pinned));
  tile.setAttribute("aria-label", `Pin ${person.name}`);
  tile.onclick = () => change(person.id, { pinned: !person.pinned }, person.pinned ? `${person.name} is no longer pinned.` : `${person.name} is pinned.`);
}
