// A figure over time as a small drawing: one or two lines in a box of their own scale.
// In: a value a second, undefined where there was none. Out: an SVG path. Never: more than two minutes, or the only way to read it.

import { element, write } from "./admin-element.js";

const SVG = "http://www.w3.org/2000/svg";
const SECONDS = 120;
const [WIDTH, HEIGHT] = [SECONDS, 40];

export class Chart {
  #figure;
  #values = [];
  #paths;
  #value = element("span", { className: "value" });

  /** The figure's own words: a label, a unit's words, up to two readings. */
  constructor(figure) {
    this.#figure = figure;
    this.#paths = figure.readings.map((_, n) => drawn("path", n > 0 ? { class: "second" } : {}));
    const drawing = drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" });
    drawing.append(...this.#paths);
    const caption = element("figcaption", {}, element("span", { textContent: figure.label }), this.#value);
    this.place = element("figure", { className: "chart" }, caption, drawing);
  }

  /** Takes the values of one second. */
  add(person, before) {
    const values = this.#figure.readings.map((read) => finite(read(person, before)));
    this.#values = [...this.#values, values].slice(-SECONDS);
    const scale = Math.max(this.#figure.least ?? 0, ...this.#values.flat().filter((value) => value !== undefined).map(Math.abs)) || 1;
    this.#paths.forEach((path, n) => path.setAttribute("d", this.#line(n, scale)));
    write(this.#value, this.words(values));
    this.place.hidden = this.#values.every((all) => all.every((value) => value === undefined));
  }

  /** The newest values, the least and the most of the first one. */
  get row() {
    const first = this.#values.map(([value]) => value).filter((value) => value !== undefined);
    if (first.length === 0) return undefined;
    const one = (value) => this.#figure.words(value);
    return [this.#figure.label, this.words(this.#values.at(-1)), one(Math.min(...first)), one(Math.max(...first))];
  }

  words(values) {
    return values.map((value) => (value === undefined ? "–" : this.#figure.words(value))).join(" / ");
  }

  /** Broken where there was no value. Figures that may be below nothing have their nought in the middle. */
  #line(n, scale) {
    const floor = this.#figure.signed ? HEIGHT / 2 : HEIGHT;
    const start = SECONDS - this.#values.length;
    let pen = "M";
    const steps = this.#values.map((all, at) => {
      if (all[n] === undefined) return (pen = "M"), "";
      const y = floor - (all[n] / scale) * (floor - 2);
      const step = `${pen}${start + at} ${y.toFixed(1)}`;
      pen = "L";
      return step;
    });
    return steps.join("");
  }
}

function finite(value) {
  return Number.isFinite(value) ? value : undefined;
}

function drawn(name, attributes) {
  const made = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) made.setAttribute(attribute, value);
  return made;
}
