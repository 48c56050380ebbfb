// A media playlist (RFC 8216bis), read as far as our own streams go: fMP4 segments and their parts.
// In: text and its address. Out: segments in order, each with its parts. Never: a tag that is not known as an error.

export function readPlaylist(text, address) {
  const lines = text.split(/\r?\n/).filter(Boolean);
  if (lines[0] !== "#EXTM3U") throw new SyntaxError("no playlist");
  const at = (uri) => new URL(uri, address).href;
  const playlist = { target: 2, partTarget: undefined, blocks: false, ended: false, segments: [] };
  let sequence = 0;
  let map;
  let segment;
  const open = () => (segment ??= { sequence: sequence++, url: undefined, map, starts: false, duration: 0, parts: [] });
  const close = (uri) => {
    open().url = at(uri);
    playlist.segments.push(segment);
    segment = undefined;
  };
  const tags = {
    TARGETDURATION: (rest) => (playlist.target = Number(rest)),
    "PART-INF": (rest) => (playlist.partTarget = Number(attributesOf(rest)["PART-TARGET"])),
    "SERVER-CONTROL": (rest) => (playlist.blocks = attributesOf(rest)["CAN-BLOCK-RELOAD"] === "YES"),
    "MEDIA-SEQUENCE": (rest) => (sequence = Number(rest)),
    ENDLIST: () => (playlist.ended = true),
    DISCONTINUITY: () => (open().starts = true),
    MAP: (rest) => {
      map = at(attributesOf(rest).URI);
      if (segment) segment.map = map;
    },
    PART: (rest) => {
      const { URI, DURATION, INDEPENDENT, GAP } = attributesOf(rest);
      open().parts.push({ url: at(URI), duration: Number(DURATION), independent: INDEPENDENT === "YES", isGap: GAP === "YES" });
    },
    EXTINF: (rest) => (open().duration = Number.parseFloat(rest)),
  };
  for (const line of lines) {
    const [tag, rest] = tagOf(line);
    if (tag) tags[tag]?.(rest);
    else if (!line.startsWith("#")) close(line);
  }
  if (segment) playlist.segments.push(segment);
  return playlist;
}

/** A tag without its prefix, and what is behind the colon. */
function tagOf(line) {
  const [, tag, rest] = line.match(/^#(?:EXT-X-)?([A-Z0-9-]+):?(.*)$/) ?? [];
  return [tag, rest];
}

function attributesOf(text) {
  const pairs = text.matchAll(/([A-Z0-9-]+)=("[^"]*"|[^,]*)/g);
  return Object.fromEntries([...pairs].map(([, name, value]) => [name, value.replace(/^"|"$/g, "")]));
}
