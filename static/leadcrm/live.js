// Keeps an open page up to date: asks every few seconds what happened since an event. A tab in the background asks for
// nothing; after a gap in the network it catches up, and meanwhile says that what it shows may be old.

const POLL = 2000;
const SLOWEST = 20_000;
// Events are numbered when they are written and seen when they are committed, so each answer looks back a little.
const LOOKS_BACK = 3;

export const parsed = (html) => new DOMParser().parseFromString(html, "text/html");

export async function ask(url, body = null) {
  const headers = { "HX-Request": "true", "HX-Current-URL": location.href };
  if (body) headers["X-CSRFToken"] = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const response = await fetch(url, { method: body ? "POST" : "GET", body, headers });
  const elsewhere = response.headers.get("HX-Redirect");
  if (elsewhere) location.assign(elsewhere);
  return response;
}

// url: where to ask, to which the event is added, or nothing for all of it; cursor: the newest event that the page knows;
// changed: puts an answer (a document) in its place, told whether there is an event that it did not know, and says whether
// it has read everything anew; again: after how many milliseconds all of it is asked for, for what time alone changes.
// Returns a function that asks at once.
export function keepUp(url, cursor, changed, again = Infinity) {
  const offline = document.getElementById("offline");
  const cursors = [cursor];
  let timer = null;
  let missed = 0;
  let complete = performance.now();

  async function put(response, newest) {
    if (response.status !== 200) return false;
    return changed(parsed(await response.text()), newest !== cursors.at(-1));
  }

  async function look() {
    const all = performance.now() - complete > again;
    const response = await ask(url(all ? "" : cursors[0]));
    if (response.status >= 500) throw new TypeError("broken");
    const newest = response.headers.get("X-Newest-Event");
    if (!newest) return;
    if (await put(response, newest)) cursors.length = 0;
    if (all) complete = performance.now();
    cursors.push(newest);
    if (cursors.length > LOOKS_BACK) cursors.shift();
  }

  async function poll() {
    clearTimeout(timer);
    if (document.hidden) return;
    try {
      await look();
      missed = 0;
    } catch {
      missed += 1;
    }
    offline.hidden = missed < 1;
    timer = setTimeout(poll, Math.min(POLL * 2 ** Math.max(0, missed - 1), SLOWEST));
  }

  document.addEventListener("visibilitychange", () => document.hidden || poll());
  globalThis.addEventListener("online", poll);
  globalThis.addEventListener("offline", () => (offline.hidden = false));
  timer = setTimeout(poll, POLL);
  return poll;
}
