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

function resolve(api, schema) {
  const named = schema.$ref?.split("/").at(-1);
  return { named, resolved: named ? (api.components.schemas[named] ?? {}) : schema };
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
