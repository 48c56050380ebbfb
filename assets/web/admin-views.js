// The views beside main: added with a canvas of their own, looked at, taken away.

import { by } from "./view.js";
import { attempt, patch } from "./admin-api.js";
import { button, element, keyed, write } from "./admin-element.js";
import { confirmed } from "./admin-confirm.js";
import { desk } from "./admin-desk.js";

export function wireViews() {
  desk.addEventListener("report", show);
  by("add-view").onsubmit = (event) => {
    event.preventDefault();
    add();
  };
  by("view-name").oninput = () => by("view-name").setCustomValidity("");
}

function show() {
  const views = Object.entries(desk.report?.settings.views ?? {});
  keyed(by("views"), views, { key: ([name]) => name, make, update: (place, view) => place.update(view) });
}

function make([name]) {
  const text = element("span");
  const watch = element("a", { className: "button", href: `/watch/${desk.room}?view=${name}`, textContent: "Watch", "aria-label": `Watch ${name}` });
  const edit = button("Arrange", () => desk.choose(name), { "aria-label": `Arrange ${name}` });
  const place = element("li", {}, text, edit, watch, button("Remove", () => forget(name), { className: "quiet-danger", "aria-label": `Remove the view ${name}` }));
  place.update = ([, { canvas, layout }]) => {
    write(text, `${name}: ${canvas.width}×${canvas.height}, ${canvas.fps} a second, ${layout.regions ? "own regions" : (layout.template ?? "grid")}`);
  };
  return place;
}

async function add() {
  const name = by("view-name").value.trim();
  const taken = name in (desk.report?.settings.views ?? {});
  by("view-name").setCustomValidity(taken ? `There is a view ${name} already: remove it first, or take another name.` : "");
  if (!by("view-name").reportValidity()) return;
  const [width, height] = by("view-size").value.split("x").map(Number);
  if (!(await attempt(() => patch(desk.path, { views: { [name]: { canvas: { width, height } } } }), `The view ${name} is added.`))) return;
  by("add-view").reset();
  await attempt(() => desk.refresh());
}

async function forget(name) {
  if (!(await confirmed(`Remove the view ${name}? Who watches it gets main.`, "Remove"))) return;
  if (await attempt(() => patch(desk.path, { views: { [name]: null } }), `The view ${name} is removed.`)) await attempt(() => desk.refresh());
}
