// Files that play into the open room, each as one more participant. In: an uploaded file. Out: requests. Never: a file that plays on
// where nobody can see it here.

import { by } from "./view.js";
import { attempt, get, remove, send } from "./admin-api.js";
import { button, element, keyed, write } from "./admin-element.js";
import { desk } from "./admin-desk.js";
import { length } from "./figures.js";
import { numberOf } from "./admin-form.js";
import { wireFiles } from "./admin-files.js";

const AGAIN_MS = 1_000;
let timer;

export function wirePlayers() {
  wireFiles(offer);
  by("play-form").onsubmit = (event) => {
    event.preventDefault();
    play();
  };
  desk.addEventListener("open", () => show([]));
  desk.addEventListener("close", () => clearTimeout(timer));
  by("pane-players").addEventListener("shown", look);
}

/** What can be played. */
function offer(files) {
  const select = by("play-file");
  const chosen = select.value;
  select.replaceChildren(...files.map(({ name }) => new Option(name)));
  if (files.some(({ name }) => name === chosen)) select.value = chosen;
  by("play").disabled = files.length === 0;
}

/** Looks at the players while their pane is up. */
async function look() {
  clearTimeout(timer);
  const { room } = desk;
  try {
    const { players } = await get(`${desk.path}/players`);
    if (room === desk.room) show(players);
  } catch (problem) {
    if (problem.status === undefined) throw problem;
  }
  clearTimeout(timer);
  if (room === desk.room && !by("pane-players").hidden) timer = setTimeout(look, AGAIN_MS);
}

function show(players) {
  by("no-players").hidden = players.length > 0;
  keyed(by("players"), players, { key: ({ id, state }) => `${id} ${state}`, make, update: (place, player) => place.update(player) });
}

function make({ id, file, state }) {
  const text = element("span");
  const away = state === "playing" ? [button("Stop", () => stop(id, file), { "aria-label": `Stop ${file}` })] : [];
  const place = element("li", {}, text, ...away);
  place.update = (player) => write(text, inWords(player));
  return place;
}

function inWords({ file, state, reason, position_ms: at, duration_ms: whole, loop, gain_db: gain }) {
  const facts = [`${length(at)} of ${length(whole)}`, loop ? "again and again" : "", gain ? `${gain} dB` : "", state === "playing" ? "" : state, reason];
  return `${file}: ${facts.filter(Boolean).join(", ")}`;
}

async function play() {
  const file = by("play-file").value;
  const wish = { file, loop: by("play-loop").checked, gain_db: numberOf("play-gain") ?? 0 };
  await attempt(() => send("POST", `${desk.path}/players`, wish), `${file} plays.`);
  await look();
}

async function stop(id, file) {
  await attempt(() => remove(`${desk.path}/players/${id}`), `${file} is stopped.`);
  await look();
  by("play").focus();
}
