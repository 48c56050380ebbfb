// A form that shows what is applied until somebody changes it, and again once it is sent or the room changes.
// In: a report's value. Out: whether the form may be filled. Never: a field overwritten while it is being edited.

import { by } from "./view.js";
import { desk } from "./admin-desk.js";

/** Fills a form by `fill` at each report, unless it was touched; sends it by `submit`, which says whether that was done. */
export function wireForm(id, fill, submit) {
  const form = by(id);
  let touched = false;
  form.addEventListener("input", () => (touched = true));
  form.addEventListener("touched", () => (touched = true));
  const begin = () => {
    touched = false;
    if (desk.report) fill();
  };
  form.onsubmit = async (event) => {
    event.preventDefault();
    if (await submit()) begin();
  };
  desk.addEventListener("report", () => !touched && desk.report && fill());
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
