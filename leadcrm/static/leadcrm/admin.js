"use strict";

// What the server draws by the reader's clock, it draws so from the next page on.
document.cookie = `time_zone=${Intl.DateTimeFormat().resolvedOptions().timeZone}; path=/; max-age=31536000; samesite=lax`;

// Selects that search as one types draw inputs of their own, which know nothing of the select's label.
{
  const labelOf = (select) => select?.labels?.[0]?.textContent.trim().replace(/\*$/, "") || select?.ariaLabel || "Search";

  const nameInputs = (root, select) => {
    const inputs = ".select2-selection, .select2-search__field, .select2-selection__rendered[role=textbox]";
    for (const input of root?.querySelectorAll(inputs) ?? []) {
      input.setAttribute("aria-label", labelOf(select));
    }
  };

  // Django's two lists to choose from draw signs with a name, which only an image may have.
  const nameSigns = () => {
    for (const sign of document.querySelectorAll(".selector .help-tooltip:not([role])")) {
      sign.setAttribute("role", "img");
    }
  };

  const nameAll = () => {
    nameSigns();
    for (const select of document.querySelectorAll("select.select2-hidden-accessible")) {
      nameInputs(select.nextElementSibling, select);
    }
    const open = document.querySelector("select + .select2-container--open")?.previousElementSibling;
    nameInputs(document.querySelector(".select2-dropdown"), open);
  };

  document.addEventListener("DOMContentLoaded", () => {
    nameAll();
    new MutationObserver(nameAll).observe(document.body, { childList: true, subtree: true });
  });
}
