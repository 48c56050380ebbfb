// The server's HTTP interface as the pages use it: requests that carry the access key, refusals as a Problem.

const STORED_KEY = "medley-key";

export const ROOM_NAME = /^[A-Za-z0-9_-]{1,64}$/;
export const ROOM_NAME_RULE = "A room name has 1 to 64 letters (A–Z), digits, “-” and “_”.";

/** A refused or unanswered request; the message can be shown as it is. */
export class Problem extends Error {
  /** @param {number} status 0 where nothing answered */
  constructor(status, detail, retryAfterMs) {
    super(detail);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether the same request may work later. */
  get passing() {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

/** A way to the room that does not work from here, and why not; another one may. */
export class Unfit extends Problem {
  get passing() {
    return false;
  }
}

export function accessKey() {
  return sessionStorage.getItem(STORED_KEY) ?? "";
}

export function keepAccessKey(key) {
  sessionStorage.setItem(STORED_KEY, key);
}

/** A part of an address as text; as it stands where it is no text in UTF-8. */
export function decoded(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

/** An address for what sends no header of ours (a picture, a player, a download): the access key goes in its query. */
export function addressWithKey(path, query = {}) {
  const all = new URLSearchParams({ ...query, ...(accessKey() ? { token: accessKey() } : {}) }).toString();
  return all ? `${path}?${all}` : path;
}

/** Whether the server answers, but not at this path; looked at twice, since the line itself may have been gone for a moment. */
export async function isBlocked(path, signal) {
  const answers = (one) => fetch(one, { method: "HEAD", cache: "no-store", signal }).then(() => true, () => false);
  for (let look = 0; look < 2; look += 1) {
    if (!(await answers("/healthz")) || (await answers(path))) return false;
  }
  return true;
}

/** Makes a request; throws a Problem unless it is answered with a 2xx. */
export async function ask(path, options = {}) {
  const headers = new Headers(options.headers);
  if (accessKey() && options.key !== false) headers.set("Authorization", `Bearer ${accessKey()}`);
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new Problem(0, "The server does not answer.");
  }
  if (response.ok) return response;
  throw await problemOf(response);
}

async function problemOf(response) {
  const seconds = Number(response.headers.get("Retry-After"));
  const document = await response.json().catch(() => ({}));
  const detail = document.detail ?? `The server answered ${response.status}.`;
  return new Problem(response.status, asSentence(detail), seconds > 0 ? seconds * 1000 : undefined);
}

function asSentence(text) {
  // A field's path ("regions[0].width: …") stays as it has to be written.
  const capital = /^[a-z_]+[[.:]/.test(text) ? text : text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(capital) ? capital : `${capital}.`;
}
