// One key per action: an element with data-key is pressed by that key. Inside a list of [data-item], j and k go from one
// to the next, and a key is looked for in the one that has the focus, else in the first, then outside the list: never in
// another one, whose lead nobody meant. "?" shows what the keys do. Nothing happens while somebody types, and who does not
// want keys switches them off.

const SWITCH = "keys-off";
const dialog = document.getElementById("keys");
const box = dialog?.querySelector("[data-keys-on]");

const isOff = () => localStorage.getItem(SWITCH) === "yes";
const isTyping = (target) => target.closest("input:not([type=checkbox], [type=radio]), textarea, select, [contenteditable]") !== null;
const items = () => [...document.querySelectorAll("[data-item]")].filter((item) => item.checkVisibility()); // not in a closed fold

function step(by) {
  const all = items();
  const place = all.indexOf(document.activeElement?.closest("[data-item]"));
  const next = all[place === -1 ? (by > 0 ? 0 : all.length - 1) : Math.min(Math.max(place + by, 0), all.length - 1)];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}

function target(key) {
  const wanted = `[data-key="${CSS.escape(key)}"]`;
  const item = document.activeElement?.closest("[data-item]");
  return (item ?? items()[0])?.querySelector(wanted) ?? document.querySelector(`${wanted}:not([data-item] *)`);
}

const FIELD = "input:not([type=hidden]), select, textarea";

function enter(part) {
  const field = part?.querySelector(FIELD);
  field?.focus();
  return Boolean(field);
}

// A form is entered, a fold is opened and entered, as soon as what is in it has come; anything else is clicked.
function press(element) {
  if (element.matches("form")) return enter(element);
  element.click();
  const fold = element.matches("summary") && element.closest("details[open]");
  if (fold && !enter(fold)) fold.addEventListener("htmx:afterSettle", () => enter(fold), { once: true });
}

document.addEventListener("keydown", (event) => {
  if (isTyping(event.target) || event.ctrlKey || event.metaKey || event.altKey || dialog?.open) return;
  if (event.key === "?") {
    box.checked = !isOff();
    dialog.showModal();
    return;
  }
  if (isOff() || event.key.length !== 1) return;
  if (event.key === "j" || event.key === "k") step(event.key === "j" ? 1 : -1);
  const found = event.key === "/" ? null : target(event.key);
  if (!found) return;
  event.preventDefault();
  press(found);
});

box?.addEventListener("change", () => localStorage.setItem(SWITCH, box.checked ? "no" : "yes"));
document.querySelectorAll("[data-shows-keys]").forEach((button) => {
  button.addEventListener("click", () => {
    box.checked = !isOff();
    dialog.showModal();
  });
});
