// A layout that is being edited: its JSON, the chosen region, undo and redo. Pure but for its "change" event.
// In: edits. Out: the body for PUT …/layout. Never: a request, or an element.

const MOST_STEPS = 200;
const MOST_REGIONS = 64;

function isRegion(value) {
  return value !== null && typeof value === "object";
}

export class Draft extends EventTarget {
  #spec = { regions: [] };
  #chosen = 0;
  #past = [];
  #future = [];
  #run;

  get spec() {
    return this.#spec;
  }

  get regions() {
    const regions = this.#spec?.regions;
    if (!Array.isArray(regions)) return [];
    // While JSON is being typed anything may stand there: it is shown as a region of which nothing is known yet.
    return regions.every(isRegion) ? regions : regions.map((one) => (isRegion(one) ? one : {}));
  }

  get chosen() {
    return Math.min(this.#chosen, this.regions.length - 1);
  }

  get region() {
    return this.regions[this.chosen];
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  get canRedo() {
    return this.#future.length > 0;
  }

  get full() {
    return this.regions.length >= MOST_REGIONS;
  }

  /** Begins anew, without a past. */
  begin(spec) {
    [this.#spec, this.#chosen, this.#past, this.#future] = [spec, 0, [], []];
    this.#changed();
  }

  choose(index) {
    if (index === this.chosen) return;
    this.#chosen = index;
    this.#changed();
  }

  /** Takes another whole body. Edits of one `run` (a drag, a field) are undone at once. */
  replace(spec, run) {
    if (JSON.stringify(spec) === JSON.stringify(this.#spec)) return;
    if (run === undefined || run !== this.#run) this.#past = [...this.#past, this.#spec].slice(-MOST_STEPS);
    this.#run = run;
    this.#future = [];
    this.#spec = spec;
    this.#changed();
  }

  /** Changes the chosen region. */
  edit(region, run) {
    this.#with(this.regions.with(this.chosen, region), run);
  }

  add(region) {
    if (this.full) return;
    this.#chosen = this.regions.length;
    this.#with([...this.regions, { ...region, id: this.#freeName(region.id) }]);
  }

  remove() {
    if (!this.region) return;
    this.#with(this.regions.toSpliced(this.chosen, 1));
  }

  undo() {
    if (!this.canUndo) return;
    this.#future.push(this.#spec);
    this.#restore(this.#past.pop());
  }

  redo() {
    if (!this.canRedo) return;
    this.#past.push(this.#spec);
    this.#restore(this.#future.pop());
  }

  #restore(spec) {
    this.#spec = spec;
    this.#run = undefined;
    this.#changed();
  }

  #with(regions, run) {
    this.replace({ ...(Array.isArray(this.#spec) ? {} : this.#spec), regions }, run);
  }

  #freeName(wanted) {
    const taken = new Set(this.regions.map(({ id }) => id));
    const stem = String(wanted).replace(/-\d+$/, "");
    let name = wanted;
    for (let number = 2; taken.has(name); number += 1) name = `${stem}-${number}`;
    return name;
  }

  #changed() {
    this.dispatchEvent(new Event("change"));
  }
}
