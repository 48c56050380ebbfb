// Who is where in the picture: a click on a tile says who it is, and a list of people says the same to whoever has no mouse.
// In: maps, the roster, who speaks. Out: a sentence about one person, and a mark on their tile. Never: a map before its picture.

import { by } from "./view.js";
import { write } from "./admin-element.js";

const MAPS = 50;
/** A map waits no longer for its picture: a page that nobody looks at is shown none. */
const LONGEST_WAIT_MS = 1_000;

export class Tiles {
  #talk;
  #video;
  #map;
  #waiting = [];
  #chosen;

  constructor(talk, video) {
    this.#talk = talk;
    this.#video = video;
    talk.on("tiles", (map) => this.#take(map));
    for (const type of ["roster", "speaker"]) talk.on(type, () => this.#show());
    talk.on("ended", () => this.#forget());
    video.addEventListener("click", (event) => this.choose(this.#at(event)));
    new ResizeObserver(() => this.#show()).observe(video);
    this.#follow();
  }

  /** People in the picture, by id. */
  get people() {
    return new Set(this.#map?.cells.map(({ participant }) => participant));
  }

  get chosen() {
    return this.#chosen;
  }

  /** Says who somebody is and marks their tile; nobody, where they were chosen already. */
  choose(participant) {
    this.#chosen = participant === this.#chosen ? undefined : participant;
    this.#show();
    this.#talk.dispatchEvent(new CustomEvent("chosen", { detail: this.#chosen }));
  }

  #take(map) {
    this.#waiting = [...this.#waiting, map].slice(-MAPS);
    // Without frames that say when they are from, at once.
    if (!this.#map || !this.#video.requestVideoFrameCallback || !Number.isInteger(this.#offset)) this.#apply(() => true);
    else setTimeout(() => this.#apply((one) => this.#waiting.indexOf(one) <= this.#waiting.indexOf(map)), LONGEST_WAIT_MS);
  }

  get #offset() {
    return this.#talk.newest.hello?.timestamp_offset;
  }

  /** Brings out each map with the first picture that it holds for. */
  #follow() {
    this.#video.requestVideoFrameCallback?.((_, { rtpTimestamp }) => {
      const isDue = ({ timestamp }) => rtpTimestamp === undefined || ((rtpTimestamp - this.#offset - timestamp) | 0) >= 0;
      this.#apply(isDue);
      this.#follow();
    });
  }

  #apply(isDue) {
    const due = this.#waiting.filter(isDue);
    if (due.length === 0) return;
    this.#waiting = this.#waiting.filter((map) => !due.includes(map));
    this.#map = due.at(-1);
    this.#show();
    this.#talk.dispatchEvent(new CustomEvent("map", { detail: this.#map }));
  }

  #forget() {
    this.#map = undefined;
    this.#waiting = [];
    this.#chosen = undefined;
    this.#show();
  }

  /** The picture's place in the element, which shows it whole. */
  #picture() {
    const { clientWidth, clientHeight, videoWidth, videoHeight, offsetLeft, offsetTop } = this.#video;
    const scale = Math.min(clientWidth / videoWidth, clientHeight / videoHeight);
    const [width, height] = [videoWidth * scale, videoHeight * scale];
    return { left: offsetLeft + (clientWidth - width) / 2, top: offsetTop + (clientHeight - height) / 2, width, height };
  }

  /** Whose tile was hit: the uppermost one. */
  #at({ offsetX, offsetY }) {
    if (!this.#map || !this.#video.videoWidth) return undefined;
    const { left, top, width, height } = this.#picture();
    const x = ((offsetX + this.#video.offsetLeft - left) / width) * this.#map.width;
    const y = ((offsetY + this.#video.offsetTop - top) / height) * this.#map.height;
    const hit = (cell) => x >= cell.x && x < cell.x + cell.width && y >= cell.y && y < cell.y + cell.height;
    return this.#map.cells.findLast(hit)?.participant;
  }

  #show() {
    const cell = this.#map?.cells.find(({ participant }) => participant === this.#chosen);
    write(by("who"), this.#chosen ? this.#inWords(cell) : "");
    const mark = by("tile-mark");
    mark.hidden = !cell || !this.#video.videoWidth;
    if (mark.hidden) return;
    const { left, top, width, height } = this.#picture();
    const [across, down] = [width / this.#map.width, height / this.#map.height];
    mark.style.left = `${left + cell.x * across}px`;
    mark.style.top = `${top + cell.y * down}px`;
    mark.style.width = `${cell.width * across}px`;
    mark.style.height = `${cell.height * down}px`;
  }

  #inWords(cell) {
    const person = this.#talk.newest.roster?.people.find(({ id }) => id === this.#chosen);
    const name = person?.name ?? cell?.name;
    if (!name) return "";
    return [name, ...marksOf(person, this.#talk), cell ? "" : "not in the picture"].filter(Boolean).join(", ");
  }
}

/** What there is to say of somebody besides their name. */
export function marksOf(person, talk) {
  if (!person) return [];
  const { hello, speaker } = talk.newest;
  const all = [
    [person.id === hello?.participant, "you"],
    [person.role, person.role],
    [person.source === "screen", "screen"],
    [speaker?.speaking.includes(person.id), "speaking"],
    [person.muted, "muted"],
    [person.hidden, "hidden"],
    [!person.picture, "no picture"],
  ];
  return all.filter(([holds]) => holds).map(([, text]) => text);
}
