// A form that shows what is applied until somebody changes it, and again once it is sent or the room changes.
// In: a report's value. Out: whether the form may be filled. Never: a field overwritten while it is being edited.

import { by } from "./view.js";
import { attempt } from "./admin-api.js";
import { loadsTheirs } from "./admin-change.js";
import { desk } from "./admin-desk.js";

/**
 * Fills a form by `fill` with what `part` takes from a report, at each one unless the form was touched. It is sent by `apply`,
 * which gets a test of whether a newer value is still what the form was filled with, and says how it ended (`change`).
 * @param {{of: Function, part: Function, fill: Function, apply: Function}} how `of` gives the value that `part` is taken from
 */
export function wireForm(id, { of, part, fill, apply }) {
  const form = by(id);
  let touched = false;
  let basis = "";
  const written = (value) => JSON.stringify(part(value));
  const show = () => {
    basis = written(of());
    fill(part(of()));
  };
  form.addEventListener("input", () => (touched = true));
  form.addEventListener("touched", () => (touched = true));
  const begin = () => {
    touched = false;
    if (of()) show();
  };
  form.onsubmit = async (event) => {
    event.preventDefault();
    const outcome = await apply((value) => written(value) === basis);
    if (outcome === "refused") return;
    await attempt(() => desk.refresh());
    if (outcome === "done" || (await loadsTheirs("This was"))) begin();
    else basis = written(of());
  };
  desk.addEventListener("report", () => !touched && of() && show());
  for (const what of ["open", "view"]) desk.addEventListener(what, begin);
}

/** A number field's number; undefined where it is empty. */
export function numberOf(id) {
  const { value } = by(id);
  return value === "" ? undefined : Number(value);
}

/** Sets a field, or checks a box. */
export function put(id, value) {
  const field = by(id);
  if (field.type === "checkbox") field.checked = Boolean(value);
  else if (field.value !== String(value ?? "")) field.value = value ?? "";
}
