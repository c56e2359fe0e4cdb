// Keeps clocks right: <time class="due" data-due="seconds" data-amber="seconds">, by the server's time, which the page
// says in <meta name="now">. Amber becomes red when the time is up.

const began = performance.now();
const server = Number(document.querySelector('meta[name="now"]').content) * 1000;
const now = () => (server + performance.now() - began) / 1000;

const UNITS = [
  [86400 * 14, 604800, "wk"],
  [86400, 86400, "d"],
  [3600, 3600, "h"],
  [60, 60, "min"],
];

function span(seconds) {
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  const [, unit, name] = UNITS.find(([least]) => seconds >= least);
  const rest = name === "h" ? Math.floor((seconds % 3600) / 60) : 0;
  return `${Math.floor(seconds / unit)} ${name}${rest ? ` ${rest} min` : ""}`;
}

function tick(clock) {
  const left = Number(clock.dataset.due) - now();
  const text = left > 0 ? `${span(left)} left` : `${span(-left)} late`;
  if (clock.textContent !== text) clock.textContent = text;
  clock.classList.toggle("late", left <= 0);
  clock.classList.toggle("soon", left > 0 && now() >= Number(clock.dataset.amber));
}

const tickAll = () => document.hidden || document.querySelectorAll("time[data-due]").forEach(tick);

setInterval(tickAll, 1000);
document.addEventListener("visibilitychange", tickAll);
document.addEventListener("cards-changed", tickAll);
tickAll();
