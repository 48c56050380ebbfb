// The uploaded images: shown, added, taken away. In: files of the admin's machine. Never: an address to be fetched.

import { by } from "./view.js";
import { ask } from "./api.js";
import { attempt, get, remove, showPicture } from "./admin-api.js";
import { button, element, keyed } from "./admin-element.js";
import { confirmed } from "./admin-confirm.js";
import { desk } from "./admin-desk.js";
import { suggestName } from "./admin-suggest.js";

const SELECTS = ["v-background-image", "v-logo"];

export function wireImages() {
  for (const what of ["open", "images"]) desk.addEventListener(what, load);
  suggestName(by("image-file"), by("image-name"));
  by("upload").onsubmit = (event) => {
    event.preventDefault();
    upload();
  };
}

async function load() {
  await attempt(async () => show((await get("/v1/images")).images));
}

async function upload() {
  const [file] = by("image-file").files;
  const name = by("image-name").value.trim();
  const put = () => ask(`/v1/images/${encodeURIComponent(name)}`, { method: "PUT", headers: { "Content-Type": file.type }, body: file });
  if (!(await attempt(put, `${name} is uploaded.`))) return;
  by("upload").reset();
  await load();
}

function show(images) {
  by("no-images").hidden = images.length > 0;
  keyed(by("images"), images, { key: ({ name, bytes }) => `${name} ${bytes}`, make, update: () => {} });
  for (const id of SELECTS) {
    const select = by(id);
    const chosen = select.value;
    select.replaceChildren(new Option("None", ""), ...images.map(({ name }) => new Option(name)));
    select.value = chosen;
  }
}

function make({ name, width, height, bytes }) {
  const picture = element("img", { alt: "", width: 96, height: 54 });
  showPicture(picture, `/v1/images/${name}`);
  const text = element("span", { textContent: `${name}: ${width}×${height}, ${Math.ceil(bytes / 1024)} kB` });
  return element("li", {}, picture, text, button("Remove", () => forget(name), { className: "quiet-danger", "aria-label": `Remove the image ${name}` }));
}

async function forget(name) {
  if (!(await confirmed(`Remove the image ${name}?`, "Remove"))) return;
  if (await attempt(() => remove(`/v1/images/${name}`), `${name} is removed.`)) await load();
}
