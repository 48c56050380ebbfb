// Asks before something that cannot be taken back. In: the question. Out: whether it was answered by yes.

import { by } from "./view.js";

/** @param {string} verb what the yes button says @param {string} refusal what the other one says */
export function confirmed(question, verb, refusal = "Keep") {
  const dialog = by("confirm");
  by("confirm-text").textContent = question;
  by("confirm-yes").textContent = verb;
  by("confirm-no").textContent = refusal;
  dialog.returnValue = "";
  dialog.showModal();
  by("confirm-no").focus();
  return new Promise((done) => {
    dialog.onclose = () => done(dialog.returnValue === "yes");
  });
}
