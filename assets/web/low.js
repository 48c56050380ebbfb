// Low power, for old devices and slow lines: 360p at 15 pictures a second, both ways. Kept in the page's address (`?low=1`).
// In: a box to tick. Out: the bounds as a query has them. Never: a choice that outlives the address.

const WORD = "low";
const HEIGHT = 360;
const FPS = 15;

export function isLow() {
  return new URLSearchParams(location.search).get(WORD) === "1";
}

/** What the server is asked to keep to. */
export function limits() {
  return isLow() ? { max_height: HEIGHT, max_fps: FPS } : {};
}

/** Wires the box; `changed` is called once the address says what it does. */
export function wireLow(box, changed) {
  box.checked = isLow();
  box.onchange = () => {
    const address = new URL(location.href);
    if (box.checked) address.searchParams.set(WORD, "1");
    else address.searchParams.delete(WORD);
    history.replaceState(null, "", address);
    changed();
  };
}
