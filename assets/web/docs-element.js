// Makes elements. Texts are only ever set as text.

/** An element with attributes and children; a child is an element or a text. */
export function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
