// The uploaded images: shown, added, taken away. In: files of the admin's machine. Never: an address to be fetched.

import { by } from "./view.js";
import { ask } from "./api.js";
import { attempt, get, remove, showPicture } from "./admin-api.js";
import { button, element, keyed } from "./admin-element.js";
import { confirmed } from "./admin-confirm.js";
import { desk } from "./admin-desk.js";

const SELECTS = ["v-background-image", "v-logo"];
const LONGEST_NAME = 32;
let suggested = "";

export function wireImages() {
  for (const what of ["open", "images"]) desk.addEventListener(what, load);
  by("image-file").onchange = suggestName;
  by("upload").onsubmit = (event) => {
    event.preventDefault();
    upload();
  };
}

function suggestName() {
  const [file] = by("image-file").files;
  const name = by("image-name");
  // What somebody typed stays; what an earlier file suggested does not.
  if (!file || (name.value && name.value !== suggested)) return;
  suggested = file.name.replace(/\.[^.]*$/, "").replace(/[^A-Za-z0-9_-]+/g, "-").slice(0, LONGEST_NAME).replace(/^-+|-+$/g, "");
  name.value = suggested;
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
