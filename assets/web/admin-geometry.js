// Regions moved and resized, with snapping. Pure: regions and distances in, regions out.
// Never: a region off the canvas, or smaller than a fiftieth of it.

import { Fraction, ONE, ZERO } from "./admin-fraction.js";

const AXES = { x: ["left", "width"], y: ["top", "height"] };
const SMALLEST = new Fraction(1, 50);
const STEPS = 48;
const PARTS = [ZERO, [1, 4], [1, 3], [1, 2], [2, 3], [3, 4], ONE].map((part) => (Array.isArray(part) ? new Fraction(...part) : part));

/** Where a region begins and ends on an axis. */
export function span(region, axis) {
  const [from, size] = AXES[axis].map((field) => Fraction.read(region[field]) ?? ZERO);
  return [from, from.plus(size)];
}

/** What edges snap to on an axis: the canvas's edges, halves, thirds and quarters, and the other regions' edges. */
export function lines(regions, chosen, axis) {
  return [...PARTS, ...regions.filter((_, index) => index !== chosen).flatMap((region) => span(region, axis))];
}

/** Moved by a distance on an axis. `snapping` is {lines, reach}, or nothing. */
export function moved(region, axis, by, snapping) {
  const [from, to] = span(region, axis);
  const size = to.minus(from);
  const last = ONE.minus(size);
  const wanted = clamp(from.value + by, 0, last.value);
  const starts = snapping ? snapping.lines.flatMap((line) => [line, line.minus(size)]).filter((start) => start.value >= 0 && start.value <= last.value) : [];
  const start = nearest(starts, wanted, snapping?.reach) ?? least(Fraction.near(wanted), last);
  return placed(region, axis, [start, start.plus(size)]);
}

/** With one end on an axis ("from" or "to") moved by a distance. */
export function resized(region, axis, end, by, snapping) {
  const [from, to] = span(region, axis);
  const [low, high] = end === "from" ? [ZERO, to.minus(SMALLEST)] : [from.plus(SMALLEST), ONE];
  const wanted = clamp((end === "from" ? from : to).value + by, low.value, high.value);
  const within = (snapping?.lines ?? []).filter((line) => line.value >= low.value && line.value <= high.value);
  const edge = nearest(within, wanted, snapping?.reach) ?? least(Fraction.near(wanted), high);
  return placed(region, axis, end === "from" ? [edge, to] : [from, edge]);
}

/** Moved, or with its far end moved, to the next 48th that way: halves, thirds, quarters and sixths are among them. */
export function stepped(region, axis, way, what) {
  const [from, to] = span(region, axis);
  const size = to.minus(from);
  if (what === "size") {
    const edge = next(to, way);
    return edge.value - from.value < SMALLEST.value ? region : placed(region, axis, [from, least(edge, ONE)]);
  }
  const start = least(next(from, way), ONE.minus(size));
  return placed(region, axis, [start, start.plus(size)]);
}

/** The lines that a region's edges lie on exactly. */
export function touched(region, axis, among) {
  const ends = span(region, axis).map(({ value }) => value);
  return among.filter(({ value }) => ends.includes(value));
}

function placed(region, axis, [from, to]) {
  const [start, size] = AXES[axis];
  return { ...region, [start]: from.toJSON(), [size]: to.minus(from).toJSON() };
}

function next({ numerator, denominator }, way) {
  const steps = (numerator * STEPS) / denominator;
  const step = way > 0 ? Math.floor(steps + 1e-9) + 1 : Math.ceil(steps - 1e-9) - 1;
  return new Fraction(clamp(step, 0, STEPS), STEPS);
}

function nearest(candidates, wanted, reach) {
  const distance = ({ value }) => Math.abs(value - wanted);
  const [best] = candidates.filter((one) => distance(one) <= reach).sort((a, b) => distance(a) - distance(b));
  return best;
}

function least(a, b) {
  return a.value <= b.value ? a : b;
}

function clamp(number, low, high) {
  return Math.min(Math.max(number, low), high);
}
