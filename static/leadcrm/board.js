// The board and the table: cards are dragged, moved with the keyboard or chosen by the dozen, forms open in a dialog, and
// what others change appears by itself. The server answers every move with the cards as they are then, so that what it
// refused goes back to its place.

import { ask, keepUp, parsed } from "./live.js";

const board = document.getElementById("board");
const dialog = document.getElementById("dialog");
const bulk = document.getElementById("bulk");

const toast = (detail) => document.dispatchEvent(new CustomEvent("toast", { detail }));
const cardOf = (element) => element?.closest?.(".card[data-version]");
const columnOf = (element) => element?.closest?.(".column[data-stage]");
const nameOf = (card) => card.querySelector("h3").textContent.trim();
const say = (text) => (document.getElementById("said").textContent = text);

// --- Asking the server -----------------------------------------------------------------------------

let sent = 0; // grows when something is asked of the server to be done, and again when it has answered

async function send(url, body, failed = () => {}) {
  try {
    if (body) sent += 1;
    const response = await ask(url, body);
    if (body) sent += 1;
    if (response.status === 404) throw new Error("This lead is not there any more. Reload the page.");
    if (response.status === 403) throw new Error("This page has expired. Reload it and do that again.");
    const text = response.status === 204 ? "" : await response.text();
    if (response.status >= 500) throw new Error("That did not work. Please try again in a moment.");
    return { response, page: parsed(text) };
  } catch (error) {
    failed();
    const offline = error instanceof TypeError;
    toast({ text: offline ? "The server cannot be reached. Please check your connection." : error.message, tone: "error" });
    return null;
  }
}

// --- What changed ----------------------------------------------------------------------------------

let held = null; // a card under the pointer: nothing moves meanwhile
const waiting = []; // what is done when it has been dropped

function place(card) {
  const list = board.querySelector(`.column[data-stage="${CSS.escape(card.dataset.stage)}"] .cards`);
  if (!list) return false;
  const next = [...list.children].find((other) => !other.dataset.place || other.dataset.place > card.dataset.place);
  if (next?.classList.contains("more") && next.previousElementSibling) return false; // further down than is shown
  list.insertBefore(card, next ?? null);
  return true;
}

// News that were asked for before a move come after its answer at times.
const isOlder = (fresh, old) => Number(fresh.dataset.version) < Number(old?.dataset.version);

// What a card says, but for what time alone changes.
function gist(card) {
  const copy = card?.cloneNode(true);
  for (const time of copy?.querySelectorAll("time") ?? []) time.replaceWith(time.dataset.due ?? "");
  return copy && `${card.dataset.version} ${copy.textContent}`;
}

function refresh(fresh) {
  const old = document.getElementById(fresh.id);
  if (isOlder(fresh, old)) return false;
  const changed = gist(old) !== gist(fresh);
  if (!changed && old?.dataset.place === fresh.dataset.place && !("moved" in old.dataset)) return false;
  const focused = old?.contains(document.activeElement) ? document.activeElement.className || document.activeElement.tagName : null;
  fresh.querySelector(".pick").checked = old?.querySelector(".pick").checked ?? false;
  const shown = place(fresh);
  old?.remove();
  if (!shown) return false;
  globalThis.htmx?.process(fresh);
  if (focused) refocus(fresh, focused);
  return changed;
}

const refocus = (card, what) =>
  (card.querySelector(what === "A" ? "h3 a" : `.${CSS.escape(what.split(" ")[0])}`) ?? card.querySelector("h3 a")).focus({ preventScroll: true });

function applyHeads(changes) {
  if (changes.dataset.heads) board.dataset.heads = changes.dataset.heads;
  for (const head of changes.querySelectorAll("div[data-head]")) {
    const slug = CSS.escape(head.dataset.head);
    board.querySelector(`.column-head[data-head="${slug}"]`)?.replaceChildren(...head.childNodes);
    const jump = document.querySelector(`[data-count="${slug}"]`);
    if (jump) jump.textContent = head.dataset.count;
  }
}

function applyNotice(changes, about) {
  const notice = changes.querySelector("[data-notice]");
  if (!notice) return;
  const { tone, undo, seconds } = notice.dataset;
  const action = undo ? { label: "Undo", run: () => post(undo, new FormData()) } : null;
  toast({ text: notice.textContent, tone, seconds: Number(seconds) || 8, action, about });
}

function apply(page, highlight = true) {
  const changes = page.getElementById("board-changes");
  if (!changes) return false;
  if (held) {
    waiting.push(() => apply(page, highlight));
    return true;
  }
  for (const gone of changes.querySelectorAll("[data-gone]")) {
    document.getElementById(gone.dataset.gone)?.remove();
  }
  const cards = changes.querySelectorAll(".card");
  for (const card of cards) {
    const fresh = document.adoptNode(card);
    if (refresh(fresh) && highlight) fresh.classList.add("changed");
  }
  applyHeads(changes);
  document.dispatchEvent(new CustomEvent("cards-changed"));
  showChosen();
  applyNotice(changes, cards.length === 1 ? cards[0].id : "");
  return true;
}

async function post(url, body, failed) {
  const answer = await send(url, body, failed);
  if (answer) apply(answer.page, false);
  return answer;
}

// --- By itself -------------------------------------------------------------------------------------

const uids = (selector, name) => [...document.querySelectorAll(selector)].map(name).join();

// What the board shows goes with the question: so it is told which of its cards are not the reader's any more, without a word
// about any other lead.
function question(since) {
  const body = new FormData();
  body.set("since", since);
  body.set("heads", board.dataset.heads);
  body.set("cards", uids(".card[data-version]", (card) => card.id.replace("lead-", "")));
  body.set("offers", uids("[data-offer]", (offer) => offer.dataset.offer));
  return { url: board.dataset.changes, body };
}

const poll = board ? keepUp(question, board.dataset.cursor, applyPolled) : () => {};

async function applyPolled(page) {
  const changes = page.getElementById("board-changes");
  if (changes && "tooMany" in changes.dataset) await readAgain();
  else apply(page);
  if (changes && ("offers" in changes.dataset || "tooMany" in changes.dataset)) document.body.dispatchEvent(new CustomEvent("offers-changed"));
}

async function readAgain() {
  const before = sent;
  const page = parsed(await (await ask(location.href)).text());
  if (held) return waiting.push(readAgain);
  if (before !== sent) return readAgain(); // it may not know yet of what was done meanwhile
  const chosen = picks().map((pick) => cardOf(pick).id);
  const focused = cardOf(document.activeElement)?.id;
  page.querySelectorAll(".column[data-stage]").forEach(exchange);
  board.dataset.heads = page.getElementById("board").dataset.heads;
  for (const id of chosen) tick(document.getElementById(id));
  document.getElementById(focused)?.querySelector("h3 a").focus({ preventScroll: true });
  document.dispatchEvent(new CustomEvent("cards-changed"));
  showChosen();
}

function exchange(column) {
  const here = document.getElementById(column.id);
  const scrolled = here?.querySelector(".column-body").scrollTop;
  const fresh = document.adoptNode(column);
  here?.replaceWith(fresh);
  fresh.querySelector(".column-body").scrollTop = scrolled;
  globalThis.htmx?.process(fresh);
  makeSortable(fresh);
}

function tick(card) {
  if (card) card.querySelector(".pick").checked = true;
}

// --- Moving ----------------------------------------------------------------------------------------

const moveUrl = (card) => card.querySelector("[data-dialog]").href;

function moveData(card, stage, above) {
  const body = new FormData();
  body.set("stage", stage);
  body.set("version", card.dataset.version);
  if ("byHand" in board.dataset) body.set("above", above?.id.replace("lead-", "") ?? "");
  return body;
}

async function moveTo(card, column, above, putBack) {
  const { stage, kind } = column.dataset;
  const asks = kind !== "open" && card.dataset.stage !== stage;
  if (asks) return openDialog(`${moveUrl(card)}&stage=${encodeURIComponent(stage)}`, putBack);
  const answer = await post(moveUrl(card), moveData(card, stage, above), putBack);
  if (!answer) return;
  const fresh = document.getElementById(card.id);
  const list = [...(fresh?.parentElement.querySelectorAll(".card") ?? [])];
  const at = fresh ? `, ${list.indexOf(fresh) + 1} of ${list.length} shown` : "";
  const head = columnOf(fresh)?.querySelector("h2").textContent;
  if (answer.response.ok) say(`${nameOf(card)} is in ${head}${at}.`);
}

function makeSortable(column) {
  globalThis.Sortable?.create(column.querySelector(".cards"), {
    group: "cards",
    draggable: ".card",
    filter: ".more, .icon-button, .tick, button, form",
    preventOnFilter: false,
    animation: 150,
    // Native dragging does not work by touch; and a short hold on a phone leaves scrolling to the finger.
    forceFallback: true,
    fallbackTolerance: 4,
    fallbackOnBody: true,
    delay: 220,
    delayOnTouchOnly: true,
    touchStartThreshold: 6,
    scrollSensitivity: 60,
    onStart: ({ item }) => hold(item),
    onEnd: dropped,
  });
}

// While a card is dragged the board follows the pointer at its edge: neither smoothly nor from column to column.
function hold(card) {
  held = card;
  board.classList.toggle("dragging", card !== null);
}

async function dropped({ item, from, to, oldIndex, newIndex }) {
  hold(null);
  if (from !== to || ("byHand" in board.dataset && oldIndex !== newIndex)) {
    item.dataset.moved = "";
    const back = () => {
      delete item.dataset.moved;
      if (item.isConnected) from.insertBefore(item, from.children[oldIndex + (from === to && oldIndex > newIndex ? 1 : 0)] ?? null);
    };
    const above = item.previousElementSibling?.classList.contains("card") ? item.previousElementSibling : null;
    await moveTo(item, columnOf(to), above, back);
  } else if (from.children[oldIndex] !== item) {
    from.insertBefore(item, from.children[oldIndex + (oldIndex > newIndex ? 1 : 0)] ?? null);
  }
  for (const go of waiting.splice(0)) go();
}

// --- With the keyboard -----------------------------------------------------------------------------

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function onKey(event) {
  const card = cardOf(event.target);
  const [across, down] = ARROWS[event.key] ?? [];
  if (!card || across === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const columns = [...board.querySelectorAll(".column[data-stage]")];
  const at = columns.indexOf(columnOf(card));
  if (event.shiftKey) return shift(card, columns[at + across], down);
  const there = across > 0 ? columns.slice(at + 1) : columns.slice(0, at).reverse();
  step(card, there.find((column) => column.querySelector(".card")), across, down);
}

function step(card, column, across, down) {
  const target = across ? column?.querySelector(".card") : down > 0 ? card.nextElementSibling : card.previousElementSibling;
  target?.querySelector("a")?.focus();
  target?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function shift(card, column, down) {
  if (!down) {
    if (column) moveTo(card, column, null);
    else say("There is no column on that side.");
  } else if ("byHand" in board.dataset) {
    const above = down > 0 ? card.nextElementSibling : card.previousElementSibling?.previousElementSibling;
    moveTo(card, columnOf(card), above?.classList.contains("card") ? above : null);
  }
}

// --- Forms in the dialog ---------------------------------------------------------------------------

let refused = null; // puts a card back when its dialog is left

async function openDialog(url, putBack = null, body = null) {
  const answer = await send(url, body, putBack ?? undefined);
  if (answer && fill(answer.page, putBack !== null)) refused = putBack;
}

// `chosen`: whereto is known already, so that what the stage asks for comes first.
function fill(page, chosen = false) {
  if (!page.querySelector("form")) return false;
  dialog.replaceChildren(...[...page.body.childNodes].map((node) => document.adoptNode(node)));
  globalThis.htmx?.process(dialog);
  fitToStage(dialog);
  if (!dialog.open) dialog.showModal(); // which sets the focus itself
  const wrong = dialog.querySelector("[aria-invalid=true]");
  const asked = chosen && dialog.querySelector("[data-for-kind]:not([hidden]) :is(input, select)");
  (wrong || asked || dialog.querySelector("[autofocus], input:not([type=hidden]), select"))?.focus();
  return true;
}

// Shows what the chosen stage asks for, and nothing else.
function fitToStage(form) {
  const select = form.querySelector("select[name=stage]");
  if (!select) return;
  const { kind } = select.selectedOptions[0]?.dataset ?? {};
  for (const part of form.querySelectorAll("[data-for-kind]")) part.hidden = part.dataset.forKind !== kind;
}

async function submit(event) {
  const form = event.target.closest("[data-board-form], #dialog form");
  const button = event.submitter;
  if (!form || !board || button?.dataset.plain !== undefined) return;
  event.preventDefault();
  const body = new FormData(form, button);
  const url = button?.getAttribute("formaction") || form.getAttribute("action");
  if (button?.dataset.opensDialog !== undefined) return openDialog(url, null, body);
  button?.setAttribute("aria-busy", "true");
  const answer = await send(url, body);
  button?.removeAttribute("aria-busy");
  if (!answer) return;
  if (answer.page.getElementById("board-changes")) return done(form, answer);
  if (fill(answer.page, form === bulk)) return;
  location.reload();
}

function done(form, answer) {
  refused = answer.response.ok ? null : refused;
  if (form.closest("#dialog")) dialog.close();
  if (answer.response.ok && form.getAttribute("action") === bulk?.getAttribute("action")) clearChosen(answer.page);
  apply(answer.page, false);
  poll();
}

// --- Choosing many ---------------------------------------------------------------------------------

const picks = () => [...document.querySelectorAll(".pick:checked")];

function showChosen() {
  if (!bulk) return;
  const chosen = picks();
  bulk.classList.toggle("open", chosen.length > 0);
  document.documentElement.classList.toggle("choosing", chosen.length > 0);
  bulk.querySelector("[data-chosen]").textContent = `${chosen.length} selected${worthOf(chosen)}`;
  const all = document.querySelector(".pick-all");
  if (!all) return;
  const there = document.querySelectorAll(".pick").length;
  all.checked = there > 0 && chosen.length === there;
  all.indeterminate = chosen.length > 0 && chosen.length < there;
}

// In a table: what the chosen ones are worth together, written as the server writes money.
function worthOf(chosen) {
  const { currency } = document.querySelector("table[data-currency]")?.dataset ?? {};
  const cents = chosen.reduce((sum, pick) => sum + Math.round(Number(pick.dataset.worth ?? 0) * 100), 0);
  const digits = cents % 100 ? 2 : 0;
  const amount = (cents / 100).toLocaleString("en", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  return currency && cents ? ` · ${amount} ${currency}` : "";
}

function chooseAll(checked) {
  for (const pick of document.querySelectorAll(".pick")) pick.checked = checked;
  showChosen();
}

// What was not done stays chosen, to be looked at.
function clearChosen(answer = null) {
  const left = answer?.querySelector("[data-notice]")?.dataset.left.split(" ") ?? [];
  for (const pick of picks()) pick.checked = left.includes(cardOf(pick)?.id);
  showChosen();
}

// --- Beginning -------------------------------------------------------------------------------------

document.documentElement.classList.add("scripted");
document.querySelector('.strip [aria-label="My views"] [aria-current]')?.scrollIntoView({ block: "nearest", inline: "center" });

document.addEventListener("submit", submit);
document.addEventListener("reset", (event) => event.target === bulk && setTimeout(() => clearChosen()));
document.addEventListener("change", (event) => {
  if (event.target.matches(".pick")) {
    showChosen();
    cardOf(event.target)?.scrollIntoView({ block: "nearest", inline: "nearest" }); // the bar may have come over it
  }
  if (event.target.matches(".pick-all")) chooseAll(event.target.checked);
  if (event.target.matches("select[name=stage]")) fitToStage(event.target.form);
});
document.addEventListener("click", (event) => {
  const opener = event.target.closest("a[data-dialog]");
  if (opener && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    openDialog(opener.href);
  }
  if (event.target.closest("#dialog [data-close]")) {
    event.preventDefault();
    dialog.close();
  }
});
dialog?.addEventListener("close", () => {
  refused?.();
  refused = null;
  dialog.replaceChildren();
});

if (bulk) {
  fitToStage(bulk);
  showChosen();
}

// All of a card leads to its lead, but for what is pressed or marked on it.
function openCard(event) {
  const link = cardOf(event.target)?.querySelector("h3 a");
  if (!link || event.target.closest("a, button, label, form") || getSelection().toString()) return;
  if (event.ctrlKey || event.metaKey) open(link.href);
  else link.click();
}

if (board) {
  document.body.addEventListener("board-changed", poll);
  board.addEventListener("keydown", onKey);
  board.addEventListener("click", openCard);
  board.querySelectorAll(".column[data-stage]").forEach(makeSortable);
}
