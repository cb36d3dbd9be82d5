/* Listening to a recording where it stands in the history. */

import { byId, post, say } from "./page.js";

byId("main").addEventListener("click", (event) => {
  const button = event.target.closest("[data-listen]");
  if (button) listen(button);
});

async function listen(button) {
  const address = button.dataset.listen;
  const place = button.closest("[data-listens]") || button.parentElement;
  button.disabled = true;
  try {
    const response = await post(address);
    const before = place.innerHTML;
    place.innerHTML = await response.text();
    const player = place.querySelector("audio");
    // The link ends after a while; the button asks for a new one.
    player?.addEventListener("error", () => (place.innerHTML = before.replace(" disabled=\"\"", "")), { once: true });
    player?.play().catch(() => player.focus());
  } catch (problem) {
    button.disabled = false;
    say(problem.message, "danger");
  }
}
