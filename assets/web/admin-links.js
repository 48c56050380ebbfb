// The ways to watch the open room, as text to copy. In: the room and the chosen view. Out: addresses. Never: a key in one of them.

import { accessKey } from "./api.js";
import { by } from "./view.js";
import { button, element, keyed, write } from "./admin-element.js";
import { copyText } from "./copy.js";
import { desk } from "./admin-desk.js";

export function wireLinks() {
  for (const what of ["open", "view"]) desk.addEventListener(what, show);
  by("pane-links").addEventListener("shown", show);
}

function show() {
  const { room, view } = desk;
  if (!room) return;
  write(by("links-hint"), accessKey() ? "This server wants a key: players, images and sound take it as ?token=KEY, or &token=KEY, at the address's end." : "");
  keyed(by("links"), links(room, view), { key: ([title]) => title, make, update: (place, link) => place.update(link) });
}

function links(room, view) {
  const of = (path, query = {}) => {
    const url = new URL(path, location.href);
    for (const [name, value] of Object.entries({ ...(view === "main" ? {} : { view }), ...query })) url.searchParams.set(name, value);
    return url.href;
  };
  const sound = new URL(`/v1/rooms/${room}/mix.ogg`, location.href).href;
  const small = of(`/v1/rooms/${room}/mix.mjpeg`, { height: 360, fps: 10 });
  return [
    ["Page to watch", "Chooses by itself: WebRTC, else HLS, else pictures.", of(`/watch/${room}`), true],
    ["The same, to save power", "360p at most, 15 pictures a second.", of(`/watch/${room}`, { low: 1 }), true],
    ["WHEP", "For programs that speak WebRTC.", of(`/whep/${room}`)],
    ["HLS", "For players and televisions, a few seconds late.", of(`/hls/${room}/index.m3u8`)],
    ["Pictures (MJPEG)", "For whatever shows an image.", small, true],
    ["Sound (Ogg/Opus)", "For whatever plays a radio.", sound, true],
    ["A still", "As it is at this moment.", of(`/v1/rooms/${room}/snapshot.jpg`), true],
    ["In a page of yours", "Picture and sound without a script.", `<img src="${small.replaceAll("&", "&amp;")}" alt="${room}">\n<audio src="${sound}" controls></audio>`],
  ];
}

function make([title, , , opens]) {
  const code = element("code");
  const open = element("a", { className: "button", textContent: "Open", target: "_blank", rel: "noopener", "aria-label": `Open: ${title}` });
  const copy = button("Copy", () => copyText(code.textContent, code, copy), { "aria-label": `Copy: ${title}` });
  const hint = element("span", { className: "hint" });
  const head = element("p", {}, element("strong", { textContent: title }), " ", hint);
  const text = element("pre", { tabIndex: 0, "aria-label": title, role: "region" }, code);
  const place = element("li", {}, head, element("div", { className: "snippet" }, text, copy, ...(opens ? [open] : [])));
  place.update = ([, said, address]) => {
    write(hint, said);
    write(code, address);
    open.href = address;
  };
  return place;
}
