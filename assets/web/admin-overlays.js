// What is painted beside and over people: background, logo, lower third, marks.
// In: the room's settings. Out: one PATCH of them. Never: a field sent that the form does not show.

import { by } from "./view.js";
import { patch } from "./admin-api.js";
import { change } from "./admin-change.js";
import { desk } from "./admin-desk.js";
import { put, wireForm } from "./admin-form.js";

const ACCENT = "#3dd68c";

export function wireOverlays() {
  wireForm("overlays", { of: () => desk.report?.settings, part, fill, apply });
}

function part({ canvas: { background }, overlays }) {
  return { background, overlays };
}

function fill({ background, overlays }) {
  const { logo, lower_third: band } = overlays;
  put("v-background", background);
  put("v-background-image", overlays.background_image ?? "");
  put("v-logo", logo?.image ?? "");
  put("v-position", logo?.position ?? "top-right");
  put("v-logo-width", logo?.width ?? "");
  put("v-opacity", logo?.opacity ?? 1);
  put("v-title", band?.title ?? "");
  put("v-subtitle", band?.subtitle ?? "");
  put("v-color", band?.color ?? ACCENT);
  put("v-mute", overlays.mute_marks);
  put("v-speaking", overlays.speaking_marks);
}

function apply(stands) {
  const overlays = {
    background_image: by("v-background-image").value || null,
    logo: logo(),
    lower_third: lowerThird(),
    mute_marks: by("v-mute").checked,
    speaking_marks: by("v-speaking").checked,
  };
  const body = { canvas: { background: by("v-background").value }, overlays };
  const { path } = desk;
  const write = (_, headers) => patch(path, body, headers);
  return change(path, { stands: ({ settings }) => stands(settings), write, said: "The overlays are applied." });
}

function logo() {
  const image = by("v-logo").value;
  if (!image) return null;
  return { image, position: by("v-position").value, width: by("v-logo-width").value.trim() || "1/8", opacity: Number(by("v-opacity").value) };
}

function lowerThird() {
  const title = by("v-title").value.trim();
  return title ? { title, subtitle: by("v-subtitle").value.trim(), color: by("v-color").value } : null;
}
