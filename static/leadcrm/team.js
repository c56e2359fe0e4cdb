// A lead that is dragged from one to another changes its owner; the server answers with the page as it is then, so that
// what it refused goes back to its place. What others change appears by itself.

const REFRESH = 15_000;
const people = () => document.getElementById("people");

let dragging = false;

function give({ item, from, to }) {
  dragging = false;
  if (from === to) return;
  const token = people().querySelector("[name=csrfmiddlewaretoken]").value;
  const values = { lead: item.dataset.lead };
  const headers = { "X-CSRFToken": token };
  htmx.ajax("POST", to.dataset.give, { source: to, target: "#people", swap: "outerHTML", values, headers });
}

function makeDraggable() {
  for (const list of document.querySelectorAll(".pieces")) {
    Sortable.get(list) ?? new Sortable(list, {
      group: "leads",
      sort: false,
      animation: 120,
      delay: 200, // a finger that scrolls drags nothing
      delayOnTouchOnly: true,
      onStart: () => (dragging = true),
      onEnd: give,
    });
  }
}

makeDraggable();
document.addEventListener("htmx:afterSettle", makeDraggable);
for (const failed of ["htmx:sendError", "htmx:responseError"]) {
  document.addEventListener(failed, ({ detail }) => detail.requestConfig.verb === "post" && htmx.trigger(people(), "refresh"));
}
setInterval(() => {
  if (!dragging && !document.hidden && !people().contains(document.activeElement)) htmx.trigger(people(), "refresh");
}, REFRESH);
