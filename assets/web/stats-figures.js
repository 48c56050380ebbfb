// Which figures there are of somebody's line, both ways, and how to say them. In: two reports of one person, a second apart.
// Out: numbers and words. Never: a figure that the server does not give; a chart without values is not shown.

import { rate } from "./admin-quality.js";

const number = (digits, unit) => (value) => `${value.toFixed(digits)}${unit}`;
const percent = (value) => `${(value * 100).toFixed(1)} %`;
const ms = number(0, " ms");
const count = number(0, "");

// Who only watches sends nothing.
const audio = ({ received }) => received?.audio;
const video = ({ received }) => received?.video;

/** A total's growth since the report before. */
function growth(of, field) {
  return (person, before) => {
    const [now, then] = [of(person)?.[field], before && of(before)?.[field]];
    return now === undefined || now === null || then === undefined || then === null ? undefined : Math.max(0, now - then);
  };
}

/** The part that one total's growth is of another's; nothing of nothing is nothing. */
function share(of, part, whole) {
  return (person, before) => {
    const [some, all] = [part, whole].map((name) => growth(of, name)(person, before));
    return all === 0 ? 0 : some / all;
  };
}

const field = (of, name) => (person) => of(person)?.[name] ?? undefined;
const sent = ({ sent: line }) => line;

export const FIGURES = [
  { label: "Picture from", readings: [field(video, "bitrate_bps")], words: rate, least: 100_000 },
  { label: "Sound from", readings: [field(audio, "bitrate_bps")], words: rate, least: 50_000 },
  { label: "Loss from, picture / sound", readings: [field(video, "loss"), field(audio, "loss")], words: percent, least: 0.05 },
  { label: "Asked again / came again", readings: [growth(video, "requested"), growth(video, "recovered")], words: number(0, " a second"), least: 10 },
  { label: "Jitter, picture / sound", readings: [field(video, "jitter_ms"), field(audio, "jitter_ms")], words: ms, least: 20 },
  { label: "Buffer, picture / sound", readings: [field(video, "delay_ms"), field(audio, "delay_ms")], words: ms, least: 100 },
  { label: "Sound made up / from FEC", readings: [share(audio, "concealed", "blocks"), share(audio, "recovered", "blocks")], words: percent, least: 0.05 },
  { label: "Stood still", readings: [growth(video, "frozen_ms")], words: ms, least: 200 },
  { label: "Freezes so far", readings: [field(video, "freezes")], words: count, least: 5 },
  { label: "Pictures decoded", readings: [field(video, "fps")], words: number(0, " a second"), least: 30 },
  { label: "Height decoded", readings: [field(video, "height")], words: number(0, "p"), least: 360 },
  { label: "Asked to send at most", readings: [field(video, "asked_bps")], words: rate, least: 100_000 },
  { label: "Picture later than sound", readings: [field(({ received }) => received, "skew_ms")], words: ms, least: 60, signed: true },
  { label: "To, sent / estimate", readings: [field(sent, "bitrate_bps"), field(sent, "estimate_bps")], words: rate, least: 100_000 },
  { label: "Loss to", readings: [field(sent, "loss")], words: percent, least: 0.05 },
  { label: "There and back", readings: [field(sent, "rtt_ms")], words: ms, least: 100 },
  { label: "Waits to be sent", readings: [field(sent, "pacer_ms")], words: ms, least: 20 },
  { label: "Sent again", readings: [growth(sent, "resent")], words: number(0, " a second"), least: 10 },
];

/** What cannot be drawn: which rendition, and why no more. */
export function renditionOf({ sent: line }) {
  if (!line.rendition && !line.why) return "no picture";
  const why = { bounds: "as they asked", line: "their line takes no more", loss: "their line loses too much for more", sound_only: "their line takes sound only" };
  const reason = why[line.why];
  return `${line.view}, ${line.rendition ?? "no picture"}${reason ? ` (${reason})` : ""}`;
}
