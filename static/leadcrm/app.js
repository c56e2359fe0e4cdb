"use strict";

// The server writes moments in the reader's time zone from the next page on.
document.cookie = `time_zone=${Intl.DateTimeFormat().resolvedOptions().timeZone}; path=/; max-age=31536000; samesite=lax`;

// What htmx could not fetch is said in words; the link behind it still works.
const tell = (text) => document.dispatchEvent(new CustomEvent("toast", { detail: { text, tone: "error" } }));

const isQuiet = (event) => event.detail.elt?.dataset.quiet !== undefined;

const REFUSALS = {
  403: "This page has expired. Reload it and do that again.", // the token of its forms is an old one
  404: "This is not there any more. Reload the page.",
};

document.addEventListener("htmx:responseError", (event) => {
  if (isQuiet(event)) return;
  tell(REFUSALS[event.detail.xhr.status] ?? "That did not work. Please try again in a moment.");
});

document.addEventListener("htmx:sendError", (event) => isQuiet(event) || tell("The server cannot be reached. Please check your connection."));

// In a form that was refused, the first field that is wrong has the focus, else what is wrong with all of it.
document.addEventListener("htmx:load", ({ detail: { elt } }) => {
  (elt.querySelector("[aria-invalid=true]") ?? elt.querySelector(".faults"))?.focus();
});

// A part that is swapped, such as a grown column, stays scrolled to where it was.
const SCROLLED = "[data-keeps-scroll]";
let scrolledTo = 0;

document.addEventListener("htmx:beforeSwap", (event) => {
  scrolledTo = event.detail.target.querySelector(SCROLLED)?.scrollTop ?? 0;
});

document.addEventListener("htmx:afterSwap", (event) => {
  event.target.querySelector(SCROLLED)?.scrollTo(0, scrolledTo);
});

// What a part asks for by itself: an answer that has not changed is left as it is, so that nothing is read out again,
// and one that does not come is asked for again the next time.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { xhr, target } = event.detail;
  const tag = isQuiet(event) ? xhr.getResponseHeader("ETag") : null;
  if (!tag || event.detail.isError) return;
  if (target.dataset.tag === tag) event.detail.shouldSwap = false;
  target.dataset.tag = tag;
});
