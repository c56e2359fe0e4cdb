"use strict";

// Shows, while one types, what the template says; the server fills it in as it would for sending.
document.addEventListener("DOMContentLoaded", () => {
  const box = document.querySelector("[data-preview-url]");
  const form = document.getElementById("id_text")?.form;
  if (!box || !form) return;
  const lead = document.getElementById("preview-lead");
  const shown = document.getElementById("preview-shown");
  let asked = 0;
  let timer = 0;

  const show = async () => {
    const number = ++asked;
    const body = new FormData(form);
    body.set("preview_lead", lead.value);
    const answer = await fetch(box.dataset.previewUrl, { method: "POST", body });
    const text = await answer.text();
    // An answer that was overtaken by a later one is dropped.
    if (number === asked) shown.innerHTML = answer.ok ? text : "The preview could not be made. Reload the page.";
  };

  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(show, 300);
  };

  // Only e-mail has HTML.
  const channel = document.getElementById("id_channel");
  const html = document.getElementById("id_html").closest(".field-html");
  const fit = () => html?.classList.toggle("hidden", !["", "email"].includes(channel.value));
  channel.addEventListener("change", fit);
  fit();

  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  lead.addEventListener("change", soon);
  show();
});
