// Text to copy, by a button beside it. In: the text and where it stands. Out: the clipboard. Never: silence about what was done.

const SAID_MS = 2_000;

/** @param {string} label what the button says before and after */
export async function copyText(text, place, button, label = "Copy") {
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    // Over plain HTTP there is no clipboard: select it for the reader's own copy.
    getSelection().selectAllChildren(place);
    button.textContent = "Selected";
  }
  setTimeout(() => (button.textContent = label), SAID_MS);
}
