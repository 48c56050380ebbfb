// The chosen region's fields. In: a Draft. Out: edits of it when a field is left. Never: an empty field as a value.

import { by } from "./view.js";
import { write } from "./admin-element.js";

const TEXTS = ["id", "shows", "left", "top", "width", "height"];
const NUMBERS = ["z", "tiles", "opacity", "corner_radius"];
const DEFAULTS = { shows: "any", z: 0, tiles: 1, opacity: 1 };

export function wireRegionFields(draft) {
  const form = by("region-fields");
  form.onsubmit = (event) => event.preventDefault();
  form.onchange = () => draft.region && draft.edit(read(draft.region));
  // Enter in a text field takes it over without leaving it.
  form.onkeydown = (event) => {
    if (event.key === "Enter") event.target.dispatchEvent(new Event("change", { bubbles: true }));
  };
  draft.addEventListener("change", () => show(draft));
}

/** Marks the field, or else the box, that a refusal's path names ("regions[1].width: …"); "" marks nothing. */
export function mark(draft, text) {
  const [, at, name = ""] = text.match(/^regions\[(\d+)\](?:\.([a-z_]+))?/) ?? [];
  const wrong = at === undefined ? -1 : Number(at);
  by("editor").querySelectorAll(".region").forEach((box, index) => box.classList.toggle("wrong", index === wrong));
  for (const field of by("region-fields").querySelectorAll("input, select")) {
    const meant = wrong === draft.chosen && field.id === `r-${name}`;
    field.setAttribute("aria-invalid", String(meant));
    if (meant) field.setAttribute("aria-errormessage", "verdict");
    else field.removeAttribute("aria-errormessage");
  }
}

function show({ region, regions, chosen }) {
  by("region-fields").hidden = !region;
  if (!region) return;
  write(by("region-title"), `Region ${chosen + 1} of ${regions.length}: ${region.id}`);
  for (const field of [...TEXTS, ...NUMBERS]) by(`r-${field}`).value = region[field] ?? DEFAULTS[field] ?? "";
  by("r-fit").value = region.fit ?? "";
  by("r-border").value = region.border?.width ?? "";
  if (region.border?.color) by("r-border-color").value = region.border.color;
}

/** The region as its fields say; what is empty falls back to the server's default. */
function read(before) {
  const region = { ...before };
  const set = (field, value, left) => (left ? delete region[field] : (region[field] = value));
  for (const field of TEXTS) set(field, by(`r-${field}`).value.trim(), false);
  for (const field of NUMBERS) set(field, Number(by(`r-${field}`).value), by(`r-${field}`).value === "");
  set("fit", by("r-fit").value, by("r-fit").value === "");
  const width = Number(by("r-border").value);
  set("border", { width, color: by("r-border-color").value }, !width);
  return region;
}
