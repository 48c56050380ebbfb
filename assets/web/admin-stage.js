// The regions as boxes on a canvas: dragged, resized, moved by keys.
// In: a Draft. Out: edits of it, and what is said about each. Never: a region out of the reach of the Tab key.

import { by } from "./view.js";
import { element, keyed, write } from "./admin-element.js";
import { lines, moved, resized, span, stepped, touched } from "./admin-geometry.js";

const REACH_PX = 9;
const HANDLES = ["left top", "top", "right top", "right", "right bottom", "bottom", "left bottom", "left"];
const EDGES = { left: ["x", "from"], right: ["x", "to"], top: ["y", "from"], bottom: ["y", "to"] };
const ARROWS = { ArrowLeft: ["x", -1], ArrowRight: ["x", 1], ArrowUp: ["y", -1], ArrowDown: ["y", 1] };

/** Shows a draft on the stage and lets people change it there. */
export function wireStage(draft) {
  const stage = by("editor");
  const guides = element("div", { className: "guides" });
  let drags = 0;

  const show = () => {
    keyed(stage, draft.regions.map((region, index) => ({ region, index })), {
      key: ({ index }) => index,
      make: ({ index }) => box(index),
      update: (made, { region, index }) => showBox(made, region, index === draft.chosen),
    });
    stage.append(guides);
  };

  const box = (index) => {
    const handles = HANDLES.map((edges) => element("span", { className: `handle ${edges}`, "data-edges": edges }));
    const made = element("button", { type: "button", className: "region" }, element("span", { className: "region-name" }), ...handles);
    made.onfocus = () => draft.choose(index);
    made.onpointerdown = (event) => drag(event, index);
    made.onkeydown = (event) => key(event);
    return made;
  };

  const drag = (event, index) => {
    if (event.button !== 0) return;
    draft.choose(index);
    const began = draft.region;
    const run = `drag ${(drags += 1)}`;
    const edges = event.target.dataset.edges?.split(" ");
    const target = event.currentTarget;
    target.setPointerCapture(event.pointerId);
    const move = (at) => {
      const { width, height } = stage.getBoundingClientRect();
      const by = { x: (at.clientX - event.clientX) / width, y: (at.clientY - event.clientY) / height };
      const reach = { x: REACH_PX / width, y: REACH_PX / height };
      draft.edit(dragged(began, by, edges, at.altKey ? undefined : snapping(draft, reach)), run);
      showGuides(guides, draft);
    };
    const stop = () => {
      target.onpointermove = target.onpointerup = target.onpointercancel = null;
      guides.replaceChildren();
      sayRegion(draft);
    };
    [target.onpointermove, target.onpointerup, target.onpointercancel] = [move, stop, stop];
  };

  const key = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !draft.region) return;
    const change = changeByKey(event, draft.region);
    if (change) draft.edit(change);
    else if (event.key === "Delete" || event.key === "Backspace") removeChosen(draft);
    else return;
    event.preventDefault();
    if (change) sayRegion(draft);
  };

  draft.addEventListener("change", show);
  show();
}

/** Takes the chosen region away and leaves the focus on one that stays. */
export function removeChosen(draft) {
  const name = draft.region?.id;
  draft.remove();
  const boxes = by("editor").querySelectorAll(".region");
  (boxes[draft.chosen] ?? by("add-region")).focus();
  speak(`${name} is removed. ${draft.regions.length} left.`);
}

/** Reads a region out. */
export function sayRegion({ region }) {
  if (region) speak(inWords(region));
}

/** Says something about the stage to those who do not see it. */
export function speak(text) {
  by("spoken").textContent = text;
}

function inWords(region) {
  const { id, left, top, width, height, z = 0 } = region;
  return `${id}: left ${left}, top ${top}, width ${width}, height ${height}, order ${z}`;
}

function showBox(made, region, chosen) {
  const [[left, right], [top, bottom]] = [span(region, "x"), span(region, "y")];
  const percent = (number) => `${number * 100}%`;
  made.style.left = percent(left.value);
  made.style.top = percent(top.value);
  made.style.width = percent(right.value - left.value);
  made.style.height = percent(bottom.value - top.value);
  // The chosen one can be taken hold of even where others cover it.
  made.style.zIndex = chosen ? 1000 : 200 + (Number(region.z) || 0);
  made.classList.toggle("chosen", chosen);
  made.setAttribute("aria-label", inWords(region));
  made.setAttribute("aria-pressed", String(chosen));
  write(made.firstElementChild, region.shows && region.shows !== "any" ? `${region.id} · ${region.shows}` : String(region.id));
}

function snapping(draft, reach) {
  return (axis) => ({ lines: lines(draft.regions, draft.chosen, axis), reach: reach[axis] });
}

function dragged(region, by, edges, snaps) {
  if (!edges) return ["x", "y"].reduce((at, axis) => moved(at, axis, by[axis], snaps?.(axis)), region);
  return edges.reduce((at, edge) => {
    const [axis, end] = EDGES[edge];
    return resized(at, axis, end, by[axis], snaps?.(axis));
  }, region);
}

function changeByKey({ key, shiftKey }, region) {
  if (ARROWS[key]) return stepped(region, ...ARROWS[key], shiftKey ? "size" : "place");
  const z = Number(region.z) || 0;
  if (key === "+" || key === "=") return { ...region, z: Math.min(z + 1, 100) };
  if (key === "-") return { ...region, z: Math.max(z - 1, -100) };
  return undefined;
}

function showGuides(guides, draft) {
  const along = (axis) =>
    touched(draft.region, axis, lines(draft.regions, draft.chosen, axis)).map(({ value }) => {
      const line = element("span", { className: `guide-line ${axis}` });
      line.style[axis === "x" ? "left" : "top"] = `${value * 100}%`;
      return line;
    });
  guides.replaceChildren(...along("x"), ...along("y"));
}
