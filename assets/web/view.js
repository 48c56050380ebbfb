// What the room's page and the viewer's page have in common: the status line, the mix, full screen, the access key.

import { ROOM_NAME, ROOM_NAME_RULE, decoded, keepAccessKey } from "./api.js";
import { limits } from "./low.js";
import { decodesH264 } from "./session.js";

export const by = (id) => document.getElementById(id);

/** Says where things stand; read aloud politely. */
export function say(text) {
  by("status").textContent = text;
}

/** Says what went wrong and what to do; read aloud at once. Empty hides it. */
export function warn(text) {
  const place = by("warning");
  // The same again is not read aloud again.
  if (place.textContent !== text) place.textContent = text;
  place.hidden = !text;
}

/** The room in the address, filled in wherever the page names it; undefined, and said so, where it is none. */
export function roomOfPage() {
  const room = decoded(location.pathname.split("/").at(-1));
  if (!ROOM_NAME.test(room)) {
    warn(`“${room}” is no room name. ${ROOM_NAME_RULE}`);
    by("elsewhere").hidden = false;
    return undefined;
  }
  document.title = `${room} – Medley`;
  document.querySelectorAll("[data-room]").forEach((place) => (place.textContent = room));
  return room;
}

/** The view that the page's address asks for (`?view=`), as a query has it. */
export function viewOfPage() {
  const view = new URLSearchParams(location.search).get("view");
  return view ? { view } : {};
}

/** What a WebRTC session is asked for, with more: the view, and where power is to be saved the bounds of the picture. */
export function queryOfPage(more = {}) {
  const query = new URLSearchParams({ ...viewOfPage(), ...limits(), ...more }).toString();
  return query && `?${query}`;
}

/** Why a session that was opened ended for good, in words. */
export function endInWords(problem) {
  return problem.status === 410 ? "An admin has removed you from the room." : problem.message;
}

/** What this browser lacks, in words; "" where it lacks nothing. */
export function lacking() {
  if (!globalThis.RTCPeerConnection) return "This browser has no WebRTC. Use a current Chrome, Edge, Firefox or Safari.";
  if (!decodesH264()) {
    return "This browser has no H.264, so it can show no picture; you still have sound. Another browser, or in Firefox the OpenH264 plug-in, shows the picture.";
  }
  return "";
}

/** Shows the mix of a WebRTC session. */
export async function play(stream) {
  const video = by("mix");
  if (video.srcObject !== stream) video.srcObject = stream;
  await start(video);
}

/** Plays a medium and asks for a click where the browser wants one before it plays sound. */
export async function start(medium) {
  medium.muted = false;
  try {
    await medium.play();
    by("unmute").hidden = true;
  } catch (error) {
    if (error.name !== "NotAllowedError") return;
    medium.muted = true;
    by("unmute").hidden = false;
    await medium.play().catch(() => {});
  }
}

/** Wires what both pages' toolbars have. */
export function wireStage() {
  const video = by("mix");
  by("unmute").onclick = () => {
    for (const medium of by("stage").querySelectorAll("video, audio")) if (medium.srcObject || medium.src) start(medium);
    by("unmute").hidden = true;
  };
  const toggle = () => {
    if (document.fullscreenElement) return document.exitFullscreen();
    if (by("stage").requestFullscreen) return by("stage").requestFullscreen();
    // iPhones let only the video itself fill the screen.
    return video.webkitEnterFullscreen?.();
  };
  by("fullscreen").onclick = toggle;
  video.ondblclick = toggle;
  document.onfullscreenchange = () => {
    by("fullscreen").textContent = document.fullscreenElement ? "Leave full screen" : "Full screen";
  };
}

/** Asks for the access key and goes on with it. */
export function askForKey(goOn) {
  const form = by("key-form");
  form.hidden = false;
  form.onsubmit = (event) => {
    event.preventDefault();
    keepAccessKey(by("key").value.trim());
    form.hidden = true;
    warn("");
    goOn();
  };
  by("key").focus();
}
