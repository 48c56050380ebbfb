// Runs in each tab before the page's own code: a camera of one colour with a moving bar and a microphone of one tone in
// place of the machine's, and a judge of what the page shows and plays. The page itself is left as it is.
((color, tone) => {
  const sessions = [];
  const Connection = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Connection {
    constructor(...settings) {
      super(...settings);
      sessions.push(this);
    }
  };

  let session;
  const request = fetch;
  globalThis.fetch = async (...asked) => {
    const response = await request(...asked);
    if (response.status === 201) session = response.headers.get("Location");
    return response;
  };

  const camera = (color, bar) => {
    const canvas = document.createElement("canvas");
    canvas.width = 640;
    canvas.height = 360;
    const paint = canvas.getContext("2d");
    let step = 0;
    setInterval(() => {
      paint.fillStyle = `rgb(${color})`;
      paint.fillRect(0, 0, 640, 360);
      paint.fillStyle = bar;
      paint.fillRect((step += 8) % 640, 0, 60, 360);
    }, 33);
    return canvas.captureStream(30).getVideoTracks()[0];
  };

  const microphone = () => {
    const context = new AudioContext();
    const [oscillator, gain, out] = [context.createOscillator(), context.createGain(), context.createMediaStreamDestination()];
    oscillator.frequency.value = tone;
    gain.gain.value = 0.25;
    oscillator.connect(gain).connect(out);
    oscillator.start();
    return out.stream.getAudioTracks()[0];
  };

  navigator.mediaDevices.getUserMedia = async ({ audio, video }) =>
    new MediaStream([...(audio ? [microphone()] : []), ...(video ? [camera(color, "white")] : [])]);
  // A screen is green, whoever shares it.
  navigator.mediaDevices.getDisplayMedia = async () => new MediaStream([camera([120, 170, 20], "black")]);
  navigator.mediaDevices.enumerateDevices = async () => [
    { kind: "videoinput", deviceId: "v", label: "Coloured camera" },
    { kind: "audioinput", deviceId: "a", label: "Toned microphone" },
  ];

  const look = new OffscreenCanvas(160, 90).getContext("2d", { willReadFrequently: true });
  const mix = () => document.getElementById("mix");
  /** What shows the mix: the picture element, or an image where there is no way for that. */
  const screen = () => [document.getElementById("pictures"), mix()].find((one) => one && !one.hidden);
  const isShown = (one) => (one instanceof HTMLImageElement ? one.naturalWidth > 0 : one.readyState >= 2);

  /** Where the mix has the colour: one byte a pixel of 160×90. */
  const mask = ([r, g, b]) => {
    if (!isShown(screen())) return new Uint8Array(160 * 90);
    look.drawImage(screen(), 0, 0, 160, 90);
    const { data } = look.getImageData(0, 0, 160, 90);
    const near = (at) => Math.abs(data[at] - r) + Math.abs(data[at + 1] - g) + Math.abs(data[at + 2] - b) < 90;
    return Uint8Array.from({ length: 160 * 90 }, (_, pixel) => (near(pixel * 4) ? 1 : 0));
  };
  const count = (pixels) => pixels.reduce((sum, pixel) => sum + pixel, 0);

  let analyser;
  /** The sound of the mix: a session's, or that of the element which plays it. */
  const sound = (context) => {
    if (mix().srcObject) return context.createMediaStreamSource(mix().srcObject);
    return context.createMediaElementSource(screen() === mix() ? mix() : document.getElementById("sound"));
  };
  /** The level of a tone in the mix, in dB. */
  const level = (frequency) => {
    if (screen() === mix() && mix().srcObject && !mix().srcObject.getAudioTracks().length) return -200;
    if (!isShown(screen())) return -200;
    if (!analyser) {
      const context = new AudioContext();
      analyser = new AnalyserNode(context, { fftSize: 8192, smoothingTimeConstant: 0, minDecibels: -150 });
      sound(context).connect(analyser);
    }
    const bins = new Float32Array(analyser.frequencyBinCount);
    analyser.getFloatFrequencyData(bins);
    const bin = Math.round((frequency * analyser.fftSize) / analyser.context.sampleRate);
    return Math.max(-200, ...bins.slice(bin - 2, bin + 3));
  };

  /** Looks until `holds` does; fails with what was seen last. */
  const until = (what, holds, ms = 20_000) =>
    new Promise((done, fail) => {
      const end = performance.now() + ms;
      const check = setInterval(() => {
        const [held, seen] = holds();
        if (!held && performance.now() < end) return;
        clearInterval(check);
        if (held) done(seen);
        else fail(new Error(`${what}: ${JSON.stringify(seen)}; status: ${document.getElementById("status").textContent}; warning: ${document.getElementById("warning").textContent}`));
      }, 100);
    });

  globalThis.judge = {
    /** The colour fills at least a twelfth of the mix. */
    sees: (color) => until(`no ${color}`, () => {
      const pixels = count(mask(color));
      return [pixels > 1200, pixels];
    }),
    /** The colour is nowhere. */
    misses: (color) => until(`still ${color}`, () => {
      const pixels = count(mask(color));
      return [pixels < 50, pixels];
    }),
    /** The bar that crosses the colour is seen in ten places. */
    moves: (color) => {
      const places = new Set();
      return until(`${color} stands still`, () => {
        const columns = new Uint16Array(160);
        mask(color).forEach((pixel, at) => (columns[at % 160] += pixel));
        places.add(columns.join());
        return [places.size >= 10, places.size];
      });
    },
    /** The tone is not in the mix. */
    silence: (frequency) =>
      until(`still ${frequency} Hz`, () => {
        const heard = level(frequency);
        return [heard < -100, heard];
      }),
    /** How far the own tone lies below the other's, in dB: the smallest distance in ten looks that heard the other. */
    separation: async (other, own) => {
      const distances = [];
      await until(`no tone of ${other} Hz`, () => {
        const heard = level(other);
        if (heard > -60) distances.push(heard - level(own));
        return [distances.length >= 20, [heard, distances.length]];
      });
      // The first looks may fall into the moment in which the tone began.
      return Math.min(...distances.slice(10));
    },
    /** Freezes and decoded frames so far, as the browser counts them. */
    flow: async () => {
      const stats = [...(await sessions.at(-1).getStats()).values()];
      const { freezeCount, framesDecoded } = stats.find(({ type, kind }) => type === "inbound-rtp" && kind === "video");
      return { freezeCount, framesDecoded };
    },
    /** What each layer of the picture is sent with. */
    layers: async () => {
      const stats = [...(await sessions.at(-1).getStats()).values()];
      return stats.filter(({ type, kind }) => type === "outbound-rtp" && kind === "video");
    },
    /** How losses are mended both ways, as the browser counts them. */
    line: async () => {
      const stats = [...(await sessions.at(-1).getStats()).values()];
      const of = (wanted) => (stat) => Object.entries(wanted).every(([key, value]) => stat[key] === value);
      const total = (wanted, keys) => {
        const sum = (key) => stats.filter(of(wanted)).reduce((all, stat) => all + (stat[key] ?? 0), 0);
        return Object.fromEntries(keys.map((key) => [key, sum(key)]));
      };
      const sent = { type: "outbound-rtp", kind: "video" };
      const sound = stats.find(of({ type: "outbound-rtp", kind: "audio" }));
      const path = stats.find(({ type, nominated, state }) => type === "candidate-pair" && nominated && state === "succeeded");
      return {
        sent: { ...total(sent, ["packetsSent", "nackCount", "retransmittedPacketsSent"]), rtx: stats.some((stat) => of(sent)(stat) && stat.rtxSsrc) },
        received: total({ type: "inbound-rtp", kind: "video" }, ["packetsReceived", "packetsLost", "nackCount", "retransmittedPacketsReceived"]),
        // Bytes of a packet, against those of 20 ms at the encoder's bitrate.
        sound: sound && sound.bytesSent / sound.packetsSent / (sound.targetBitrate / 8 / 50),
        path: { availableOutgoingBitrate: path?.availableOutgoingBitrate, currentRoundTripTime: path?.currentRoundTripTime },
        twcc: sessions.at(-1).remoteDescription.sdp.match(/transport-cc$/gm)?.length ?? 0,
      };
    },
    sends: () => sessions.at(-1)?.getSenders().map((sender) => sender.track?.kind ?? "nothing"),
    session: () => session,
    connection: () => sessions.at(-1),
    states: () => sessions.map((session) => session.connectionState),
  };
})
