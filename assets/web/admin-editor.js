// The region editor: what to start from, the stage, its tools, JSON beside it, and what is done with the result.
// In: the applied layout or a template. Out: a checked layout, applied or saved. Never: an applied layout that was not asked for.

import { by } from "./view.js";
import { attempt, refused, send, showPicture, tell } from "./admin-api.js";
import { loadsTheirs } from "./admin-change.js";
import { confirmed } from "./admin-confirm.js";
import { write } from "./admin-element.js";
import { desk } from "./admin-desk.js";
import { Draft } from "./admin-draft.js";
import { arrange, asCurl, bodyOf, dryRun, peopleShown, previewQuery, regionsOf, templates } from "./admin-layout.js";
import { mark, wireRegionFields } from "./admin-region-fields.js";
import { removeChosen, sayRegion, speak, wireStage } from "./admin-stage.js";

const PAUSE_MS = 350;
const NEW_REGION = { id: "region", left: "1/4", top: "1/4", width: "1/2", height: "1/2" };
const PICTURE_PX = 360;

const draft = new Draft();
let known = [];
let loaded = "";
// What the draft was made from, and what was sent to come later: whoever finds one of them finds nobody else's work.
let basis = "";
let coming = "";
let checking;
let typing = 0;

export function wireEditor() {
  wireStage(draft);
  wireRegionFields(draft);
  wireTools();
  wireJson();
  draft.addEventListener("change", shown);
  desk.addEventListener("close", () => (loaded = ""));
  desk.addEventListener("view", () => (loaded = ""));
  desk.addEventListener("report", beginOnce);
  by("pane-regions").addEventListener("shown", beginOnce);
  desk.addEventListener("open", listTemplates);
  desk.addEventListener("templates", listTemplates);
  by("start").onclick = () => begin(by("start-from").value);
  by("check").onclick = () => check(true);
  by("apply").onclick = apply;
  by("curl").onclick = copyCurl;
  by("apply-later").onsubmit = submitted(applyLater);
  by("keep-template").onsubmit = submitted(keepTemplate);
}

function submitted(act) {
  return (event) => {
    event.preventDefault();
    act();
  };
}

function wireTools() {
  const order = (by) => {
    const z = Math.min(100, Math.max(-100, (Number(draft.region?.z) || 0) + by));
    if (draft.region) draft.edit({ ...draft.region, z });
    sayRegion(draft);
  };
  const acts = {
    "add-region": () => add(NEW_REGION),
    "copy-region": () => draft.region && add(draft.region),
    "remove-region": () => removeChosen(draft),
    forward: () => order(1),
    backward: () => order(-1),
    undo: () => back("undo"),
    redo: () => back("redo"),
  };
  for (const [id, act] of Object.entries(acts)) by(id).onclick = act;
  by("pane-regions").addEventListener("keydown", (event) => {
    // In a field of text the browser's own undo is meant.
    if (!(event.ctrlKey || event.metaKey) || event.target.matches("input, textarea")) return;
    const key = event.key.toLowerCase();
    if (key !== "z" && key !== "y") return;
    event.preventDefault();
    back(key === "y" || event.shiftKey ? "redo" : "undo");
  });
}

function add(region) {
  draft.add(region);
  by("editor").querySelectorAll(".region")[draft.chosen]?.focus();
  speak(`${draft.region.id} is added. ${draft.regions.length} in all.`);
}

function back(way) {
  const can = way === "undo" ? draft.canUndo : draft.canRedo;
  if (!can) return speak(way === "undo" ? "There is nothing to undo." : "There is nothing to do again.");
  const held = document.activeElement === by(way);
  draft[way]();
  // What cannot be pressed any more loses the focus: the opposite can.
  if (held && by(way).disabled) by(way === "undo" ? "redo" : "undo").focus();
  return speak(`${way === "undo" ? "Undone" : "Done again"}. ${draft.regions.length} regions.`);
}

/** Starts from what is applied, once for each room and view. */
function beginOnce() {
  const now = `${desk.room} ${desk.view}`;
  if (!desk.applied || by("pane-regions").hidden || loaded === now) return;
  if (!desk.applied.regions && known.length === 0) return;
  loaded = now;
  begin("");
}

/** Starts from a template, or ("") from what is applied. */
function begin(name) {
  const { applied } = desk;
  basis = inJson(applied);
  const { template = "grid", regions, ...rest } = bodyOf(applied);
  const source = known.find((one) => one.name === (name || template));
  const own = !name && regions ? regions : regionsOf(source, peopleShown(), applied.canvas);
  const gap = rest.gap ?? (!name && regions ? 0 : 8);
  draft.begin({ regions: structuredClone(own), ...rest, gap });
  speak(`${own.length} regions are loaded.`);
}

async function listTemplates() {
  const done = await attempt(async () => (known = await templates()));
  if (!done) return;
  const options = known.map(({ name, title }) => new Option(title || name, name));
  by("start-from").replaceChildren(new Option("What is applied", ""), ...options);
  beginOnce();
}

function wireJson() {
  const field = by("json");
  field.onfocus = () => (typing += 1);
  field.onblur = () => showJson();
  field.oninput = () => {
    clearTimeout(checking);
    try {
      draft.replace(JSON.parse(field.value), `json ${typing}`);
    } catch (error) {
      verdict("wrong", `This is no JSON: ${error.message}.`);
    }
  };
}

function showJson() {
  by("json").value = JSON.stringify(draft.spec, null, 2);
}

function shown() {
  if (document.activeElement !== by("json")) showJson();
  by("undo").disabled = !draft.canUndo;
  by("redo").disabled = !draft.canRedo;
  by("add-region").disabled = draft.full;
  for (const id of ["copy-region", "remove-region", "forward", "backward"]) by(id).disabled = !draft.region;
  const { canvas } = desk.applied ?? {};
  if (canvas) by("editor").parentElement.style.aspectRatio = `${canvas.width} / ${canvas.height}`;
  clearTimeout(checking);
  checking = setTimeout(check, PAUSE_MS);
}

/** Asks the server what it would make of it; shows the cells' picture, or why it refuses. */
async function check(asked = false) {
  const body = draft.spec;
  if (!desk.room) return;
  try {
    const { cells } = await dryRun(body);
    if (body !== draft.spec) return;
    verdict("right", `${asked ? "Checked: it" : "It"} can be applied. ${inWords(cells)}`);
    await showPreview(body);
  } catch (problem) {
    if (problem.status === 422) return verdict("wrong", problem.message);
    refused(problem, () => check(asked));
  }
}

async function showPreview(body) {
  await showPicture(by("editor-picture"), `/v1/layouts/preview.png?${previewQuery(PICTURE_PX)}`, body);
}

function inWords(cells) {
  const names = new Map(desk.report.participants.map(({ id, name }) => [id, name]));
  const placed = cells.filter(({ participant }) => participant);
  if (placed.length === 0) return "Nobody is here to stand in it.";
  return `${placed.map(({ participant, region }) => `${names.get(participant) ?? participant} in ${region ?? "no region"}`).join(", ")}.`;
}

function verdict(kind, text) {
  by("verdict").dataset.kind = kind;
  write(by("verdict"), `${kind === "wrong" ? "✗" : "✓"} ${text}`);
  mark(draft, kind === "wrong" ? text : "");
}

function inJson(layout) {
  return JSON.stringify(bodyOf(layout));
}

function apply() {
  return arrangeDraft({ said: "The regions are applied." });
}

async function applyLater() {
  const seconds = Number(by("later").value);
  const atMs = desk.report.time_ms + seconds * 1000;
  await attempt(async () => (coming = inJson(await dryRun(draft.spec))));
  await arrangeDraft({ atMs, said: `The regions come in ${seconds} s.` });
}

async function arrangeDraft(how) {
  const outcome = await arrange(() => draft.spec, { stands: (layout) => [basis, coming].includes(inJson(layout)), ...how });
  if (outcome === "refused") return;
  if (outcome === "changed" && (await loadsTheirs("The layout was"))) return begin("");
  if (desk.applied) basis = inJson(desk.applied);
}

async function keepTemplate() {
  const name = by("template-name").value.trim();
  const template = { title: name, arrangements: [{ regions: draft.regions }] };
  const own = known.some((one) => one.name === name && !one.stock);
  if (own && !(await confirmed(`Replace the template ${name}? Rooms that show it are arranged anew.`, "Replace"))) return;
  const headers = own ? {} : { "If-None-Match": "*" };
  if (!(await attempt(() => send("PUT", `/v1/layouts/${encodeURIComponent(name)}`, template, headers), `The template ${name} is saved.`))) return;
  by("template-name").value = "";
  desk.dispatchEvent(new Event("templates"));
}

async function copyCurl() {
  const command = asCurl("PUT", desk.layoutPath, draft.spec);
  try {
    await navigator.clipboard.writeText(command);
    tell("The command is copied.");
  } catch {
    // Over plain HTTP there is no clipboard: shown, and selected for the reader's own copy.
    verdict("right", command);
    getSelection().selectAllChildren(by("verdict"));
    tell("The command is selected: copy it.");
  }
}
