// Elements by code: a tag, what it is, what is in it. In: plain values, put in as text or properties.
// Out: the element. Never: text read as HTML.

/** @param {string} tag @param {Object} is properties; what has a dash, and `role`, becomes an attribute */
export function element(tag, is = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(is)) {
    if (name.includes("-") || name === "role") made.setAttribute(name, value);
    else made[name] = value;
  }
  made.append(...children);
  return made;
}

/** A button that says what it does. */
export function button(text, onclick, is = {}) {
  return element("button", { type: "button", textContent: text, onclick, ...is });
}

/** Sets text only where it is another: a screen reader reads each change of a live region. */
export function write(place, text) {
  if (place.textContent !== text) place.textContent = text;
}

/**
 * Brings a list's children to what `items` are, in order; those that stay keep their element, and with it the focus.
 * @param {{key: Function, make: Function, update: Function}} how
 */
export function keyed(list, items, { key, make, update }) {
  const old = new Map([...list.children].map((child) => [child.dataset.key, child]));
  let place = list.firstElementChild;
  for (const item of items) {
    const name = String(key(item));
    const child = old.get(name) ?? made(make(item), name);
    old.delete(name);
    update(child, item);
    if (child === place) place = place.nextElementSibling;
    else list.insertBefore(child, place);
  }
  old.forEach((child) => child.remove());
}

function made(child, name) {
  child.dataset.key = name;
  return child;
}
