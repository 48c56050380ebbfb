// A name for an upload, by the file that was chosen. In: two fields. Never: what somebody typed, replaced.

const LONGEST_NAME = 32;

export function suggestName(file, name) {
  let suggested = "";
  file.addEventListener("change", () => {
    const [chosen] = file.files;
    if (!chosen || (name.value && name.value !== suggested)) return;
    suggested = chosen.name.replace(/\.[^.]*$/, "").replace(/[^A-Za-z0-9_-]+/g, "-").slice(0, LONGEST_NAME).replace(/^-+|-+$/g, "");
    name.value = suggested;
  });
}
