// The people of the open room: how loud, how good their line is, and all that an admin does about one of them.
// In: the room's report. Out: PATCH and DELETE of participants. Never: a control that moves away under the hand that uses it.

import { by } from "./view.js";
import { attempt, patch, remove } from "./admin-api.js";
import { button, element, keyed, write } from "./admin-element.js";
import { confirmed } from "./admin-confirm.js";
import { desk } from "./admin-desk.js";
import { Line } from "./admin-quality.js";

// −60 dBFS and below is an empty meter: loudness is heard by ratios.
const QUIETEST_DB = -60;
const TOGGLES = { muted: "Mute", hidden: "Hide", pinned: "Pin" };
const open = new Set();

export function wirePeople() {
  desk.addEventListener("report", show);
  desk.addEventListener("close", () => by("people").replaceChildren());
}

/** Changes something about somebody, and says so. */
export async function change(id, what, said) {
  const path = `${desk.path}/participants/${id}`;
  if (await attempt(() => patch(path, what), said)) await attempt(() => desk.refresh());
}

function show() {
  const people = desk.report?.participants ?? [];
  write(by("people-title"), `People (${people.length})`);
  by("no-people").hidden = people.length > 0;
  keyed(by("people"), people, { key: ({ id }) => id, make, update: (card, person) => card.update(person) });
}

function make({ id }) {
  const line = new Line();
  const parts = {
    name: element("h4"),
    marks: element("p", { className: "marks" }),
    level: element("meter", { className: "level", min: 0, max: 1, value: 0 }),
    line: element("p", { className: "line" }),
  };
  const toggles = Object.fromEntries(Object.keys(TOGGLES).map((what) => [what, toggle(id, what)]));
  const fields = personFields(id);
  const more = element("details", { className: "more" }, element("summary", { textContent: "Name, role, gain" }), fields.place);
  more.ontoggle = () => (more.open ? open.add(id) : open.delete(id));
  const sendAway = button("Remove", () => sendOut(id, parts.name.textContent), { className: "quiet-danger" });
  const card = element("li", { className: "person" }, parts.name, parts.marks, parts.level, parts.line,
    element("div", { className: "row" }, ...Object.values(toggles), sendAway), more);
  card.update = (person) => {
    showParts(parts, person, line.look(person));
    for (const [what, made] of Object.entries(toggles)) showToggle(made, what, person);
    sendAway.setAttribute("aria-label", `Remove ${person.name}`);
    fields.update(person);
  };
  return card;
}

function showParts({ name, marks, level, line }, person, quality) {
  write(name, person.name);
  const said = marksOf(person);
  if (marks.textContent !== said.join("")) marks.replaceChildren(...said.map((text) => element("span", { className: "mark", textContent: text })));
  level.value = Math.max(0, 1 - person.level_db / QUIETEST_DB);
  level.setAttribute("aria-label", `Level of ${person.name}`);
  level.textContent = `${Math.round(person.level_db)} dB`;
  line.dataset.grade = quality.grade;
  write(line, quality.text);
}

function marksOf(person) {
  const { id, source, role, speaking, active_speaker, muted, silent, hidden, pinned, picture } = person;
  const all = [
    [true, id],
    [source === "screen", "screen"],
    [role, role],
    [active_speaker, "active speaker"],
    [speaking, "speaking"],
    [muted, "muted"],
    [silent && !muted, "no sound"],
    [hidden, "hidden"],
    [pinned, "pinned"],
    [!picture, "no picture"],
  ];
  return all.filter(([holds]) => holds).map(([, text]) => text);
}

function toggle(id, what) {
  return button(TOGGLES[what], (event) => {
    const wanted = event.currentTarget.getAttribute("aria-pressed") !== "true";
    change(id, { [what]: wanted }, wanted ? `${id} is ${what}.` : `${id} is no longer ${what}.`);
  });
}

function showToggle(made, what, person) {
  made.setAttribute("aria-pressed", String(person[what]));
  made.setAttribute("aria-label", `${TOGGLES[what]} ${person.name}`);
}

function personFields(id) {
  const name = element("input", { id: `name-${id}`, maxLength: 64, autocomplete: "off" });
  const role = element("input", { id: `role-${id}`, maxLength: 32, autocomplete: "off", placeholder: "none" });
  const gain = element("input", { id: `gain-${id}`, type: "range", min: -60, max: 20, step: 1 });
  const shown = element("output", { htmlFor: gain.id });
  const label = (field, text, ...more) => element("div", {}, element("label", { htmlFor: field.id, textContent: text }, ...more), field);
  name.onchange = () => change(id, { name: name.value.trim() }, `${id} is called ${name.value.trim()}.`);
  role.onchange = () => change(id, { role: role.value.trim() || null }, `${id} has ${role.value.trim() ? `the role ${role.value.trim()}` : "no role"}.`);
  gain.oninput = () => write(shown, ` ${gain.value} dB`);
  gain.onchange = () => change(id, { gain_db: Number(gain.value) }, `${id} has a gain of ${gain.value} dB.`);
  const place = element("div", { className: "person-fields" }, label(name, "Name"), label(role, "Role"), label(gain, "Gain", shown));
  const follow = (field, value) => {
    if (document.activeElement !== field) field.value = value;
  };
  const update = (person) => {
    follow(name, person.name);
    follow(role, person.role ?? "");
    follow(gain, person.gain_db);
    write(shown, ` ${gain.value} dB`);
  };
  return { place, update };
}

async function sendOut(id, name) {
  if (!(await confirmed(`Remove ${name} from ${desk.room}? Their session ends.`, "Remove"))) return;
  if (await attempt(() => remove(`${desk.path}/participants/${id}`), `${name} is removed.`)) await attempt(() => desk.refresh());
  by("people-title").focus();
}
