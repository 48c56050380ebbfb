// The admin's requests: JSON both ways, pictures as object URLs, and what a refusal does to the page.
// In: a path and a body. Out: what the server answered. Never: a key in an address.

import { ask } from "./api.js";
import { askForKey, by, say, warn } from "./view.js";

const SAID_MS = 5_000;

export async function get(path) {
  return (await ask(path, { cache: "no-store" })).json();
}

/** Sends a body as JSON; gives the answer's, undefined where there is none. */
export async function send(method, path, body, type = "application/json") {
  const response = await ask(path, { method, headers: { "Content-Type": type }, body: JSON.stringify(body) });
  return answered(response);
}

/** Changes some fields (RFC 7396): null takes one away. */
export function patch(path, body) {
  return send("PATCH", path, body, "application/merge-patch+json");
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
    refused(problem, () => warn(""));
    return false;
  }
  warn("");
  if (done) tell(done);
  return true;
}

/** Shows a refusal; goes on by `goOn` once there is a key. What is no refusal is a defect, and thrown on. */
export function refused(problem, goOn) {
  if (problem.status === undefined) throw problem;
  warn(problem.message);
  if (problem.status === 401 && by("key-form").hidden) askForKey(goOn);
}
