// On a phone the board shows one column at a time. It opens on the one that was looked at last or, when there is nothing
// in it, on the first with cards; the chips above tell which one is in view, and lead to the others.

const board = document.getElementById("board");
const chips = document.querySelector(".jump");
const LOOKED_AT = `column of ${board?.dataset.changes.split("?")[0]}`; // the address of the page may leave the pipeline out

const columns = () => [...board.querySelectorAll(".column")];
const hasCards = (column) => Boolean(column?.querySelector(".card"));

function breadthInView(column) {
  const { left, right } = column.getBoundingClientRect();
  return Math.min(right, innerWidth) - Math.max(left, 0);
}

const inView = () => columns().reduce((best, column) => (breadthInView(column) > breadthInView(best) ? column : best));

function bring(column, behavior = "auto") {
  const room = Number.parseFloat(getComputedStyle(board).scrollPaddingLeft) || 0;
  const left = column.getBoundingClientRect().left - board.getBoundingClientRect().left - room;
  board.scrollTo({ left: board.scrollLeft + left, behavior });
}

// Returns whether another one is marked now. The strip of chips scrolls by itself, so that the page stands still.
function mark(column, behavior = "auto") {
  const chip = chips.querySelector(`[href="#${CSS.escape(column.id)}"]`);
  if (!chip || chip.hasAttribute("aria-current")) return false;
  chips.querySelector("[aria-current]")?.removeAttribute("aria-current");
  chip.setAttribute("aria-current", "true");
  const { left, width } = chip.getBoundingClientRect();
  chips.scrollBy({ left: left + width / 2 - innerWidth / 2, behavior });
  return true;
}

function first() {
  const named = document.getElementById(location.hash.slice(1));
  const before = document.getElementById(sessionStorage.getItem(LOOKED_AT));
  return columns().includes(named) ? named : hasCards(before) ? before : columns().find(hasCards);
}

function begin() {
  const column = first();
  if (column) bring(column, "instant");
  mark(inView(), "instant");
}

// Only where somebody went is remembered, not where the page opened: a first card may come before that.
function follow() {
  if (!chips.checkVisibility()) return;
  const column = inView();
  if (mark(column)) sessionStorage.setItem(LOOKED_AT, column.id);
}

function jump(event) {
  const chip = event.target.closest("a");
  if (!chip) return;
  event.preventDefault();
  const column = document.querySelector(chip.hash);
  bring(column);
  if (event.detail === 0) column.querySelector(".column-body").focus({ preventScroll: true }); // it was a key
}

if (columns().length) {
  if (chips.checkVisibility()) begin();
  board.addEventListener("scroll", follow, { passive: true });
  chips.addEventListener("click", jump);
}
