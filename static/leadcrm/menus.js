// Menus close with Escape and when something else is pressed, one is open at a time; what is to be typed in one can be
// typed at once; "/" goes to the search.

const OPEN = "details[data-closes][open]";

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const menu = [...document.querySelectorAll(OPEN)].at(-1);
    menu?.removeAttribute("open");
    menu?.querySelector("summary").focus();
  }
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    const search = document.querySelector('[data-key="/"]');
    if (search) event.preventDefault();
    search?.focus();
  }
});

document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll(OPEN)) {
    if (!menu.contains(event.target)) menu.removeAttribute("open");
  }
});

const typeAtOnce = ({ target: menu }) => menu.open && menu.querySelector("[data-type-at-once]")?.focus();

document.addEventListener("toggle", typeAtOnce, true);
