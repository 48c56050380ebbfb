// /stats/{room}: everybody's line both ways, drawn over the last two minutes. In: the room's report, each second. Out: charts, and the
// same as tables. Never: a request while the page is paused or not looked at.

import { ask } from "./api.js";
import { askForKey, by, roomOfPage, say, warn } from "./view.js";
import { element, keyed, write } from "./admin-element.js";
import { Chart } from "./chart.js";
import { FIGURES, renditionOf } from "./stats-figures.js";

const PERIOD_MS = 1_000;
const room = roomOfPage();
let paused = false;

async function look() {
  const { participants, viewers = [] } = await (await ask(`/v1/rooms/${room}`, { cache: "no-store" })).json();
  const all = [...participants, ...viewers];
  warn("");
  say(`${participants.length === 1 ? "One person" : `${participants.length} people`}${viewers.length > 0 ? `, ${viewers.length} watching` : ""}.`);
  by("nobody").hidden = all.length > 0;
  keyed(by("lines"), all, { key: ({ id }) => id, make, update: (card, person) => card.update(person) });
}

function make() {
  const name = element("h3");
  const rendition = element("p", { className: "hint" });
  const charts = FIGURES.map((figure) => new Chart(figure));
  const rows = element("tbody");
  const table = element("table", {}, head(), rows);
  const box = element("div", { className: "table-box" }, table);
  const details = element("details", {}, element("summary", { textContent: "As a table" }), box);
  const card = element("li", { className: "panel" }, name, rendition,
    element("div", { className: "charts" }, ...charts.map(({ place }) => place)), details);
  details.ontoggle = () => showRows(rows, charts);
  let before;
  card.update = (person) => {
    const called = person.name ?? "Watching";
    write(name, `${called} (${person.id})`);
    write(rendition, `To them: ${renditionOf(person)}`);
    table.setAttribute("aria-label", `Line of ${called}`);
    charts.forEach((chart) => chart.add(person, before));
    before = person;
    if (details.open) showRows(rows, charts);
  };
  return card;
}

function head() {
  const titles = ["Figure", "Now", "Least", "Most"].map((text) => element("th", { textContent: text, scope: "col" }));
  return element("thead", {}, element("tr", {}, ...titles));
}

function showRows(rows, charts) {
  const all = charts.map(({ row }) => row).filter(Boolean);
  keyed(rows, all, {
    key: ([label]) => label,
    make: (row) => element("tr", {}, element("th", { scope: "row" }), ...row.slice(1).map(() => element("td"))),
    update: (line, row) => row.forEach((text, n) => write(line.children[n], text)),
  });
}

/** Looks each second, by the clock: an answer that takes its time does not make the others late. */
async function follow() {
  for (;;) {
    const wait = new Promise((done) => setTimeout(done, PERIOD_MS));
    if (!paused && !document.hidden) {
      try {
        await look();
      } catch (problem) {
        warn(problem.message);
        if (problem.status === 401) return askForKey(follow);
      }
    }
    await wait;
  }
}

function togglePause() {
  paused = !paused;
  by("pause").setAttribute("aria-pressed", String(paused));
  say(paused ? "Paused." : "");
}

if (room) {
  by("pause").onclick = togglePause;
  document.title = `Lines of ${room} – Medley`;
  follow();
} else {
  by("lines-panel").hidden = true;
}
