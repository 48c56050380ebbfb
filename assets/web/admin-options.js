// How people stand in the chosen view's layout, whichever it is: fit, gap, names, transition, policies.

import { by } from "./view.js";
import { desk } from "./admin-desk.js";
import { numberOf, put, wireForm } from "./admin-form.js";
import { arrange } from "./admin-layout.js";

const CHOICES = ["fit", "aspect", "hidden", "no_video", "self_view"];
const NUMBERS = ["gap", "transition_ms", "max_tiles"];
const FIELDS = [...CHOICES, ...NUMBERS, "names"];

export function wireOptions() {
  wireForm("options", { of: () => desk.applied, part, fill, apply });
}

function part(layout) {
  return FIELDS.map((field) => [field, layout[field]]);
}

function fill(values) {
  for (const [field, value] of values) put(`o-${field}`, value);
}

function apply(stands) {
  const choices = CHOICES.map((field) => [field, by(`o-${field}`).value]);
  const numbers = NUMBERS.map((field) => [field, numberOf(`o-${field}`)]);
  const options = { ...Object.fromEntries([...choices, ...numbers]), names: by("o-names").checked };
  return arrange((layout) => ({ ...layout, ...options }), { stands, said: "The options are applied." });
}
