// Tabs by the arrow keys, as in the ARIA Authoring Practices: one is in the Tab order, Home and End are the first and last.

import { by } from "./view.js";

/** Wires the tabs; a pane hears "shown" when it comes up. */
export function wireTabs() {
  const tabs = [...by("tabs").querySelectorAll("[role=tab]")];
  const choose = (chosen) => {
    for (const tab of tabs) {
      tab.setAttribute("aria-selected", String(tab === chosen));
      tab.tabIndex = tab === chosen ? 0 : -1;
      by(tab.getAttribute("aria-controls")).hidden = tab !== chosen;
    }
    by(chosen.getAttribute("aria-controls")).dispatchEvent(new Event("shown"));
  };
  const go = (event, index) => {
    const to = { ArrowLeft: index - 1, ArrowRight: index + 1, Home: 0, End: tabs.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    const tab = tabs.at(to % tabs.length);
    choose(tab);
    tab.focus();
  };
  tabs.forEach((tab, index) => {
    tab.onclick = () => choose(tab);
    tab.onkeydown = (event) => go(event, index);
  });
}
