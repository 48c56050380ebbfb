// The room that is open: its report, twice a second, what happens in it, and the view that is chosen.
// In: a room's name. Out: the events "open", "report", "view", "happened", "close". Never: an element, or a request once it is closed.

import { get } from "./admin-api.js";
import { follow } from "./admin-events.js";

const REFRESH_MS = 500;
const WAIT_MS = 3_000;

class Desk extends EventTarget {
  room;
  report;
  view = "main";
  /** Whether events come. */
  connected = false;
  #ending;

  get path() {
    return `/v1/rooms/${this.room}`;
  }

  get signal() {
    return this.#ending?.signal;
  }

  /** The chosen view as applied; undefined before the first report. */
  get applied() {
    return this.report?.views[this.view];
  }

  get layoutPath() {
    return `${this.path}/layout?view=${this.view}`;
  }

  open(room) {
    this.close();
    this.room = room;
    this.view = "main";
    this.#ending = new AbortController();
    this.#tell("open");
    this.#look(this.signal);
    this.#listen(this.signal);
  }

  close() {
    if (!this.room) return;
    this.#ending.abort();
    this.room = this.report = undefined;
    this.#tell("close");
  }

  choose(view) {
    this.view = view;
    this.#tell("view");
    this.#tell("report");
  }

  /** Looks at the room at once, as after a change. */
  async refresh() {
    const room = this.room;
    const report = await get(this.path);
    if (room !== this.room) return;
    this.report = report;
    if (!report.views[this.view]) this.view = "main";
    this.#tell("report");
  }

  async #look(signal) {
    while (!signal.aborted) {
      let wait = REFRESH_MS;
      try {
        if (!document.hidden) await this.refresh();
      } catch (problem) {
        if (signal.aborted) return;
        wait = WAIT_MS;
        this.dispatchEvent(new CustomEvent("problem", { detail: problem }));
      }
      await new Promise((done) => setTimeout(done, wait));
    }
  }

  async #listen(signal) {
    const happened = (detail) => this.dispatchEvent(new CustomEvent("happened", { detail }));
    const state = (connected) => {
      this.connected = connected;
      this.#tell("report");
    };
    await follow(`${this.path}/events`, { happened, state, signal });
  }

  #tell(what) {
    this.dispatchEvent(new Event(what));
  }
}

export const desk = new Desk();
