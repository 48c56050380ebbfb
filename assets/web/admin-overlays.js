// What is painted beside and over people: background, logo, lower third, marks.
// In: the room's settings. Out: one PATCH of them. Never: a field sent that the form does not show.

import { by } from "./view.js";
import { attempt, patch } from "./admin-api.js";
import { desk } from "./admin-desk.js";
import { put, wireForm } from "./admin-form.js";

const ACCENT = "#3dd68c";

export function wireOverlays() {
  wireForm("overlays", fill, apply);
}

function fill() {
  const { canvas, overlays } = desk.report.settings;
  const { logo, lower_third: band } = overlays;
  put("v-background", canvas.background);
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

async function apply() {
  const overlays = {
    background_image: by("v-background-image").value || null,
    logo: logo(),
    lower_third: lowerThird(),
    mute_marks: by("v-mute").checked,
    speaking_marks: by("v-speaking").checked,
  };
  const body = { canvas: { background: by("v-background").value }, overlays };
  const done = await attempt(() => patch(desk.path, body), "The overlays are applied.");
  if (done) await attempt(() => desk.refresh());
  return done;
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
