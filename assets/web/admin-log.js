// What happened in the open room, newest first. In: its events. Out: a list of bounded length, the rest counted.

import { by } from "./view.js";
import { element, write } from "./admin-element.js";
import { desk } from "./admin-desk.js";

const KEPT = 200;
let dropped = 0;

export function wireLog() {
  desk.addEventListener("open", () => {
    by("log").replaceChildren();
    dropped = 0;
  });
  desk.addEventListener("happened", ({ detail }) => add(detail));
  desk.addEventListener("report", showState);
}

function showState() {
  const state = desk.connected ? "Events come as they happen." : "No events come: connecting again.";
  write(by("log-state"), dropped > 0 ? `${state} ${dropped} older ones are not shown.` : state);
}

function add(event) {
  const list = by("log");
  const time = event.time_ms === undefined ? "" : `${(event.time_ms / 1000).toFixed(1)} s`;
  list.prepend(element("li", {}, element("time", { textContent: time }), " ", element("strong", { textContent: event.event }), ` ${inWords(event)}`));
  if (list.children.length <= KEPT) return;
  list.lastElementChild.remove();
  dropped += 1;
}

function inWords({ participant, view, lost, detail = {} }) {
  if (lost) return `${lost} events were missed: this page was too slow.`;
  const name = desk.report?.participants.find(({ id }) => id === participant)?.name;
  const who = participant ? `${participant}${name ? ` (${name})` : ""}` : "";
  const what = Object.entries(detail).map(([field, value]) => `${field}: ${typeof value === "object" ? JSON.stringify(value) : value}`);
  return [who, view ? `view ${view}` : "", ...what].filter(Boolean).join(", ");
}
