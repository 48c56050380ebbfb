// Camera and microphone: choice, tracks, level, and what goes wrong with them in words.

import { isLow } from "./low.js";

// A tile of a four-person mix is 640×360: a larger picture would cost both ends for nothing.
const PICTURE = { width: { ideal: 640 }, height: { ideal: 360 }, frameRate: { ideal: 30, max: 30 } };
const LOW = { ...PICTURE, width: { ideal: 640, max: 640 }, height: { ideal: 360, max: 360 }, frameRate: { ideal: 15, max: 15 } };
const SOUND = { echoCancellation: true, noiseSuppression: true, autoGainControl: true };

/** Why there can be no device at all, in words; "" where there can. */
export function whyNoDevices() {
  if (navigator.mediaDevices?.getUserMedia) return "";
  return isSecureContext
    ? "This browser gives pages no camera or microphone. You can join to watch and listen."
    : "Browsers give camera and microphone only to pages over HTTPS or on localhost. Open this page by https://, or join to watch and listen.";
}

/** Opens one device; `id` "" is the browser's choice. */
export async function openDevice(kind, id) {
  const device = id ? { deviceId: { exact: id } } : {};
  const wanted = kind === "video" ? { video: { ...(isLow() ? LOW : PICTURE), ...device } } : { audio: { ...SOUND, ...device } };
  const stream = await navigator.mediaDevices.getUserMedia(wanted);
  const [track] = stream.getTracks();
  if (kind === "video" && "contentHint" in track) track.contentHint = "motion";
  return track;
}

/** What `getUserMedia` failed with, in words. */
export function inWords(kind, error) {
  const device = kind === "video" ? "camera" : "microphone";
  switch (error.name) {
    case "NotAllowedError":
    case "SecurityError":
      return `The ${device} is not allowed here. Allow it in the browser's address bar, then choose it again.`;
    case "NotFoundError":
      return `No ${device} was found. Plug one in, or go on without.`;
    case "NotReadableError":
    case "AbortError":
      return `The ${device} is in use by another program. Close that one, then choose the ${device} again.`;
    case "OverconstrainedError":
      return `The chosen ${device} is gone. Choose another one.`;
    default:
      return `The ${device} did not start (${error.name}).`;
  }
}

/** Fills a select with the devices of a kind and "none", keeping the choice. */
export async function listDevices(kind, select) {
  const devices = (await navigator.mediaDevices?.enumerateDevices?.()) ?? [];
  const found = devices.filter((device) => device.kind === `${kind}input`);
  const kept = select.value;
  const name = kind === "video" ? "Camera" : "Microphone";
  const option = (text, value) => new Option(text, value, false, value === kept);
  const listed = found.map((device, index) => option(device.label || `${name} ${index + 1}`, device.deviceId));
  select.replaceChildren(...listed, option(kind === "video" ? "No camera" : "No microphone", "none"));
}

/** Shows how loud a track is on meters of 0 to 1, until `signal` aborts. */
export function showLevel(track, meters, signal) {
  const show = (level) => meters.forEach((meter) => (meter.value = level));
  const context = new AudioContext();
  // Browsers let a page measure sound only after the first touch of it.
  for (const touch of ["pointerdown", "keydown"]) addEventListener(touch, () => context.resume(), { once: true, signal });
  const analyser = context.createAnalyser();
  analyser.fftSize = 1024;
  context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  const samples = new Float32Array(analyser.fftSize);
  const draw = () => {
    if (signal.aborted) return;
    analyser.getFloatTimeDomainData(samples);
    const rms = Math.hypot(...samples) / Math.sqrt(samples.length);
    // −60 dB to 0 dB fill the meter: loudness is heard by ratios.
    show(Math.max(0, 1 + Math.log10(rms + 1e-9) / 3));
    requestAnimationFrame(draw);
  };
  draw();
  signal.addEventListener("abort", () => {
    show(0);
    context.close();
  }, { once: true });
}
