// Short notices at the edge of the page. Whoever has one to show says so by an event:
//   document.dispatchEvent(new CustomEvent("toast", {detail: {text, tone, seconds, action: {label, run}, about}}))
// A notice takes the place of an older one about the same; of many, the latest stay.
// and the server by the header HX-Trigger with {"toast": {text, tone}}. Tones: success, info, warning, error.

const region = document.getElementById("toasts");
const MOST = 3;

function actionButton({ label, run }, close) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = label;
  button.addEventListener("click", () => {
    close();
    run();
  });
  return button;
}

function makeRoom(about) {
  for (const old of [...region.children]) if (about && old.dataset.about === about) old.remove();
  while (region.children.length >= MOST) region.firstElementChild.remove();
}

function show({ text, tone = "info", seconds = 8, action = null, about = "" }) {
  makeRoom(about);
  const toast = document.createElement("div");
  toast.className = `message toast ${tone}`;
  toast.dataset.about = about;
  if (tone === "error") toast.setAttribute("role", "alert");
  const words = document.createElement("bdi");
  words.dir = "ltr"; // a sentence of ours, also when it begins with a name that runs the other way
  words.textContent = text;
  toast.append(words);
  const close = () => toast.remove();
  if (action) toast.append(actionButton(action, close));
  region.append(toast);
  // Who is about to press it is given the time.
  const timer = () => setTimeout(() => (toast.matches(":hover, :focus-within") ? timer() : close()), seconds * 1000);
  timer();
}

document.addEventListener("toast", (event) => show(event.detail));
