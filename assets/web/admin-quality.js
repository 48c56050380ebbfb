// How good somebody's line is, in words and numbers. Pure but for its memory of earlier counts.
// In: what a room's report says of them. Out: a sentence. Never: a colour alone.

const REMEMBERED = 10;
const GOOD = { loss: 0.01, rtt: 200 };
const FAIR = { loss: 0.05, rtt: 400 };

export function rate(bps) {
  return bps >= 1_000_000 ? `${(bps / 1_000_000).toFixed(1)} Mb/s` : `${Math.round(bps / 1000)} kb/s`;
}

function percent(part) {
  return `${(part * 100).toFixed(part > 0 && part < 0.1 ? 1 : 0)} %`;
}

/** Packet counts of one person over the last looks. */
export class Line {
  #looks = [];

  /** {grade, text}: grade is "good", "fair", "poor" or "unknown". */
  look({ received, sent }) {
    const up = this.#lossUp(received);
    const { loss: down, rtt_ms: rtt } = sent;
    const grade = gradeOf(Math.max(up ?? 0, down ?? 0), rtt ?? 0, up === undefined && down === null);
    return { grade, text: [`Line ${grade}`, ...numbers(received, sent, up)].join(" · ") };
  }

  #lossUp({ audio, video }) {
    const flows = [audio, video].filter(Boolean);
    if (flows.length === 0) return undefined;
    const sum = (field) => flows.reduce((total, flow) => total + flow[field], 0);
    const now = { packets: sum("packets"), lost: sum("lost") };
    this.#looks = [...this.#looks, now].slice(-REMEMBERED);
    const [first] = this.#looks;
    const [came, lost] = [now.packets - first.packets, Math.max(0, now.lost - first.lost)];
    return came + lost > 0 ? lost / (came + lost) : undefined;
  }
}

function gradeOf(loss, rtt, unknown) {
  if (unknown) return "unknown";
  const within = (bounds) => loss <= bounds.loss && rtt <= bounds.rtt;
  if (within(GOOD)) return "good";
  return within(FAIR) ? "fair" : "poor";
}

function numbers({ audio, video }, sent, up) {
  const came = (audio?.bitrate_bps ?? 0) + (video?.bitrate_bps ?? 0);
  const from = audio || video ? `from them ${rate(came)}${up === undefined ? "" : `, ${percent(up)} lost`}` : "";
  const size = video?.width ? `${video.width}×${video.height}, ${Math.round(video.fps)} a second` : "";
  const lost = sent.loss === null ? "" : `, ${percent(sent.loss)} lost`;
  const to = sent.bitrate_bps || sent.rendition ? `to them ${rate(sent.bitrate_bps)}${lost}${sent.rendition ? ` (${sent.view}, ${sent.rendition})` : ""}` : "";
  const trip = sent.rtt_ms === null ? "" : `${Math.round(sent.rtt_ms)} ms there and back`;
  return [from, size, to, trip].filter(Boolean);
}
