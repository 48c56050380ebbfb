// The recordings of the open room: begun, stopped, fetched, taken away. In: the list, every second while one is being written.
// Out: requests, and links to files. Never: a deletion without a question.

import { addressWithKey } from "./api.js";
import { by } from "./view.js";
import { attempt, get, remove, send } from "./admin-api.js";
import { button, element, keyed, write } from "./admin-element.js";
import { confirmed } from "./admin-confirm.js";
import { desk } from "./admin-desk.js";
import { length, size } from "./figures.js";

const BUSY_MS = 1_000;
const IDLE_MS = 5_000;
const STATES = {
  active: "being recorded",
  complete: "complete",
  failed: "failed",
  recovered: "recovered after the server's end",
  limit_reached: "ended at its limit",
};
let timer;
let active;
/** How many pages of the list are shown; how many looks at it were begun: only the newest shows what it brings. */
let pages;
let looks = 0;

export function wireRecordings() {
  by("record-form").onsubmit = (event) => {
    event.preventDefault();
    record();
  };
  by("older-recordings").onclick = showOlder;
  desk.addEventListener("open", open);
  desk.addEventListener("close", () => clearTimeout(timer));
  by("pane-recordings").addEventListener("shown", look);
  addEventListener("keyed", () => desk.room && look());
}

function open() {
  pages = 1;
  show({ recordings: [], cursor: null });
  look();
}

async function showOlder() {
  pages += 1;
  await look();
  if (by("older-recordings").hidden) by("tab-recordings").focus();
}

/** Looks at the list, and again after a while; what goes wrong is the room's own report to tell. */
async function look() {
  clearTimeout(timer);
  const { room } = desk;
  const mine = (looks += 1);
  const isLast = () => mine === looks && room === desk.room;
  try {
    const list = document.hidden ? undefined : await read(room);
    if (list && isLast()) show(list);
  } catch (problem) {
    if (problem.status === undefined) throw problem;
  }
  if (isLast()) timer = setTimeout(look, active ? BUSY_MS : IDLE_MS);
}

/** The newest recordings, as many pages of them as are shown; `cursor` is null where those are all. */
async function read(room) {
  let list = await get(`/v1/recordings?room=${room}`);
  for (let page = 1; page < pages && list.cursor !== null; page += 1) {
    const { recordings, cursor } = await get(`/v1/recordings?room=${room}&cursor=${list.cursor}`);
    list = { recordings: [...list.recordings, ...recordings], cursor };
  }
  return list;
}

function show({ recordings, cursor }) {
  active = recordings.find(({ state }) => state === "active");
  write(by("record"), active ? "Stop recording" : "Record");
  by("record").classList.toggle("danger", Boolean(active));
  by("record-tracks").disabled = Boolean(active);
  write(by("record-state"), active ? `Recording: ${length(active.duration_ms)}, ${size(active.bytes)}` : "");
  by("no-recordings").hidden = recordings.length > 0;
  by("older-recordings").hidden = cursor === null;
  // A recording that has ended has other buttons: it is made anew.
  keyed(by("recordings"), recordings, { key: ({ id, state }) => `${id} ${state === "active"}`, make, update: (place, one) => place.update(one) });
}

function make({ id, state }) {
  const name = element("strong");
  const facts = element("span", { className: "hint" });
  const files = element("div", { className: "row" });
  const act = state === "active"
    ? button("Stop", () => stop(id), { "aria-label": `Stop the recording ${id}` })
    : button("Delete", () => forget(id), { className: "quiet-danger", "aria-label": `Delete the recording ${id}` });
  const place = element("li", {}, element("span", {}, name, element("br"), facts), act, files);
  place.update = (one) => {
    write(name, begun(one));
    const { duration_ms: ms, bytes, reason } = one;
    write(facts, [STATES[one.state] ?? one.state, reason, length(ms), size(bytes)].filter(Boolean).join(", "));
    keyed(files, one.files ?? [], { key: (file) => file.name, make: (file) => link(one, file), update: (made, file) => made.update(file) });
  };
  return place;
}

function begun({ start, id }) {
  const date = new Date(start);
  return Number.isNaN(date.getTime()) ? id : date.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}

function link({ id, room }, { name }) {
  const made = element("a", { className: "button", href: addressWithKey(`/v1/recordings/${id}/${encodeURIComponent(name)}`), download: `${room}-${id}-${name}` });
  made.update = ({ bytes }) => write(made, bytes === undefined ? name : `${name}, ${size(bytes)}`);
  return made;
}

async function record() {
  if (active) return stop(active.id);
  const tracks = by("record-tracks").value;
  await attempt(() => send("POST", `${desk.path}/recordings`, { tracks, view: desk.view }), "The recording has begun.");
  return look();
}

async function stop(id) {
  await attempt(() => send("POST", `/v1/recordings/${id}/stop`, {}), "The recording is stopped.");
  await look();
}

async function forget(id) {
  if (!(await confirmed(`Delete the recording ${id} with all its files?`, "Delete"))) return;
  await attempt(() => remove(`/v1/recordings/${id}`), "The recording is deleted.");
  await look();
  by("tab-recordings").focus();
}
