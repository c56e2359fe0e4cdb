"use strict";

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
