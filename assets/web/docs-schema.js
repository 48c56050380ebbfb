// A schema of the document as nested lists; what it refers to is filled in when it is first opened.

import { element } from "./docs-element.js";

/** What a value must be. */
export function schemaOf(api, schema) {
  const { named, resolved } = resolve(api, schema);
  const fields = Object.entries(resolved.properties ?? {});
  if (fields.length > 0) return folded(named ?? "object", () => fieldList(api, fields, resolved.required ?? []));
  const choices = (resolved.oneOf ?? resolved.anyOf ?? []).filter(({ type }) => type !== "null");
  if (choices.length === 1) return schemaOf(api, choices[0]);
  if (choices.length > 1) return element("ul", {}, ...choices.map((one) => element("li", {}, "or ", schemaOf(api, one))));
  if (resolved.items) return element("span", {}, element("span", { class: "kind" }, "list of "), schemaOf(api, resolved.items));
  return element("span", { class: "kind" }, ` ${words(resolved)}`);
}

/** The kinds of an object that its `type` tells apart. */
export function messagesOf(api, schema) {
  const kinds = resolve(api, schema).resolved.oneOf;
  const one = (kind) => {
    const { properties = {}, required = [], description } = resolve(api, kind).resolved;
    const { type, ...rest } = properties;
    const fields = fieldList(api, Object.entries(rest), required);
    return element("li", {}, element("code", {}, type.enum[0]), element("span", { class: "told" }, kind.description ?? description ?? ""), fields);
  };
  return element("ul", {}, ...kinds.map(one));
}

function resolve(api, schema) {
  const named = schema.$ref?.split("/").at(-1);
  const resolved = named ? (api.components.schemas[named] ?? {}) : schema;
  return { named, resolved: resolved.allOf ? joined(api, resolved) : resolved };
}

/** All parts of an object as one. */
function joined(api, { allOf, ...rest }) {
  const parts = allOf.map((part) => resolve(api, part).resolved);
  const properties = Object.assign({}, ...parts.map((part) => part.properties));
  return { ...rest, properties, required: parts.flatMap((part) => part.required ?? []) };
}

function folded(title, fill) {
  const details = element("details", {}, element("summary", {}, element("span", { class: "kind" }, title)));
  details.addEventListener("toggle", () => {
    if (details.open && details.children.length === 1) details.append(fill());
  });
  return details;
}

function fieldList(api, fields, required) {
  const one = ([name, field]) =>
    element(
      "li",
      {},
      element("code", {}, name),
      required.includes(name) ? element("span", { class: "must" }, " must be there ") : " ",
      schemaOf(api, field),
      element("span", { class: "told" }, described(field)),
    );
  return element("ul", {}, ...fields.map(one));
}

function described(field) {
  return field.description ?? field.oneOf?.find(({ description }) => description)?.description ?? "";
}

/** Type and bounds of a simple value. */
function words({ type, enum: values, const: value, minimum, maximum, minLength, maxLength, pattern, description }) {
  if (values) return values.map((one) => JSON.stringify(one)).join(" or ");
  if (value !== undefined) return JSON.stringify(value);
  const kinds = [type ?? "anything"].flat().filter((kind) => kind !== "null");
  const bounds = [
    range(minimum, maximum, ""),
    range(minLength, maxLength, " characters"),
    pattern && pattern.length < 60 ? pattern : "",
    !type && description ? description : "",
  ];
  return [kinds.join(" or "), ...bounds.filter(Boolean)].join(", ");
}

function range(least, most, unit) {
  if (least === undefined && most === undefined) return "";
  if (most === undefined) return `from ${least}${unit}`;
  return least === undefined ? `up to ${most}${unit}` : `${least} to ${most}${unit}`;
}
