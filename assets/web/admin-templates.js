// The templates as pictures for the people who are there; choosing one applies it.
// In: GET /v1/layouts and previews. Out: PUT …/layout. Never: a picture asked for while nobody looks at the pane.

import { by } from "./view.js";
import { attempt, remove, showPicture } from "./admin-api.js";
import { button, element, keyed, write } from "./admin-element.js";
import { confirmed } from "./admin-confirm.js";
import { desk } from "./admin-desk.js";
import { arrange, peopleShown, previewQuery, templates } from "./admin-layout.js";

const THUMB_PX = 144;
let known = [];
let pictured = "";

export function wireTemplates() {
  desk.addEventListener("open", load);
  desk.addEventListener("templates", load);
  desk.addEventListener("report", show);
  by("pane-layout").addEventListener("shown", show);
}

async function load() {
  pictured = "";
  await attempt(async () => (known = await templates()));
  show();
}

function show() {
  const { applied } = desk;
  if (!applied || by("pane-layout").hidden) return;
  const people = peopleShown();
  const there = desk.report.participants.some(({ hidden }) => !hidden);
  const counted = `${people} ${people === 1 ? "person" : "people"}`;
  write(by("templates-hint"), there ? `As it would be with the ${counted} who are here.` : `Nobody is here: shown with ${counted}.`);
  keyed(by("templates"), known, { key: ({ name }) => name, make, update: (card, one) => card.update(one, applied) });
  const wanted = JSON.stringify([people, applied.canvas, applied.aspect, known.map(({ name }) => name), desk.view]);
  if (wanted === pictured) return;
  pictured = wanted;
  showPictures(wanted);
}

/** One after the other: a dozen at once would crowd out everything else. */
async function showPictures(wanted) {
  for (const card of by("templates").children) {
    if (pictured !== wanted) return;
    await showPicture(card.querySelector("img"), `/v1/layouts/${card.dataset.key}/preview.png?${previewQuery(THUMB_PX)}`);
  }
}

function make({ name, stock, description }) {
  const picture = element("img", { alt: "", width: 160, height: 90 });
  const title = element("span", { className: "template-title" });
  const choose = button("", () => apply(name), { className: "template", title: description });
  choose.replaceChildren(picture, title);
  const card = element("li", {}, choose);
  if (!stock) card.append(button("Remove", () => forget(name), { className: "quiet-danger", "aria-label": `Remove the template ${name}` }));
  card.update = (template, applied) => {
    write(title, template.title || template.name);
    const chosen = !applied.regions && (applied.template ?? "grid") === template.name;
    choose.setAttribute("aria-pressed", String(chosen));
  };
  return card;
}

function apply(template) {
  // Regions of one's own begin without a gap, templates with one: the gap belongs to what it was chosen for.
  const make = ({ regions, gap, ...rest }) => ({ ...rest, ...(regions || gap === undefined ? {} : { gap }), template });
  arrange(make, { said: `${template} is applied.` });
}

async function forget(name) {
  if (!(await confirmed(`Remove the template ${name}?`, "Remove"))) return;
  if (await attempt(() => remove(`/v1/layouts/${name}`), `${name} is removed.`)) desk.dispatchEvent(new Event("templates"));
}
