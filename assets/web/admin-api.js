// The admin's requests: JSON both ways, pictures as object URLs, and what a refusal does to the page.
// In: a path and a body. Out: what the server answered. Never: a key in an address.

import { accessKey, ask } from "./api.js";
import { askForKey, by, say, warn } from "./view.js";

const SAID_MS = 5_000;

export async function get(path) {
  return (await ask(path, { cache: "no-store" })).json();
}

/** Sends a body as JSON, with headers of its own; gives the answer's, undefined where there is none. */
export async function send(method, path, body, headers = {}) {
  const response = await ask(path, { method, headers: { "Content-Type": "application/json", ...headers }, body: JSON.stringify(body) });
  return answered(response);
}

/** Changes some fields (RFC 7396): null takes one away. */
export function patch(path, body, headers = {}) {
  return send("PATCH", path, body, { "Content-Type": "application/merge-patch+json", ...headers });
}

export async function remove(path) {
  return answered(await ask(path, { method: "DELETE" }));
}

async function answered(response) {
  const text = await response.text();
  return text && response.headers.get("Content-Type")?.includes("json") ? JSON.parse(text) : undefined;
}

/** Shows the picture at a path, or the answer to a body, in an image; the key goes with it. Says whether there was one. */
export async function showPicture(image, path, body) {
  const options = body ? { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {};
  try {
    const picture = await (await ask(path, options)).blob();
    URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(picture);
    return true;
  } catch {
    image.removeAttribute("src");
    return false;
  }
}

let quiet;

/** Says something for a few seconds. */
export function tell(text) {
  clearTimeout(quiet);
  say(text);
  quiet = setTimeout(() => say(""), SAID_MS);
}

/** Does something; a refusal is shown, and where the key is missing it is asked for. Says whether it was done. */
export async function attempt(action, done) {
  try {
    await action();
  } catch (problem) {
    refused(problem);
    return false;
  }
  warn("");
  if (done) tell(done);
  return true;
}

/** Shows a refusal; once there is a key it goes on by `goOn`, and all hear "keyed". What is no refusal is a defect, and thrown on. */
export function refused(problem, goOn = () => {}) {
  if (problem.status === undefined) throw problem;
  tell("");
  warn(problem.status === 401 && !accessKey() ? "This server wants an admin's access key." : problem.message);
  if (problem.status !== 401 || !by("key-form").hidden) return;
  askForKey(() => {
    goOn();
    dispatchEvent(new Event("keyed"));
  });
}
