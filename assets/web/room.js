// /r/{room}: choose devices, join, talk, leave.

import { warn, say, by, roomOfPage, queryOfPage, endInWords, lacking, play, wireStage, askForKey } from "./view.js";
import { whyNoDevices, openDevice, inWords, listDevices, showLevel } from "./devices.js";
import { Session } from "./session.js";
import { hold } from "./line.js";
import { isLow, wireLow } from "./low.js";
import { shareScreen, sharesScreens } from "./screen.js";
import { Talk } from "./talk.js";
import { wireTalk } from "./talk-panels.js";

const STORED_NAME = "medley-name";
const KINDS = ["audio", "video"];

const room = roomOfPage();
const selects = { audio: by("microphone"), video: by("camera") };
const tracks = { audio: undefined, video: undefined };
const talk = new Talk();
const faults = { audio: "", video: "" };
let session;
let leaving;
let metering = new AbortController();
let muted = false;
let sharing;

function showFaults() {
  warn([whyNoDevices() || lacking(), ...KINDS.map((kind) => faults[kind])].filter(Boolean).join(" "));
}

/** Opens, changes or closes a device to what its select says; whatever is sent changes with it. */
async function choose(kind, id) {
  tracks[kind]?.stop();
  tracks[kind] = undefined;
  faults[kind] = "";
  if (id !== "none" && !whyNoDevices()) {
    try {
      tracks[kind] = await openDevice(kind, id);
      tracks[kind].onended = () => deviceGone(kind);
    } catch (error) {
      faults[kind] = inWords(kind, error);
    }
  }
  await listDevices(kind, selects[kind]);
  selects[kind].value = tracks[kind]?.getSettings().deviceId ?? "none";
  if (selects[kind].selectedIndex < 0) selects[kind].selectedIndex = tracks[kind] ? 0 : selects[kind].length - 1;
  await applied(kind);
}

async function deviceGone(kind) {
  faults[kind] = kind === "video" ? "The camera was unplugged." : "The microphone was unplugged.";
  tracks[kind] = undefined;
  await listDevices(kind, selects[kind]);
  selects[kind].value = "none";
  await applied(kind);
}

async function applied(kind) {
  if (kind === "video") showPreview();
  else meterLevel();
  showButtons();
  showFaults();
  await session?.send(kind, tracks[kind]).catch(() => {});
}

function showPreview() {
  by("preview").srcObject = tracks.video ? new MediaStream([tracks.video]) : null;
  by("no-preview").hidden = Boolean(tracks.video);
}

function meterLevel() {
  metering.abort();
  metering = new AbortController();
  if (!tracks.audio) return;
  tracks.audio.enabled = !muted;
  showLevel(tracks.audio, document.querySelectorAll("meter"), metering.signal);
}

function showButtons() {
  const [mute, camera] = [by("mute"), by("stop-camera")];
  mute.textContent = muted ? "Unmute" : "Mute";
  mute.setAttribute("aria-pressed", String(muted));
  mute.disabled = !tracks.audio;
  camera.textContent = tracks.video ? "Stop camera" : "Start camera";
  camera.setAttribute("aria-pressed", String(!tracks.video));
  camera.disabled = Boolean(whyNoDevices());
}

function toggleMute() {
  muted = !muted;
  if (tracks.audio) tracks.audio.enabled = !muted;
  showButtons();
  say(muted ? "You are muted." : "You can be heard.");
}

async function toggleCamera() {
  const last = selects.video.dataset.last ?? "";
  if (tracks.video) selects.video.dataset.last = selects.video.value;
  await choose("video", tracks.video ? "none" : last);
}

/** Shares a screen, or stops it; the room gets it from a session of its own. */
async function toggleScreen() {
  if (sharing) return sharing.abort();
  const button = by("share-screen");
  sharing = new AbortController();
  button.disabled = true;
  try {
    const { end } = await shareScreen(room, by("name").value.trim(), AbortSignal.any([sharing.signal, leaving.signal]));
    button.disabled = false;
    button.textContent = "Stop sharing";
    button.setAttribute("aria-pressed", "true");
    say("Your screen is in the room.");
    say((await end) || "Your screen is no longer shared.");
  } catch (problem) {
    // To change one's mind in the browser's own dialog is no fault.
    if (problem.name !== "NotAllowedError" && problem.name !== "AbortError") warn(problem.message);
  }
  sharing = undefined;
  button.disabled = false;
  button.textContent = "Share screen";
  return button.setAttribute("aria-pressed", "false");
}

async function connect(signal) {
  const name = by("name").value.trim();
  session = await Session.open(`/v1/rooms/${room}/join${queryOfPage(name ? { name } : {})}`, {
    direction: "sendrecv",
    audio: tracks.audio,
    video: tracks.video,
    layered: !isLow(),
    talk,
    signal,
    onState: (state) => say(state === "connected" ? `You are in ${room}.` : "The connection is interrupted…"),
  });
  by("notice").textContent = session.notice;
  // A device that changed while the session was being opened.
  await Promise.all(KINDS.map((kind) => session.send(kind, tracks[kind])));
  if (talk.newest.send) await session.limit(talk.newest.send).catch(() => {});
  await play(session.mix);
  return session;
}

async function join() {
  leaving = new AbortController();
  localStorage.setItem(STORED_NAME, by("name").value.trim());
  document.body.dataset.stage = "call";
  warn("");
  say("Connecting…");
  showFaults();
  by("mute").focus();
  try {
    await hold({ connect, say, signal: leaving.signal });
    say("You have left.");
  } catch (problem) {
    say("Not connected.");
    warn(endInWords(problem));
    if (problem.status === 401) askForKey(join);
  }
  backToLobby();
}

function backToLobby() {
  session = undefined;
  by("mix").srcObject = null;
  by("notice").textContent = "";
  document.body.dataset.stage = "lobby";
  if (document.fullscreenElement) document.exitFullscreen();
  if (by("key-form").hidden) by("join").focus();
}

async function begin() {
  by("name").value = localStorage.getItem(STORED_NAME) ?? "";
  wireStage();
  wireTalk(talk);
  talk.on("send", (limit) => session?.limit(limit).catch(() => {}));
  by("lobby").onsubmit = (event) => {
    event.preventDefault();
    join();
  };
  by("leave").onclick = () => leaving?.abort();
  by("mute").onclick = toggleMute;
  by("stop-camera").onclick = toggleCamera;
  by("share-screen").onclick = toggleScreen;
  by("share-screen").hidden = !sharesScreens();
  wireLow(by("low"), () => tracks.video && choose("video", selects.video.value));
  addEventListener("pagehide", () => leaving?.abort());
  for (const kind of KINDS) selects[kind].onchange = () => choose(kind, selects[kind].value);
  navigator.mediaDevices?.addEventListener?.("devicechange", () => KINDS.forEach((kind) => listDevices(kind, selects[kind])));
  showButtons();
  showFaults();
  by("join").disabled = !globalThis.RTCPeerConnection;
  await Promise.all(KINDS.map((kind) => listDevices(kind, selects[kind])));
  if (!whyNoDevices()) say("Allow camera and microphone, or join without.");
  // One after the other: browsers ask for one device at a time, and refusing one leaves the other.
  for (const kind of KINDS) await choose(kind, "");
  if (!leaving) say("Choose how you want to be seen and heard, then join.");
}

if (room) begin();
else by("lobby").hidden = true;
