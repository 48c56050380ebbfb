// All that a page shows of the talk: tiles that say who they are, people, chat, the own line.

import { by } from "./view.js";
import { Tiles } from "./tiles.js";
import { wirePeople } from "./people.js";
import { wireChat } from "./chat.js";
import { wireQuality } from "./quality.js";

export function wireTalk(talk) {
  wirePeople(talk, new Tiles(talk, by("mix")));
  wireChat(talk);
  wireQuality(talk);
}
