// In the list below the search box the arrows go up and down, and Escape goes back to where the reader was.

const box = document.getElementById("search");
const list = document.getElementById("found-now");

const step = (event, by) => {
  const stops = [box, ...list.querySelectorAll("a")];
  const at = stops.indexOf(document.activeElement);
  stops[(at + by + stops.length) % stops.length].focus();
  event.preventDefault();
};

box?.form.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") step(event, 1);
  if (event.key === "ArrowUp") step(event, -1);
  if (event.key === "Escape") {
    list.replaceChildren();
    document.activeElement.blur();
  }
});

// Who is in the list already when a better answer comes goes on in that one. It shows while the focus is near.
let wasInside = false;

list?.addEventListener("htmx:beforeSwap", () => {
  wasInside = list.contains(document.activeElement);
  if (wasInside) box.focus();
});
list?.addEventListener("htmx:afterSwap", () => wasInside && list.querySelector("a")?.focus());
