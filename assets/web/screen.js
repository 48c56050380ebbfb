// A shared screen: a session of its own that only sends (RFC 9725). In: a room and a name. Out: that session's end.
// Never: the screen of somebody who did not choose it in the browser's own dialog.

import { Session } from "./session.js";

const LONGEST_NAME = 64;
const PICTURE = { frameRate: { ideal: 15, max: 30 } };

/** Whether this browser can share a screen. */
export function sharesScreens() {
  return Boolean(navigator.mediaDevices?.getDisplayMedia);
}

/**
 * Asks for a screen and sends it until `signal` aborts or the browser's own "stop sharing" is pressed.
 * Resolves once it is sent; `end` is a promise of why it was lost, "" where it was stopped.
 */
export async function shareScreen(room, name, signal) {
  const stream = await navigator.mediaDevices.getDisplayMedia({ video: PICTURE, audio: true });
  const [video] = stream.getVideoTracks();
  const [audio = null] = stream.getAudioTracks();
  // Text is to stay legible: rather fewer pictures than blurred ones.
  if ("contentHint" in video) video.contentHint = "detail";
  const stop = () => stream.getTracks().forEach((track) => track.stop());
  const query = new URLSearchParams({ source: "screen", name: screenName(name) });
  try {
    const session = await Session.open(`/whip/${room}?${query}`, { direction: "sendonly", audio, video, signal, onState: () => {} });
    video.onended = () => session.close();
    signal.addEventListener("abort", () => session.close(), { once: true });
    if (signal.aborted) session.close();
    const end = session.lost.then((reason) => {
      stop();
      session.close();
      return reason;
    });
    return { end };
  } catch (problem) {
    stop();
    throw problem;
  }
}

function screenName(name) {
  const suffix = " (screen)";
  return name ? `${name.slice(0, LONGEST_NAME - suffix.length)}${suffix}` : "Screen";
}
