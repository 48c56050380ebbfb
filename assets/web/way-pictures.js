// Watching by single pictures and a stream of sound (MJPEG and Ogg): what any browser since long ago shows and plays.
// In: a room. Out: an image and a sound element that are fed. Never: a stream that is gone and still looks alive.

import { addressWithKey, ask } from "./api.js";
import { by, start, viewOfPage } from "./view.js";
import { isLow } from "./low.js";
import { Playing, meaning } from "./playing.js";

const LOOK_MS = 5_000;
const OGG = 'audio/ogg; codecs="opus"';
const FULL = { height: 540, fps: 15 };
const LOW = { height: 360, fps: 15 };

export const pictures = {
  inWords: "single pictures and sound (MJPEG, Ogg), the sound some seconds late",
  talks: false,

  /** An image needs nothing of the browser. */
  lacking() {
    return "";
  },

  async open({ room, signal }) {
    const path = `/v1/rooms/${room}/mix`;
    const query = { ...viewOfPage(), ...(isLow() ? LOW : FULL) };
    try {
      // An image does not say why it fails: asks for its head first.
      await ask(`${path}.mjpeg?${new URLSearchParams(query)}`, { method: "HEAD", cache: "no-store", signal });
    } catch (problem) {
      throw await meaning(problem, "MJPEG", `${path}.mjpeg`, signal);
    }
    return play({ room, picture: addressWithKey(`${path}.mjpeg`, query), sound: addressWithKey(`${path}.ogg`) });
  },

  close() {
    by("pictures").hidden = true;
    by("mix").hidden = false;
    by("notice").textContent = "";
  },
};

function play({ room, picture, sound }) {
  const [image, audio] = [by("pictures"), by("sound")];
  const ending = new AbortController();
  const playing = new Playing(() => {
    ending.abort();
    image.removeAttribute("src");
    audio.removeAttribute("src");
    audio.load();
  });
  const once = { once: true, signal: ending.signal };
  const end = () => playing.end("The stream ended.");
  by("mix").hidden = true;
  image.hidden = false;
  image.addEventListener("error", end, once);
  image.src = picture;
  if (audio.canPlayType(OGG)) playSound(audio, sound, end, once);
  else by("notice").textContent = "This browser plays no Ogg: there is no sound.";
  watchOver(room, end, ending.signal);
  return playing;
}

function playSound(audio, sound, end, once) {
  const begin = () => {
    audio.src = sound;
    start(audio);
  };
  for (const event of ["ended", "error"]) audio.addEventListener(event, end, once);
  // Sound that waited for the click is late by as much: it begins anew.
  by("unmute").addEventListener("click", begin, once);
  begin();
}

/** An image that stands still looks like a room in which nobody moves: asks now and then whether both are there. */
function watchOver(room, end, signal) {
  const timer = setInterval(async () => {
    const gone = await ask(`/v1/rooms/${room}`, { cache: "no-store", signal }).then(() => false, ({ status }) => status === 0 || status === 404);
    if (gone && !signal.aborted) end();
  }, LOOK_MS);
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}
