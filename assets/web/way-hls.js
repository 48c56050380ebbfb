// Watching by HLS: plain HTTP, a few seconds late. In: a room. Out: the picture element fed by our player, or by the browser's own
// where there is no MediaSource. Never: a player that does not play and is taken for one that does.

import { Unfit, addressWithKey, ask } from "./api.js";
import { by, start, viewOfPage } from "./view.js";
import { HlsPlayer, playsFragments } from "./hls-player.js";
import { limits } from "./low.js";
import { Playing, meaning } from "./playing.js";

const TYPE = "application/vnd.apple.mpegurl";
/** The server's packager starts with the first request, and the player waits for three segments. */
const STARTING_MS = 20_000;
/** A player that stands still for as long is at its end. */
const STANDING_MS = 10_000;
const AGAIN_MS = 1_000;

export const hls = {
  inWords: "HLS, a few seconds late",
  talks: false,

  /** Why this browser cannot; "" where it can. */
  lacking() {
    return hasOwn() || playsFragments() ? "" : "this browser plays no HLS";
  },

  async open({ room, signal }) {
    const path = `/hls/${room}/index.m3u8`;
    const query = { ...viewOfPage(), ...limits() };
    try {
      await isSeen(signal);
      // A player does not say why it fails: asks first. The answer waits until there is something to play.
      await ask(addressOf(path, query), { cache: "no-store", signal });
      // Ours first: browsers' own players stay three segments behind, ours three parts.
      if (playsFragments()) return await HlsPlayer.open(by("mix"), addressOf(path, query), signal);
      return await byBrowser(addressWithKey(path, query), signal);
    } catch (problem) {
      throw await meaning(problem, "HLS", path, signal);
    }
  },

  close() {
    by("mix").removeAttribute("src");
    by("mix").load();
  },
};

function addressOf(path, query) {
  return `${path}?${new URLSearchParams(query)}`.replace(/\?$/, "");
}

/** Browsers load no media in a tab that nobody has looked at: what does not begin there is no player's fault. */
function isSeen(signal) {
  return new Promise((done) => {
    const look = () => !document.hidden && done();
    document.addEventListener("visibilitychange", look, { signal });
    signal.addEventListener("abort", done, { once: true });
    look();
  });
}

function hasOwn() {
  return by("mix").canPlayType(TYPE) !== "";
}

/** Plays by the browser's own player. */
async function byBrowser(address, signal) {
  const video = by("mix");
  const ending = new AbortController();
  const playing = new Playing(() => {
    ending.abort();
    video.removeAttribute("src");
    video.load();
  });
  const patience = AbortSignal.any([signal, AbortSignal.timeout(STARTING_MS)]);
  let began = false;
  // Chromium's own player gives up on a stream that has just begun, and plays it a moment later.
  while (!began && !patience.aborted) {
    video.src = address;
    start(video);
    began = await begins(video, patience);
    if (!began) await pause(AGAIN_MS);
  }
  if (!began || signal.aborted) {
    playing.close();
    signal.throwIfAborted();
    throw new Unfit(0, "this browser does not play the server's HLS");
  }
  const end = () => playing.end("The stream ended.");
  for (const event of ["ended", "error"]) video.addEventListener(event, end, { once: true, signal: ending.signal });
  watchOver(video, end, ending.signal);
  return playing;
}

/** Whether a picture comes before the player gives up, or we do. */
function begins(video, signal) {
  return new Promise((done) => {
    const ending = new AbortController();
    const settle = (began) => () => {
      ending.abort();
      done(began);
    };
    video.addEventListener("loadeddata", settle(true), { signal: ending.signal });
    video.addEventListener("error", settle(false), { signal: ending.signal });
    signal.addEventListener("abort", settle(false), { signal: ending.signal });
  });
}

function pause(ms) {
  return new Promise((done) => setTimeout(done, ms));
}

function watchOver(video, end, signal) {
  let [last, since] = [video.currentTime, performance.now()];
  const look = () => {
    if (video.paused || video.currentTime !== last) [last, since] = [video.currentTime, performance.now()];
    else if (performance.now() - since > STANDING_MS) end();
  };
  const timer = setInterval(look, 1_000);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}
