// One WebRTC session with the server: offer, answer, trickled candidates, end. Knows nothing of the page.

import { Problem, ask } from "./api.js";
import { restartIce } from "./restart.js";

const GATHERING_MS = 300;
const CONNECTING_MS = 10_000;
/** How long a lost path is looked for anew; the server forgets a client that is silent for as long. */
const MENDING_MS = 10_000;
const MENDED_MS = 4_000;
const AGAIN_MS = 500;
const FRAGMENT = "application/trickle-ice-sdpfrag";

/** Whether this browser can decode what the server sends. */
export function decodesH264() {
  return codecs().some(isH264);
}

export class Session {
  #pc;
  #url;
  #etag;
  #timers = new Set();
  #settle;
  #mending = false;
  #limit;
  #endTalk = () => {};

  /** The server's picture and sound. */
  mix = new MediaStream();
  /** Why a medium is left out, in the server's words. */
  notice = "";
  /** Resolves with a sentence once the session is gone; with "" where `close` ended it. */
  lost = new Promise((settle) => (this.#settle = settle));

  /**
   * Offers at `endpoint` and waits until media can flow. Sound that is null has no line in the offer.
   * @param {{direction: string, audio?: MediaStreamTrack | null, video?: MediaStreamTrack, layered?: boolean,
   *   talk?: import("./talk.js").Talk, signal: AbortSignal, onState: Function}} wish
   */
  static async open(endpoint, wish) {
    const session = new Session();
    try {
      await session.#negotiate(endpoint, wish);
      await session.#connected(wish.signal);
    } catch (problem) {
      session.close();
      throw problem;
    }
    session.#watch(wish.onState);
    return session;
  }

  /** Sends another track, or nothing, from here on; needs no new offer. */
  async send(kind, track) {
    const transceiver = this.#pc.getTransceivers().find((one) => one.receiver.track.kind === kind);
    await transceiver?.sender.replaceTrack(track ?? null);
    if (kind === "video" && this.#limit) await this.limit(this.#limit);
  }

  /** Sends no more pixels and bits than are of use to anybody; a sender of several layers has the server choose among them instead. */
  async limit(limit) {
    this.#limit = limit;
    const sender = this.#pc.getTransceivers().find(({ receiver }) => receiver.track.kind === "video")?.sender;
    const { width, height } = sender?.track?.getSettings() ?? {};
    const parameters = sender?.getParameters();
    if (!width || !height || parameters.encodings?.length !== 1) return;
    const [encoding] = parameters.encodings;
    encoding.scaleResolutionDownBy = Math.max(1, Math.min(width / limit.width, height / limit.height));
    encoding.maxBitrate = limit.bps;
    await sender.setParameters(parameters);
  }

  /** The server's word that an admin ended the session (410 Gone); undefined where it was lost otherwise. */
  async removal() {
    if (!this.#url) return undefined;
    try {
      await ask(this.#url, { key: false });
    } catch (problem) {
      if (problem.status === 410) return problem;
    }
    return undefined;
  }

  /** Ends the session here and on the server; also while the page is being left. */
  close() {
    this.#timers.forEach(clearTimeout);
    this.#pc?.close();
    this.#endTalk();
    if (this.#url) ask(this.#url, { method: "DELETE", keepalive: true, key: false }).catch(() => {});
    this.#url = undefined;
    this.#settle("");
  }

  async #negotiate(endpoint, { direction, audio, video, layered = true, talk, signal }) {
    const pc = new RTCPeerConnection({ iceServers: await iceServers(endpoint, signal), bundlePolicy: "max-bundle" });
    this.#pc = pc;
    pc.ontrack = ({ track, receiver }) => {
      // Everything was mixed a moment ago and the server keeps picture and sound together: play without an extra wait.
      if ("jitterBufferTarget" in receiver) receiver.jitterBufferTarget = 0;
      this.mix.addTrack(track);
    };
    if (audio !== null) pc.addTransceiver(audio ?? "audio", { direction });
    const sendEncodings = direction === "recvonly" || !layered ? [] : layers(video);
    preferH264(pc.addTransceiver(video ?? "video", { direction, sendEncodings }));
    if (talk) this.#endTalk = talk.attach(pc);
    await pc.setLocalDescription();
    await this.#gathered();
    const offered = pc.localDescription.sdp;
    const late = [];
    pc.onicecandidate = ({ candidate }) => candidate?.candidate && late.push(candidate) === 1 && this.#trickle(late, offered);
    const response = await ask(endpoint, { method: "POST", headers: { "Content-Type": "application/sdp" }, body: offered });
    this.#url = response.headers.get("Location");
    this.#etag = response.headers.get("ETag");
    this.notice = response.headers.get("Medley-Notice") ?? "";
    // Not earlier: a request that is given up half-way may leave a session that nobody ends.
    signal.throwIfAborted();
    await pc.setRemoteDescription({ type: "answer", sdp: await response.text() });
    if (late.length > 0) this.#trickle(late, offered);
  }

  /** Waits until all candidates are there, but not long: the server takes late ones. */
  #gathered() {
    return new Promise((done) => {
      const check = () => this.#pc.iceGatheringState === "complete" && done();
      this.#pc.onicegatheringstatechange = check;
      this.#after(GATHERING_MS, done);
      check();
    });
  }

  /** Sends the candidates that came after the offer (RFC 8840), all that have come so far in one request. */
  async #trickle(late, offered) {
    await Promise.resolve();
    if (!this.#url || late.length === 0) return;
    const line = (name) => offered.match(new RegExp(`^a=${name}:.*$`, "m"))?.[0];
    const media = offered.match(/^m=.*$/m)[0];
    const candidates = late.splice(0).map((candidate) => `a=${candidate.candidate}`);
    const fragment = [line("ice-ufrag"), line("ice-pwd"), media, line("mid"), ...candidates, ""].join("\r\n");
    // The server answers checks from addresses it was not told of, too: a lost candidate costs nothing.
    await this.#patch(fragment, this.#etag).catch(() => {});
  }

  #patch(fragment, etag) {
    const headers = { "Content-Type": FRAGMENT, "If-Match": etag };
    return ask(this.#url, { method: "PATCH", headers, body: fragment, key: false });
  }

  #connected(signal) {
    return new Promise((done, fail) => {
      const check = () => {
        const state = this.#pc.connectionState;
        if (state === "connected") done();
        if (state === "failed" || state === "closed") fail(unreachable());
      };
      this.#pc.onconnectionstatechange = check;
      signal?.addEventListener("abort", () => fail(signal.reason), { once: true });
      this.#after(CONNECTING_MS, () => fail(unreachable()));
      check();
    });
  }

  /** Says when the connection is interrupted or back, and mends it; gives it up when it stays away. */
  #watch(onState) {
    const check = () => {
      const state = this.#pc.connectionState;
      onState(state);
      if (state === "disconnected" || state === "failed") this.#mend();
    };
    this.#pc.onconnectionstatechange = check;
    this.#watchNetwork();
    // A server that ends the session says so in DTLS; the connection's own state would show it only seconds later.
    const transport = this.#pc.getReceivers()[0]?.transport;
    transport?.addEventListener("statechange", () => transport.state === "closed" && this.#settle("The server ended the connection."));
    check();
  }

  /** Another network has other addresses: the path is looked for anew before it is missed. */
  #watchNetwork() {
    const ending = new AbortController();
    const { signal } = ending;
    this.lost.then(() => ending.abort());
    addEventListener("online", () => this.#mend(), { signal });
    const { connection } = navigator;
    let type = connection?.type;
    // It changes with each guess of the browser's at the line's speed, too.
    const changed = () => connection.type !== type && ((type = connection.type), type !== "none") && this.#mend();
    connection?.addEventListener?.("change", changed, { signal });
  }

  /** Restarts ICE until there is a path again; one at a time. */
  async #mend() {
    if (this.#mending || !this.#url) return;
    this.#mending = true;
    const end = Date.now() + MENDING_MS;
    while (this.#url && !(await this.#mendOnce()) && this.#url) {
      if (Date.now() > end) this.#settle("The connection was lost.");
      await this.#pause(AGAIN_MS);
    }
    this.#mending = false;
  }

  /** Whether there is nothing more to do: there is a path, or the server knows this session no more. */
  async #mendOnce() {
    this.#pc.onicecandidate = null;
    try {
      await restartIce(this.#pc, async (fragment) => {
        // Whichever ICE session is the server's current one (RFC 9725 §4.3.3)
        const response = await this.#patch(fragment, '"*"');
        this.#etag = response.headers.get("ETag") ?? this.#etag;
        return response.text();
      });
    } catch (problem) {
      if (!(problem instanceof Problem) || problem.passing) return false;
      this.#settle("The connection was lost.");
      return true;
    }
    for (const end = Date.now() + MENDED_MS; this.#url && Date.now() < end; await this.#pause(100)) {
      if (this.#pc.connectionState === "connected" && ["connected", "completed"].includes(this.#pc.iceConnectionState)) return true;
    }
    return false;
  }

  #pause(ms) {
    return new Promise((done) => setTimeout(done, ms));
  }

  #after(ms, act) {
    const timer = setTimeout(act, ms);
    this.#timers.add(timer);
    return timer;
  }
}

/** The server takes the session, but no media come through. */
export class Blocked extends Problem {}

function unreachable() {
  return new Blocked(0, "The server answers, but picture and sound do not get through: its UDP port seems to be blocked.");
}

function codecs() {
  return globalThis.RTCRtpReceiver?.getCapabilities?.("video")?.codecs ?? [];
}

function isH264({ mimeType }) {
  return mimeType.toLowerCase() === "video/h264";
}

/** Simulcast: the server takes the layer that fits this person's tile. A camera of few pixels has no use for a third. */
function layers(track) {
  const high = { rid: "h", scaleResolutionDownBy: 1, maxBitrate: 1_800_000 };
  const middle = { rid: "m", scaleResolutionDownBy: 2, maxBitrate: 500_000 };
  const low = { rid: "l", scaleResolutionDownBy: 4, maxBitrate: 150_000 };
  const { height = 720 } = track?.getSettings() ?? {};
  return height >= 540 ? [low, middle, high] : [middle, high];
}

function preferH264(transceiver) {
  const [first, rest] = [codecs().filter(isH264), codecs().filter((codec) => !isH264(codec))];
  if (first.length > 0) transceiver.setCodecPreferences?.([...first, ...rest]);
}

/** The STUN and TURN servers that the endpoint names in its Link headers (RFC 9725 §4.6). */
async function iceServers(endpoint, signal) {
  const response = await ask(endpoint, { method: "OPTIONS", signal });
  const links = (response.headers.get("Link") ?? "").matchAll(/<([^>]+)>([^<]*)/g);
  return [...links].filter(([, , rest]) => rest.includes('rel="ice-server"')).map(([, urls, rest]) => {
    const parameter = (name) => rest.match(new RegExp(`${name}="([^"]*)"`))?.[1];
    return { urls, username: parameter("username"), credential: parameter("credential") };
  });
}
