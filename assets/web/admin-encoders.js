// Renditions and encoders at a glance. In: the room's report. Out: a table.

import { by } from "./view.js";
import { element, keyed, write } from "./admin-element.js";
import { desk } from "./admin-desk.js";
import { rate } from "./admin-quality.js";

export function wireEncoders() {
  desk.addEventListener("report", show);
  by("pane-encoders").addEventListener("shown", show);
}

function show() {
  const { report } = desk;
  if (!report || by("pane-encoders").hidden) return;
  const { video_encoders: video, audio_encoders: audio, sessions } = report;
  write(by("encoder-facts"), `${video} video and ${audio} sound encoders at work for ${sessions} sessions.`);
  keyed(by("encoders"), report.renditions, { key: ({ view, name }) => `${view} ${name}`, make, update });
}

function make() {
  return element("tr", {}, element("th", { scope: "row" }), ...Array.from({ length: 5 }, () => element("td")));
}

function update(row, { view, name, width, height, fps, viewers, encoders, bitrate_bps: bitrate, max_bps: most }) {
  const texts = [view, name, `${width}×${height}, ${fps} a second`, viewers, encoders, `${rate(bitrate)} of ${rate(most)}`];
  texts.forEach((text, index) => write(row.cells[index], String(text)));
}
