// The rooms: created, opened, locked, deleted. In: the list, every few seconds. Never: a deletion without a question.

import { ROOM_NAME, ROOM_NAME_RULE } from "./api.js";
import { by, warn } from "./view.js";
import { attempt, get, patch, refused, remove, send, showPicture } from "./admin-api.js";
import { button, element, keyed, write } from "./admin-element.js";
import { confirmed } from "./admin-confirm.js";

const REFRESH_MS = 3_000;
let timer;
let lost = "";

export function wireRooms() {
  by("create").onsubmit = (event) => {
    event.preventDefault();
    create();
  };
  by("new-room").oninput = () => by("new-room").setCustomValidity("");
}

/** Shows the list and keeps it as it is, until `leaveRooms`. */
export async function enterRooms() {
  clearTimeout(timer);
  try {
    show(await get("/v1/rooms"));
    if (lost && lost === by("warning").textContent) warn("");
    lost = "";
  } catch (problem) {
    refused(problem, enterRooms);
    lost = by("warning").textContent;
    if (problem.status === 401) return;
  }
  clearTimeout(timer);
  if (!by("rooms-view").hidden) timer = setTimeout(enterRooms, REFRESH_MS);
}

export function leaveRooms() {
  clearTimeout(timer);
}

/** Ends a room after a question; says whether it was done. */
export async function deleteRoom(name) {
  if (!(await confirmed(`Delete ${name}? Everybody in it is sent out and its settings are forgotten.`, "Delete"))) return false;
  return attempt(() => remove(`/v1/rooms/${name}`), `${name} is deleted.`);
}

async function create() {
  const field = by("new-room");
  const name = field.value.trim();
  field.setCustomValidity(ROOM_NAME.test(name) ? "" : ROOM_NAME_RULE);
  if (!field.reportValidity()) return;
  const taken = [...by("rooms").children].some((card) => card.dataset.key === name);
  // A room that is there keeps its settings: to create it again is to open it.
  if (!taken && !(await attempt(() => send("PUT", `/v1/rooms/${name}`, {}), `${name} is created.`))) return;
  field.value = "";
  location.hash = name;
}

function show({ rooms }) {
  by("no-rooms").hidden = rooms.length > 0;
  keyed(by("rooms"), rooms, { key: ({ name }) => name, make, update: (card, room) => card.update(room) });
}

function make({ name }) {
  const picture = element("img", { alt: "", width: 320, height: 180 });
  const counts = element("p", { className: "hint" });
  const lock = button("Lock", async () => {
    const locked = lock.getAttribute("aria-pressed") !== "true";
    if (await attempt(() => patch(`/v1/rooms/${name}`, { locked }), `${name} is ${locked ? "locked" : "open"}.`)) enterRooms();
  });
  const away = button("Delete", async () => (await deleteRoom(name)) && enterRooms(), { className: "quiet-danger", "aria-label": `Delete ${name}` });
  const enter = element("a", { className: "button primary", href: `#${name}`, textContent: "Open", "aria-label": `Open ${name}` });
  const text = element("div", { className: "card-text" }, element("h3", { textContent: name }), counts, element("div", { className: "row" }, enter, lock, away));
  const card = element("li", { className: "panel card" }, picture, text);
  card.update = (room) => {
    write(counts, inWords(room));
    lock.setAttribute("aria-pressed", String(room.locked));
    lock.setAttribute("aria-label", `Lock ${name}`);
    // A picture of a room in which nobody is would start it.
    if (room.sessions > 0 && !document.hidden) showPicture(picture, `/v1/rooms/${name}/snapshot.jpg`);
    else if (room.sessions === 0) picture.removeAttribute("src");
  };
  return card;
}

function inWords({ participants, sessions, kept, locked }) {
  const viewers = Math.max(0, sessions - participants);
  const counted = (number, noun) => `${number} ${noun}${number === 1 ? "" : "s"}`;
  const facts = [counted(participants, "participant"), counted(viewers, "viewer"), kept ? "kept" : "until the last one leaves", locked ? "locked" : ""];
  return facts.filter(Boolean).join(", ");
}
