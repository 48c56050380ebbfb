// How people stand in the chosen view's layout, whichever it is: fit, gap, names, transition, policies.

import { by } from "./view.js";
import { desk } from "./admin-desk.js";
import { numberOf, put, wireForm } from "./admin-form.js";
import { arrange, bodyOf } from "./admin-layout.js";

const CHOICES = ["fit", "aspect", "hidden", "no_video", "self_view"];
const NUMBERS = ["gap", "transition_ms", "max_tiles"];

export function wireOptions() {
  wireForm("options", fill, apply);
}

function fill() {
  const { applied } = desk;
  for (const field of [...CHOICES, ...NUMBERS, "names"]) put(`o-${field}`, applied[field]);
}

function apply() {
  const choices = CHOICES.map((field) => [field, by(`o-${field}`).value]);
  const numbers = NUMBERS.map((field) => [field, numberOf(`o-${field}`)]);
  const body = { ...bodyOf(desk.applied), ...Object.fromEntries([...choices, ...numbers]), names: by("o-names").checked };
  return arrange(body, { said: "The options are applied." });
}
