// Keeps an open page up to date: asks every few seconds what happened since it asked before. A tab in the background asks for
// nothing; after a gap in the network it catches up, and meanwhile says that what it shows may be old.

const POLL = 2000;
const SLOWEST = 20_000;

export const parsed = (html) => new DOMParser().parseFromString(html, "text/html");

export async function ask(url, body = null) {
  const headers = { "HX-Request": "true", "HX-Current-URL": location.href };
  if (body) headers["X-CSRFToken"] = document.querySelector("[name=csrfmiddlewaretoken]").value;
  const response = await fetch(url, { method: body ? "POST" : "GET", body, headers });
  const elsewhere = response.headers.get("HX-Redirect");
  if (elsewhere) location.assign(elsewhere);
  return response;
}

// question: where to ask ({ url, body }) what changed since then, or for all of it; cursor: how far the page has heard, as the
// server says; changed: puts an answer (a document) in its place; again: after how many milliseconds all of it is asked
// for, for what time alone changes. Returns a function that asks at once.
export function keepUp(question, cursor, changed, again = Infinity) {
  const offline = document.getElementById("offline");
  let timer = null;
  let missed = 0;
  let complete = performance.now();

  async function look() {
    const all = performance.now() - complete > again;
    const { url, body } = question(all ? "" : cursor);
    const response = await ask(url, body);
    if (response.status === 403) return renew();
    if (response.status >= 500) throw new TypeError("broken");
    const newest = response.headers.get("X-Newest-Event");
    if (!newest) return;
    if (response.status === 200) await changed(parsed(await response.text()));
    if (all) complete = performance.now();
    cursor = newest;
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

// Who signed in again meanwhile has another token for what is sent.
async function renew() {
  const fresh = parsed(await (await ask(location.href)).text()).querySelector("[name=csrfmiddlewaretoken]");
  if (!fresh) throw new TypeError("broken");
  for (const token of document.querySelectorAll("[name=csrfmiddlewaretoken]")) token.value = fresh.value;
}
