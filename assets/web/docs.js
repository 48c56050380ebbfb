// /docs: the API's document as a page. What an operation is, what goes in and what comes out; docs-try.js makes requests.

import { accessKey, ask, decoded, keepAccessKey } from "./api.js";
import { tryIt } from "./docs-try.js";
import { messagesOf, schemaOf } from "./docs-schema.js";
import { element } from "./docs-element.js";

const by = (id) => document.getElementById(id);
const METHODS = ["get", "put", "post", "patch", "delete"];

async function show() {
  const api = await (await ask("/openapi.json", { key: false })).json();
  by("version").textContent = api.info.version;
  by("tags").replaceChildren(...api.tags.map(({ name }) => element("a", { class: "button", href: `#${name}` }, name)));
  by("operations").replaceChildren(...api.tags.map((tag) => group(api, tag)), dataChannel(api));
  by("tags").append(element("a", { class: "button", href: "#data-channel" }, "Data channel"));
  find();
  openNamed();
}

/** All operations of one tag. */
function group(api, { name, description }) {
  const operations = operationsOf(api).filter(({ operation }) => operation.tags.includes(name));
  const title = element("h2", { id: name, tabindex: "-1" }, name);
  const section = element("section", { class: "docs-group docs", "aria-labelledby": name }, title, element("p", { class: "hint" }, description));
  section.append(...operations.map((one) => described(api, one)));
  return section;
}

/** The messages of the data channel: no operations, so that they stand below them. */
function dataChannel(api) {
  const { label, description, toClient, fromClient } = api["x-data-channel"];
  const title = element("h2", { id: "data-channel", tabindex: "-1" }, "Data channel ", element("code", {}, label));
  const messages = (heading, schema) =>
    element("section", { class: "panel docs" }, element("h3", {}, heading), messagesOf(api, schema));
  return element("section", { class: "docs", "aria-labelledby": "data-channel" }, title, element("p", { class: "hint" }, description),
    messages("The server says", toClient), messages("A client says", fromClient));
}

function operationsOf(api) {
  return Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ path, method, operation: item[method] })),
  );
}

/** One operation, filled when it is first opened. */
function described(api, { path, method, operation }) {
  const summary = element(
    "summary",
    {},
    element("span", { class: "method" }, method.toUpperCase()),
    " ",
    element("code", {}, path),
    element("span", { class: "told" }, operation.summary),
  );
  const details = element("details", { class: "panel operation", id: operation.operationId }, summary);
  details.dataset.words = `${method} ${path} ${operation.summary} ${operation.operationId}`.toLowerCase();
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(inside(api, path, method, operation));
  });
  return details;
}

function inside(api, path, method, operation) {
  const parts = [];
  if (operation.description) parts.push(element("p", {}, operation.description));
  if (operation.security) parts.push(element("p", { class: "hint" }, "Needs an access key outside development mode."));
  if (operation.parameters) parts.push(titled("Parameters", parameters(api, operation.parameters)));
  if (operation.requestBody) parts.push(titled("Body", contents(api, operation.requestBody)));
  parts.push(titled("Answers", answers(api, operation.responses)));
  parts.push(titled("Try it", tryIt(api, path, method, operation)));
  return element("div", { class: "inside" }, ...parts);
}

function titled(title, ...content) {
  return element("section", {}, element("h3", {}, title), ...content);
}

function parameters(api, list) {
  const one = ({ name, in: place, required, description, schema }) =>
    element(
      "li",
      {},
      element("code", {}, name),
      element("span", { class: "must" }, ` in the ${place}${required ? ", must be there" : ""}`),
      element("span", { class: "told" }, description ?? ""),
      schemaOf(api, schema),
    );
  return element("ul", {}, ...list.map(one));
}

function contents(api, { content = {} }) {
  const one = ([type, { schema }]) => element("li", {}, element("code", {}, type), schema ? schemaOf(api, schema) : "");
  return element("ul", {}, ...Object.entries(content).map(one));
}

function answers(api, responses) {
  const one = ([status, response]) =>
    element("li", {}, element("strong", {}, status), ` ${response.description}`, status < "400" ? contents(api, response) : "");
  return element("ul", {}, ...Object.entries(responses).map(one));
}

/** Shows only what has all the words that are looked for. */
function find() {
  const words = by("find").value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const group of document.querySelectorAll(".docs-group")) {
    const operations = [...group.querySelectorAll(".operation")];
    for (const one of operations) one.hidden = !words.every((word) => one.dataset.words.includes(word));
    const left = operations.filter((one) => !one.hidden).length;
    group.hidden = left === 0;
    shown += left;
  }
  by("status").textContent = `${shown} operations`;
}

/** Opens the operation, or goes to the part, that the address names. */
function openNamed() {
  const named = document.getElementById(decoded(location.hash.slice(1)));
  if (!named) return;
  if (named.matches(".operation")) named.open = true;
  named.scrollIntoView();
}

by("find").oninput = find;
by("key").value = accessKey();
by("key-form").onsubmit = (event) => {
  event.preventDefault();
  keepAccessKey(by("key").value.trim());
  by("status").textContent = by("key").value ? "The key is used from here on." : "No key is sent from here on.";
};
addEventListener("hashchange", openNamed);
show().catch((problem) => {
  by("warning").textContent = problem.message;
  by("warning").hidden = false;
});
