// What people write to each other. In: what was said, and a line of one's own. Out: a list that is read aloud as it grows, of bounded
// length. Never: text taken as markup.

import { by } from "./view.js";
import { element, write } from "./admin-element.js";

const KEPT = 200;

export function wireChat(talk) {
  talk.on("chat", (said) => add(talk, said));
  talk.on("error", ({ message }) => write(by("chat-fault"), message));
  for (const type of ["open", "ended"]) talk.on(type, () => showState(talk));
  by("chat-form").onsubmit = (event) => {
    event.preventDefault();
    say(talk);
  };
  showState(talk);
}

function showState(talk) {
  by("chat-send").disabled = !talk.isOpen;
}

function say(talk) {
  const field = by("chat-text");
  const text = field.value.trim();
  if (!text) return;
  write(by("chat-fault"), "");
  if (talk.say(text)) field.value = "";
}

function add(talk, { name, viewer, from, text, at_ms: at }) {
  const [list, log] = [by("chat"), by("chat-log")];
  const isBelow = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
  const who = `${name}${from === talk.newest.hello?.participant ? " (you)" : viewer ? " (watching)" : ""}`;
  const time = element("time", { className: "hint", textContent: clock(talk, at) });
  list.append(element("li", {}, element("strong", { textContent: who }), " ", time, element("p", { textContent: text })));
  if (list.children.length > KEPT) list.firstElementChild.remove();
  // Whoever reads what was said before is left where they are.
  if (isBelow) log.scrollTop = log.scrollHeight;
}

/** The room's time as the clock on the wall. */
function clock(talk, at) {
  const { time_ms: now = at } = talk.newest.hello ?? {};
  const ago = Math.max(0, now - at);
  return new Date(Date.now() - ago).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}
