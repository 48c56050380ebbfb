// The room's settings: canvas, who may come in, how people are heard, renditions.
// In: the room's report. Out: one PATCH. Never: a rendition sent half filled in; the form asks for the rest.

import { by } from "./view.js";
import { patch } from "./admin-api.js";
import { change } from "./admin-change.js";
import { button, element } from "./admin-element.js";
import { desk } from "./admin-desk.js";
import { numberOf, put, wireForm } from "./admin-form.js";

const CANVAS = ["width", "height", "fps"];
const ROOM = ["max_participants", "max_self_views", "locked", "unique_names"];
const FIELDS = {
  name: ["Name", { type: "text", maxLength: 32 }],
  height: ["Height", { type: "number", min: 128, max: 2160, step: 2 }],
  fps: ["Frames a second", { type: "number", min: 5, max: 60 }],
  max_bps: ["Bits a second at most", { type: "number", min: 50_000, max: 20_000_000, step: 1000 }],
  min_bps: ["At least", { type: "number", min: 20_000, max: 20_000_000, step: 1000 }],
};
const NEW_RENDITION = { name: "", height: 360, fps: 30, max_bps: 800_000, min_bps: 200_000 };
let filled = "";
let made = 0;

export function wireSettings() {
  wireForm("settings", { of: () => desk.report?.settings, part, fill, apply });
  by("add-rendition").onclick = () => {
    by("renditions").append(rendition(NEW_RENDITION));
    by("renditions").lastElementChild.querySelector("input").focus();
    touched();
  };
}

function touched() {
  by("settings").dispatchEvent(new Event("touched"));
}

function part({ canvas: { width, height, fps }, audio, renditions, ...settings }) {
  return { canvas: { width, height, fps }, audio, renditions, ...Object.fromEntries(ROOM.map((field) => [field, settings[field]])) };
}

function fill({ canvas, audio, renditions, ...settings }) {
  for (const field of CANVAS) put(`s-${field}`, canvas[field]);
  for (const field of ROOM) put(`s-${field}`, settings[field]);
  for (const field of ["max_talkers", "agc", "noise_suppression"]) put(`s-${field}`, audio[field]);
  const now = JSON.stringify([desk.room, renditions]);
  if (now === filled) return;
  filled = now;
  by("renditions").replaceChildren(...renditions.map(rendition));
}

function rendition(values) {
  made += 1;
  const fields = Object.entries(FIELDS).map(([name, [label, is]]) => {
    const id = `rendition-${made}-${name}`;
    const input = element("input", { id, name, required: true, autocomplete: "off", ...is, value: values[name] });
    return element("div", {}, element("label", { htmlFor: id, textContent: label }), input);
  });
  const away = button("Remove", () => {
    place.remove();
    touched();
    by("add-rendition").focus();
  }, { className: "quiet-danger", "aria-label": `Remove the rendition ${values.name || "that is new"}` });
  const legend = element("legend", { textContent: values.name || "New rendition" });
  const place = element("fieldset", {}, legend, ...fields, away);
  return place;
}

async function apply(stands) {
  const checked = (id) => by(`s-${id}`).checked;
  const body = {
    canvas: Object.fromEntries(CANVAS.map((field) => [field, numberOf(`s-${field}`)])),
    max_participants: numberOf("s-max_participants") ?? null,
    max_self_views: numberOf("s-max_self_views"),
    locked: checked("locked"),
    unique_names: checked("unique_names"),
    audio: { max_talkers: numberOf("s-max_talkers"), agc: checked("agc"), noise_suppression: checked("noise_suppression") },
    renditions: [...by("renditions").children].map(readRendition),
  };
  const { path } = desk;
  const write = (_, headers) => patch(path, body, headers);
  const outcome = await change(path, { stands: ({ settings }) => stands(settings), write, said: "The settings are applied." });
  // What was entered is no longer what was filled in.
  filled = "";
  return outcome;
}

function readRendition(place) {
  const value = (name) => place.querySelector(`[name=${name}]`).value;
  return Object.fromEntries(Object.keys(FIELDS).map((name) => [name, name === "name" ? value(name).trim() : Number(value(name))]));
}
