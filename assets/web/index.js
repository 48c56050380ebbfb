// /: the rooms as they are, a way into any of them, and how other programs join.

import { ROOM_NAME, ROOM_NAME_RULE, accessKey, ask } from "./api.js";
import { askForKey, by, say, warn } from "./view.js";
import { copyText } from "./copy.js";
import { guides } from "./guides.js";

const REFRESH_MS = 3_000;
const cards = new Map();

/** Shows the list as it is and comes back to it. */
async function refresh() {
  try {
    const { rooms } = await (await ask("/v1/rooms", { cache: "no-store" })).json();
    warn("");
    showRooms(rooms);
  } catch (problem) {
    if (problem.status === 401) {
      warn(accessKey() ? problem.message : "This server wants an access key before it shows its rooms.");
      say("");
      return askForKey(refresh);
    }
    say("");
    warn(`${problem.message} The list is looked up again every ${REFRESH_MS / 1000} s.`);
  }
  setTimeout(refresh, REFRESH_MS);
}

function showRooms(rooms) {
  const live = new Set(rooms.map(({ name }) => name));
  for (const [name, card] of cards) {
    if (!live.has(name)) remove(name, card);
  }
  for (const room of rooms) update(room);
  by("no-rooms").hidden = rooms.length > 0;
  const text = rooms.length === 1 ? "1 room is open." : `${rooms.length} rooms are open.`;
  if (by("status").textContent !== text) say(text);
}

function remove(name, card) {
  URL.revokeObjectURL(card.querySelector("img").src);
  card.remove();
  cards.delete(name);
}

function update({ name, participants, sessions }) {
  const card = cards.get(name) ?? addCard(name);
  const viewers = Math.max(0, sessions - participants);
  card.querySelector(".count").textContent = `${counted(participants, "participant")}, ${counted(viewers, "viewer")}`;
  // A room in which nobody is would have to be started for its picture.
  if (sessions > 0) showPicture(name, card.querySelector("img"));
}

function counted(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function addCard(name) {
  const card = by("room-card").content.firstElementChild.cloneNode(true);
  card.querySelector("h3").textContent = name;
  const link = (kind, path, verb) => {
    const anchor = card.querySelector(kind);
    anchor.href = `${path}${name}`;
    anchor.setAttribute("aria-label", `${verb} ${name}`);
  };
  link(".enter", "/r/", "Join");
  link(".look", "/watch/", "Watch");
  by("rooms").append(card);
  cards.set(name, card);
  return card;
}

/** A picture is fetched, not linked, for the key to go with it. */
async function showPicture(name, image) {
  if (document.hidden) return;
  try {
    const picture = await (await ask(`/v1/rooms/${name}/snapshot.jpg`)).blob();
    URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(picture);
  } catch {
    image.removeAttribute("src");
  }
}

/** The room that the form names, or says why it names none. */
function roomOfForm() {
  const field = by("room-name");
  const room = field.value.trim();
  field.setCustomValidity(ROOM_NAME.test(room) ? "" : ROOM_NAME_RULE);
  return field.reportValidity() ? room : undefined;
}

function showGuides() {
  const named = by("room-name").value.trim();
  const room = ROOM_NAME.test(named) ? named : "demo";
  const open = new Set([...by("guides").querySelectorAll("details[open] summary")].map((summary) => summary.textContent));
  by("guides").replaceChildren(...guides(room).map(([title, hint, text]) => guide(title, hint, text, open.has(title))));
}

function guide(title, hint, text, open) {
  const part = by("guide").content.firstElementChild.cloneNode(true);
  part.open = open;
  part.querySelector("summary").textContent = title;
  part.querySelector("p").textContent = hint;
  part.querySelector("code").textContent = text;
  const copy = part.querySelector("button");
  copy.setAttribute("aria-label", `Copy for ${title}`);
  copy.onclick = () => copyText(text, part.querySelector("code"), copy);
  return part;
}

by("enter").onsubmit = (event) => {
  event.preventDefault();
  const room = roomOfForm();
  if (room) location.href = (event.submitter?.value === "watch" ? "/watch/" : "/r/") + room;
};
by("room-name").oninput = () => {
  by("room-name").setCustomValidity("");
  showGuides();
};
showGuides();
refresh();
