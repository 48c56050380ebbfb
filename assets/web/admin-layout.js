// What the panes have in common that arrange a view: its layout as a body, the templates, and applying.
// In: the room's report. Out: bodies for PUT …/layout. Never: a change that was not asked for.

import { accessKey } from "./api.js";
import { attempt, get, send } from "./admin-api.js";
import { change } from "./admin-change.js";
import { desk } from "./admin-desk.js";

const MOST_PEOPLE = 100;
const REPORTED_ONLY = ["view", "canvas", "cells", "more"];

/** A reported layout as a body: without what only reports say. */
export function bodyOf(applied) {
  return Object.fromEntries(Object.entries(applied).filter(([field]) => !REPORTED_ONLY.includes(field)));
}

/** How many people a preview is to show: those who are there, or a few where nobody is. */
export function peopleShown() {
  const seen = (desk.report?.participants ?? []).filter(({ hidden }) => !hidden).length;
  return seen > 0 ? Math.min(seen, MOST_PEOPLE) : 4;
}

/** A preview's query for the chosen view's canvas: its shorter side has `pixels`, where the bounds leave the aspect. */
export function previewQuery(pixels) {
  const { width, height } = desk.applied.canvas;
  const scale = pixels / Math.min(width, height);
  const even = (side, most) => Math.min(most, Math.max(128, Math.round((side * scale) / 2) * 2));
  return new URLSearchParams({ participants: peopleShown(), width: even(width, 3840), height: even(height, 2160) });
}

export async function templates() {
  return (await get("/v1/layouts")).layouts;
}

/** Arranges the chosen view as `make` makes it of the layout's body, at `atMs` of the room's time; says how it ended (`change`). */
export async function arrange(make, { stands, atMs, said }) {
  const path = desk.layoutPath;
  const timed = (body) => (atMs === undefined ? body : { ...body, at_ms: Math.round(atMs) });
  const write = (layout, headers) => send("PUT", path, timed(make(bodyOf(layout))), headers);
  const outcome = await change(path, { stands, write, said });
  if (outcome !== "refused") await attempt(() => desk.refresh());
  return outcome;
}

/** What applying would give; throws the server's refusal. */
export function dryRun(body) {
  return send("PUT", `${desk.layoutPath}&dry_run=true`, body);
}

/** The regions of a template for so many people on a canvas, as the server chooses them. */
export function regionsOf({ arrangements }, people, { width, height }) {
  const way = height > width ? "portrait" : "landscape";
  const ranges = arrangements.map((one) => ({ ...one, ...range(one.people) })).filter(({ orientation }) => !orientation || orientation === way);
  const fitting = ranges.filter(({ from, to }) => from <= people && people <= to);
  const below = ranges.filter(({ from }) => from <= people);
  const distance = ({ to }) => people - Math.min(to, people);
  const among = fitting.length > 0 ? fitting : below.filter((one) => distance(one) === Math.min(...below.map(distance)));
  const chosen = among.find(({ orientation }) => orientation) ?? among[0] ?? ranges.toSorted((a, b) => a.from - b.from)[0];
  return chosen?.regions ?? [];
}

function range(people = "1+") {
  const [, from, to, open] = String(people).match(/^(\d+)(?:-(\d+)|(\+))?$/) ?? [];
  return { from: Number(from), to: open ? Infinity : Number(to ?? from) };
}

/** The request as a command for a shell. */
export function asCurl(method, path, body) {
  const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  const key = accessKey() ? [`-H ${quoted(`Authorization: Bearer ${accessKey()}`)}`] : [];
  const parts = [`curl -X ${method} ${quoted(new URL(path, location.href).href)}`, ...key, "-H 'Content-Type: application/json'", `--data-raw ${quoted(JSON.stringify(body))}`];
  return parts.join(" \\\n  ");
}
