"use strict";

// Switches messages on in this browser: asks for leave, subscribes with this site's key, and tells the server.
{
  const box = document.querySelector("[data-push-key]");
  const button = document.getElementById("push-on");
  const state = document.getElementById("push-state");

  const say = (text) => {
    state.textContent = text;
    state.hidden = false;
  };

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));

  const subscribe = async () => {
    if ((await Notification.requestPermission()) !== "granted") return "This browser does not allow it for this site.";
    const worker = await navigator.serviceWorker.register(box.dataset.pushWorker);
    const wish = { userVisibleOnly: true, applicationServerKey: bytes(box.dataset.pushKey) };
    const subscription = await worker.pushManager.subscribe(wish);
    const answer = await fetch(box.dataset.pushUrl, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": button.form.csrfmiddlewaretoken.value },
      body: JSON.stringify(subscription),
    });
    return answer.ok ? "This browser shows your messages now." : (await answer.json()).detail;
  };

  if (button && box.dataset.pushKey && "serviceWorker" in navigator && "PushManager" in window) {
    button.hidden = false;
    button.addEventListener("click", async (event) => {
      event.preventDefault();
      try {
        say(await subscribe());
      } catch (error) {
        say(`This did not work: ${error.message}`);
      }
    });
  }
}
