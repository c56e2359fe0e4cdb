"use strict";

// The server writes moments in the reader's time zone from the next page on.
document.cookie = `time_zone=${Intl.DateTimeFormat().resolvedOptions().timeZone}; path=/; max-age=31536000; samesite=lax`;

// What htmx could not fetch is said in words; the link behind it still works.
function tell(text) {
  const toast = document.getElementById("toast");
  toast.textContent = text;
  setTimeout(() => (toast.textContent = ""), 8000);
}

document.addEventListener("htmx:responseError", (event) => {
  const gone = event.detail.xhr.status === 404;
  tell(gone ? "This is not there any more. Reload the page." : "That did not work. Please try again in a moment.");
});

document.addEventListener("htmx:sendError", () => tell("The server cannot be reached. Please check your connection."));

// A part that is swapped, such as a grown column, stays scrolled to where it was.
const SCROLLED = "[data-keeps-scroll]";
let scrolledTo = 0;

document.addEventListener("htmx:beforeSwap", (event) => {
  scrolledTo = event.detail.target.querySelector(SCROLLED)?.scrollTop ?? 0;
});

document.addEventListener("htmx:afterSwap", (event) => {
  event.target.querySelector(SCROLLED)?.scrollTo(0, scrolledTo);
});
