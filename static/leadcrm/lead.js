// What a page of a lead does beyond forms and links: copying, printing, and to go on without closing.

const told = (text, tone = "info") => document.dispatchEvent(new CustomEvent("toast", { detail: { text, tone } }));

async function copy(button) {
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    told(button.dataset.copied);
  } catch {
    told(button.dataset.copy);
  }
}

document.querySelectorAll("[data-copy]").forEach((button) => button.addEventListener("click", () => copy(button)));
document.querySelectorAll("[data-print]").forEach((button) => button.addEventListener("click", () => window.print()));

document.querySelectorAll("[data-cancel]").forEach((link) => {
  link.addEventListener("click", (event) => {
    const fold = link.closest("details");
    event.preventDefault();
    fold.open = false;
    fold.querySelector("summary").focus();
  });
});
