// A lead that is dragged from one to another changes its owner; the server answers with the page as it is then, so that
// what it refused goes back to its place. What others change appears by itself.

const REFRESH = 15_000;
const people = () => document.getElementById("people");

let dragging = false;

function send(url, values, source = people()) {
  const headers = { "X-CSRFToken": people().querySelector("[name=csrfmiddlewaretoken]").value };
  htmx.ajax("POST", url, { source, target: "#people", swap: "outerHTML", values, headers });
}

function lift() {
  dragging = true;
  htmx.trigger(people(), "htmx:abort"); // a list that is on its way would take the lead out of the hand
}

function give({ item, from, to }) {
  dragging = false;
  if (from !== to) send(to.dataset.give, { lead: item.dataset.lead, version: item.dataset.version }, to);
}

// What the server says of a lead that was given away comes with the way back.
window.addEventListener("toast", ({ detail }) => {
  if (detail.giveBack) detail.action = { label: "Undo", run: () => send(detail.giveBack.url, detail.giveBack.values) };
}, { capture: true });

function makeDraggable() {
  for (const list of document.querySelectorAll(".pieces")) {
    Sortable.get(list) ?? new Sortable(list, {
      group: "leads",
      draggable: "[data-lead]",
      sort: false,
      animation: 120,
      delay: 200, // a finger that scrolls drags nothing
      delayOnTouchOnly: true,
      onStart: lift,
      onEnd: give,
    });
  }
}

// Who set somebody away, or back, stays on that person when the page comes anew.
let standsOn = null;
document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  if (detail.target === people()) standsOn = document.activeElement.closest(".team > li")?.id;
});
document.addEventListener("htmx:afterSwap", () => {
  if (standsOn && document.activeElement === document.body) document.getElementById(standsOn)?.querySelector("[data-status]")?.focus({ preventScroll: true });
  standsOn = null;
});

makeDraggable();
document.addEventListener("htmx:afterSettle", ({ target }) => {
  makeDraggable();
  if (target.matches(".pause")) target.scrollIntoView({ block: "nearest" });
});
for (const failed of ["htmx:sendError", "htmx:responseError"]) {
  document.addEventListener(failed, ({ detail }) => detail.requestConfig.verb === "post" && htmx.trigger(people(), "refresh"));
}
setInterval(() => {
  if (!dragging && !document.hidden && !people().contains(document.activeElement) && !people().querySelector(".menu[open]")) htmx.trigger(people(), "refresh");
}, REFRESH);
