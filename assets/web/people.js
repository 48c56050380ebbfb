// The people of the room, as a list: each name is a button that says who it is and marks their tile.
// In: the roster, who speaks, who is in the picture. Out: the list. Never: a change of an element that stays the same.

import { by } from "./view.js";
import { element, keyed, write } from "./admin-element.js";
import { marksOf } from "./tiles.js";

export function wirePeople(talk, tiles) {
  const show = () => showPeople(talk, tiles);
  for (const type of ["roster", "speaker", "map", "chosen", "ended"]) talk.on(type, show);
  show();
}

function showPeople(talk, tiles) {
  const { people = [], more = 0 } = talk.newest.roster ?? {};
  write(by("people-title"), people.length > 0 ? `People (${people.length + more})` : "People");
  by("no-people").hidden = people.length > 0;
  const seen = tiles.people;
  keyed(by("people"), people, {
    key: ({ id }) => id,
    make: ({ id }) => made(id, tiles),
    update: (item, person) => item.update(person, [...marksOf(person, talk), ...(seen.has(person.id) ? [] : ["not in the picture"])]),
  });
}

function made(id, tiles) {
  const name = element("button", { type: "button", onclick: () => tiles.choose(id) });
  const marks = element("span", { className: "hint" });
  const item = element("li", {}, name, " ", marks);
  item.update = (person, words) => {
    write(name, person.name);
    name.setAttribute("aria-pressed", String(tiles.chosen === id));
    write(marks, words.join(", "));
  };
  return item;
}
