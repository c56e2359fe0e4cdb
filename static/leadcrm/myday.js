// What comes in while My day is open appears by itself, lit up for a moment. Lines that stay are the same elements as
// before, so that the focus, open folds, the scroll and what was typed stay too.

import { keepUp } from "./live.js";

const EVERYTHING = 60_000; // what is late by now, and how long ago things were
const day = document.getElementById("day");
const lines = () => [...day.querySelectorAll("[data-item]")];

// What belongs to the reader, and not to the server.
const isReaders = (name, node) =>
  name === "open" || ["checked", "selected"].includes(name) || (name === "value" && !node.matches("[type=hidden], button"));

let accepted = null; // the line of a lead that goes on further down, while who accepted it stays with what comes next

function put(page) {
  const fresh = page.getElementById("day");
  if (!fresh) return;
  const before = new Set(lines());
  const standsOn = document.activeElement.closest("[data-item]");
  const place = lines().indexOf(standsOn ?? accepted);
  const next = accepted && (lines()[place + 1] ?? lines()[place - 1]);
  globalThis.Idiomorph.morph(day, fresh, {
    callbacks: {
      beforeNodeMorphed: (node) => !node.matches?.("[hx-get]"), // it asks for its content by itself
      beforeAttributeUpdated: (name, node) => !isReaders(name, node),
    },
  });
  globalThis.htmx.process(day);
  document.dispatchEvent(new CustomEvent("cards-changed"));
  light(lines().filter((line) => !before.has(line)));
  if (next && (standsOn ?? accepted) === accepted) stand(next.isConnected ? next : lines()[0]);
  else if (place >= 0 && document.activeElement === document.body) stand(lines()[Math.min(place, lines().length - 1)]);
  accepted = null;
}

const stand = (line) => line?.focus({ preventScroll: true });

function light(fresh) {
  if (!fresh.length) return;
  for (const line of fresh) line.classList.add("changed");
  const names = fresh.map((line) => line.querySelector(".text").textContent.trim());
  document.getElementById("said").textContent = `New on your day: ${names.join(", ")}.`;
}

const look = keepUp((since) => ({ url: `${day.dataset.changes}?since=${since}` }), day.dataset.cursor, put, EVERYTHING);

document.body.addEventListener("htmx:beforeRequest", ({ detail }) => {
  if (detail.elt.matches("[data-item] form")) accepted = detail.elt.closest("[data-item]");
});
document.body.addEventListener("htmx:afterRequest", ({ detail }) => {
  if (!detail.successful && detail.elt.matches("[data-item] form")) accepted = null;
});
document.body.addEventListener("board-changed", look);
