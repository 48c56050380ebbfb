// /admin: the rooms, and one of them opened, as the address's fragment says. Each pane is a module of its own.

import { ROOM_NAME, decoded } from "./api.js";
import { by, warn } from "./view.js";
import { attempt, patch, refused } from "./admin-api.js";
import { write } from "./admin-element.js";
import { desk } from "./admin-desk.js";
import { deleteRoom, enterRooms, leaveRooms, wireRooms } from "./admin-rooms.js";
import { wireEditor } from "./admin-editor.js";
import { wireEncoders } from "./admin-encoders.js";
import { wireImages } from "./admin-images.js";
import { wireLinks } from "./admin-links.js";
import { wireLog } from "./admin-log.js";
import { wireMix } from "./admin-mix.js";
import { wireOptions } from "./admin-options.js";
import { wireOverlays } from "./admin-overlays.js";
import { wirePeople } from "./admin-people.js";
import { wirePlayers } from "./admin-players.js";
import { wireRecordings } from "./admin-recordings.js";
import { wireSettings } from "./admin-settings.js";
import { wireTabs } from "./admin-tabs.js";
import { wireTemplates } from "./admin-templates.js";
import { wireViews } from "./admin-views.js";

// The warning that the room cannot be looked at, until it can.
let lost = "";

/** Shows what the address names. */
function route() {
  const room = decoded(location.hash.slice(1));
  const opened = ROOM_NAME.test(room);
  by("rooms-view").hidden = opened;
  by("room-view").hidden = !opened;
  document.title = opened ? `${room} – Admin – Medley` : "Admin – Medley";
  warn("");
  if (!opened) {
    desk.close();
    return enterRooms();
  }
  leaveRooms();
  by("room-title").textContent = room;
  by("go-join").href = `/r/${room}`;
  by("go-watch").href = `/watch/${room}`;
  by("go-stats").href = `/stats/${room}`;
  desk.open(room);
  return by("room-title").focus();
}

function showRoom() {
  const { report } = desk;
  if (!report) return;
  if (lost && lost === by("warning").textContent) warn("");
  if (lost) readAgain();
  lost = "";
  const viewers = Math.max(0, report.sessions - report.participants.length);
  const facts = [`${report.participants.length} in it`, `${viewers} watching`, report.kept ? "kept" : "gone with the last one", report.locked ? "locked" : "open"];
  write(by("room-facts"), facts.join(", "));
  by("lock").setAttribute("aria-pressed", String(report.locked));
}

async function toggleLock() {
  const locked = !desk.report?.locked;
  if (await attempt(() => patch(desk.path, { locked }), locked ? "The room is locked." : "The room is open.")) await attempt(() => desk.refresh());
}

function roomProblem({ detail: problem }) {
  refused(problem);
  lost = by("warning").textContent;
}

/** What could not be read without a key, or without a server. */
function readAgain() {
  if (desk.room) for (const what of ["templates", "images"]) desk.dispatchEvent(new Event(what));
}

const PANES = [wireTemplates, wireOptions, wireEditor, wireImages, wireOverlays, wireSettings, wireViews, wireEncoders, wireRecordings, wireLinks, wirePlayers, wireLog];
for (const wire of [wireTabs, wireRooms, wirePeople, wireMix, ...PANES]) wire();
by("lock").onclick = toggleLock;
by("delete-room").onclick = async () => (await deleteRoom(desk.room)) && (location.hash = "");
desk.addEventListener("report", showRoom);
desk.addEventListener("problem", roomProblem);
addEventListener("hashchange", route);
addEventListener("keyed", readAgain);
route();
