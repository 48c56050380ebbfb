// How other programs join, with this server's address and a room filled in.

import { accessKey } from "./api.js";

/** Title, hint and text to copy for each way in. */
export function guides(room) {
  const whip = new URL(`/whip/${room}`, location.href).href;
  const whep = new URL(`/whep/${room}`, location.href).href;
  const key = accessKey();
  return [
    ["Browser", "Send this address to whoever is to join:", new URL(`/r/${room}`, location.href).href],
    [
      "OBS Studio",
      "Settings → Stream: service WHIP, this server, and the access key, where there is one, as bearer token. Settings → Output: H.264 with profile baseline, no B-frames, keyframes every 2 s.",
      whip,
    ],
    [
      "GStreamer",
      "Sends a test picture and tone; from version 1.24 with gst-plugins-rs:",
      lines(
        `gst-launch-1.0 whipclientsink name=out signaller::whip-endpoint="${whip}"`,
        ...(key ? [`signaller::auth-token="${key}"`] : []),
        "video-caps=video/x-h264 audio-caps=audio/x-opus",
        "videotestsrc is-live=true ! video/x-raw,width=640,height=360,framerate=30/1 ! queue ! out.",
        "audiotestsrc is-live=true wave=ticks ! queue ! out.",
      ),
    ],
    [
      "GStreamer, to watch",
      "Shows and plays the mix:",
      lines(
        `gst-launch-1.0 whepsrc name=mix whep-endpoint="${whep}"`,
        ...(key ? [`auth-token="${key}"`] : []),
        'video-caps="application/x-rtp,media=video,encoding-name=H264,payload=96,clock-rate=90000"',
        'audio-caps="application/x-rtp,media=audio,encoding-name=OPUS,payload=111,clock-rate=48000"',
        "mix. ! rtph264depay ! decodebin ! videoconvert ! autovideosink",
        "mix. ! rtpopusdepay ! opusdec ! audioconvert ! autoaudiosink",
      ),
    ],
    [
      "ffmpeg",
      "Sends a file again and again; from version 8.0:",
      lines(
        "ffmpeg -re -stream_loop -1 -i FILE",
        "-vf scale=640:360,fps=30 -c:v libx264 -profile:v baseline -tune zerolatency -pix_fmt yuv420p -g 60 -b:v 800k",
        "-c:a libopus -ar 48000 -ac 2 -b:a 48k",
        ...(key ? [`-authorization "${key}"`] : []),
        `-f whip "${whip}"`,
      ),
    ],
  ];
}

function lines(...parts) {
  return parts.join(" \\\n  ");
}
