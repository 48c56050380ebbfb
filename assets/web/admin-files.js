// The uploaded sounds and films that players play: added, taken away. In: files of the admin's machine. Never: an address to be fetched.

import { by } from "./view.js";
import { ask } from "./api.js";
import { attempt, get, remove, tell } from "./admin-api.js";
import { button, element, keyed } from "./admin-element.js";
import { confirmed } from "./admin-confirm.js";
import { length, size } from "./figures.js";
import { suggestName } from "./admin-suggest.js";

/** Wires the upload; `changed` gets the list whenever it was read. */
export function wireFiles(changed) {
  suggestName(by("media-file"), by("media-name"));
  by("upload-media").onsubmit = (event) => {
    event.preventDefault();
    upload(changed);
  };
  const load = () => loadFiles(changed);
  by("pane-players").addEventListener("shown", load);
  addEventListener("keyed", () => !by("pane-players").hidden && load());
}

export async function loadFiles(changed) {
  await attempt(async () => {
    const { files } = await get("/v1/files");
    by("no-files").hidden = files.length > 0;
    const made = (file) => make(file, changed);
    keyed(by("files"), files, { key: ({ name, bytes, duration_ms: ms }) => `${name} ${bytes} ${ms}`, make: made, update: () => {} });
    changed(files);
  });
}

async function upload(changed) {
  const [file] = by("media-file").files;
  const name = by("media-name").value.trim();
  const send = by("upload-media").querySelector("button");
  // What a file is, the server sees by its bytes.
  const put = () => ask(`/v1/files/${encodeURIComponent(name)}`, { method: "PUT", headers: { "Content-Type": "application/octet-stream" }, body: file });
  send.disabled = true;
  tell(`${name} is being sent: ${size(file.size)}…`);
  const done = await attempt(put, `${name} is uploaded.`);
  send.disabled = false;
  send.focus();
  if (!done) return;
  by("upload-media").reset();
  await loadFiles(changed);
}

function make({ name, bytes, duration_ms: ms, video }, changed) {
  const picture = video ? `${video.width}×${video.height}, ` : "";
  const text = element("span", { textContent: `${name}: ${picture}${length(ms)}, ${size(bytes)}` });
  return element("li", {}, text, button("Remove", () => forget(name, changed), { className: "quiet-danger", "aria-label": `Remove the file ${name}` }));
}

async function forget(name, changed) {
  if (!(await confirmed(`Remove the file ${name}?`, "Remove"))) return;
  if (await attempt(() => remove(`/v1/files/${name}`), `${name} is removed.`)) await loadFiles(changed);
  by("tab-players").focus();
}
