// How good the own line is, where that costs picture. In: the server's word on what is sent here and why. Out: a sentence, or none.
// Never: a number that changes all the time: a screen reader reads each.

import { by } from "./view.js";
import { write } from "./admin-element.js";

const WHY = {
  line: ({ height }) => `Your line is slow: ${height}p.`,
  loss: ({ height }) => `Your line loses too much: ${height}p.`,
  sound_only: () => "Your line is too slow for a picture: you have sound.",
};

export function wireQuality(talk) {
  const show = (quality) => write(by("quality"), (quality && WHY[quality.why]?.(quality)) ?? "");
  talk.on("quality", show);
  talk.on("ended", () => show());
}
