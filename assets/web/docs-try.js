// A form that makes one request, and the same as a line of curl.

import { accessKey } from "./api.js";
import { copyText } from "./copy.js";
import { element } from "./docs-element.js";

/** More of an answer is not shown. */
const LONGEST = 20_000;
/** What comes without end is shown for this long. */
const STREAM_MS = 10_000;
/** Media types that can be read, and written, as text. */
const TEXT = /^text\/|json|sdp|mpegurl|openmetrics/;

export function tryIt(api, path, method, operation) {
  const id = (name) => `${operation.operationId}-${name}`;
  const fields = (operation.parameters ?? []).map((one) => parameterField(id(one.name), one));
  const body = operation.requestBody ? bodyField(id("body"), operation.requestBody) : undefined;
  const line = element("pre", { tabindex: "0", "aria-label": "The request as curl" });
  const answer = element("div", { role: "status" });
  const copy = element("button", { type: "button" }, "Copy as curl");
  const form = element("form", { class: "try" }, ...fields.map(({ part }) => part));
  if (body) form.append(body.part);
  form.append(element("div", { class: "row" }, element("button", { class: "primary" }, "Send"), copy), line, answer);
  const request = () => made(path, method, fields, body);
  const tell = () => (line.textContent = curl(request()));
  form.oninput = tell;
  form.onsubmit = (event) => {
    event.preventDefault();
    tell();
    send(request(), answer);
  };
  copy.onclick = () => copyText(line.textContent, line, copy, "Copy as curl");
  tell();
  return form;
}

function parameterField(id, { name, in: place, required, example, schema }) {
  const input = element("input", { id, autocomplete: "off", spellcheck: "false" });
  input.required = Boolean(required);
  if (required && example) input.value = example;
  if (schema?.type === "boolean") input.placeholder = "true or false";
  return { name, place, input, part: element("div", {}, element("label", { for: id }, name), input) };
}

/** A text for what can be written, a file for pictures, sounds and films. */
function bodyField(id, { content }) {
  const [type, { example }] = Object.entries(content).sort(([, a], [, b]) => Boolean(b.example) - Boolean(a.example))[0];
  if (!TEXT.test(type)) {
    const input = element("input", { id, type: "file", accept: Object.keys(content).join(",") });
    return { input, type, taken: content, part: element("div", {}, element("label", { for: id }, "File"), input), file: true };
  }
  const input = element("textarea", { id, spellcheck: "false" });
  input.value = example ? JSON.stringify(example, null, 2) : type.endsWith("json") ? "{}" : "";
  return { input, type, part: element("div", {}, element("label", { for: id }, `Body (${type})`), input) };
}

/** The request as the form says it. */
function made(path, method, fields, body) {
  const headers = {};
  const query = new URLSearchParams();
  let url = path;
  for (const { name, place, input } of fields) {
    if (place === "path") url = url.replace(`{${name}}`, encodeURIComponent(input.value));
    else if (input.value && place === "query") query.set(name, input.value);
    else if (input.value) headers[name] = input.value;
  }
  if (query.size > 0) url += `?${query}`;
  const file = body?.file ? body.input.files[0] : undefined;
  // A browser names some kinds of files otherwise than the server, or not at all.
  if (body) headers["Content-Type"] = file && file.type in body.taken ? file.type : body.type;
  return { url, method: method.toUpperCase(), headers, body: body?.file ? file : body?.input.value, fileName: file?.name };
}

function curl({ url, method, headers, body, fileName }) {
  const quoted = (text) => `'${text.replaceAll("'", `'\\''`)}'`;
  const parts = ["curl", "-i", "-X", method, quoted(location.origin + url)];
  if (accessKey()) parts.push("-H", '"Authorization: Bearer $MEDLEY_KEY"');
  for (const [name, value] of Object.entries(headers)) parts.push("-H", quoted(`${name}: ${value}`));
  if (fileName) parts.push("--data-binary", quoted(`@${fileName}`));
  else if (typeof body === "string") parts.push("--data-binary", quoted(body));
  return parts.join(" ");
}

async function send({ url, method, headers, body }, answer) {
  answer.replaceChildren("Waiting for the answer …");
  if (accessKey()) headers.Authorization = `Bearer ${accessKey()}`;
  try {
    const response = await fetch(url, { method, headers, body, cache: "no-store" });
    const head = [`${response.status} ${response.statusText}`, ...[...response.headers].map(([name, value]) => `${name}: ${value}`)];
    answer.replaceChildren(element("pre", { tabindex: "0", "aria-label": "The answer's head" }, head.join("\n")));
    await showBody(response, answer);
  } catch (error) {
    answer.replaceChildren(`There was no answer: ${error.message}`);
  }
}

async function showBody(response, answer) {
  const type = response.headers.get("Content-Type") ?? "";
  if (type.startsWith("image/")) {
    const url = URL.createObjectURL(await response.blob());
    const image = element("img", { src: url, alt: "The answer's picture" });
    image.onload = () => URL.revokeObjectURL(url);
    return answer.append(image);
  }
  const text = element("pre", { tabindex: "0", "aria-label": "The answer's body" });
  answer.append(text);
  if (response.body && !TEXT.test(type)) {
    text.textContent = "(not shown here)";
    return response.body.cancel();
  }
  if (/event-stream|ndjson/.test(type)) return follow(response, text);
  text.textContent = pretty(await response.text(), type).slice(0, LONGEST);
}

/** Shows lines as they come, for a while. */
async function follow(response, text) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  const end = setTimeout(() => reader.cancel(), STREAM_MS);
  for (;;) {
    const { done, value } = await reader.read();
    if (done || text.textContent.length > LONGEST) break;
    text.textContent += value;
  }
  clearTimeout(end);
  reader.cancel();
  text.textContent += "\n(closed by this page)";
}

function pretty(text, type) {
  if (!type.includes("json")) return text;
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return text;
  }
}
