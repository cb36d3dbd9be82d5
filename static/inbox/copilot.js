/* Help for whoever writes: a panel with a suggestion, rewriting and what was already said; thumbs for the AI agent's drafts. */

import * as insert from "./insert.js";
import { ask, attempt, byId, gathered, post, say, texts } from "./page.js";
import { skeleton, tellTrouble, whileLate } from "./states.js";

let asked = 0;

const panel = () => byId("copilot");
const parts = () => byId("copilot-parts");
const field = () => byId("words");

/** Opens the panel, or closes it when it is open. */
export function toggle() {
  if (!panel()) return;
  if (!panel().hidden) return close();
  insert.close();
  load();
}

function close({ back = true } = {}) {
  asked++;
  if (!panel() || panel().hidden) return;
  panel().hidden = true;
  parts().replaceChildren();
  byId("copilot-button")?.setAttribute("aria-expanded", "false");
  if (back) field().focus();
}

async function load() {
  const turn = ++asked;
  const stands = () => turn === asked;
  try {
    const query = new URLSearchParams({ line: byId("say-line")?.value ?? "" });
    const answer = ask(`${panel().dataset.address}?${query}`).then((response) => response.text());
    const html = await whileLate(answer, () => stands() && show(skeleton("lines", 4)));
    if (!stands()) return;
    const part = document.createElement("template");
    part.innerHTML = html;
    show(part.content);
    parts().querySelector("button")?.focus();
  } catch (error) {
    if (!stands()) return;
    show("");
    tellTrouble(parts(), "copilot", texts.copilotFailed, error, load);
  }
}

function show(content) {
  parts().replaceChildren(content);
  panel().hidden = false;
  byId("copilot-button")?.setAttribute("aria-expanded", "true");
}

/* What is suggested goes after what stands there, and never over it. */
function put(text) {
  close();
  field().setSelectionRange(field().value.length, field().value.length);
  insert.write(field().value.trim() ? `\n${text}` : text);
  insert.chooseGap();
}

async function rewrite(button) {
  const before = field().value;
  const fields = { text: before, style: button.dataset.style, line: byId("say-line")?.value ?? "" };
  button.disabled = true;
  const answer = await attempt(() => post(button.dataset.rewrite, fields));
  button.disabled = false;
  if (!answer || field()?.value !== before) return;
  const { text, note } = await answer.json();
  close();
  say(note);
  if (text === before) return;
  field().select();
  insert.write(text);
  insert.chooseGap();
}

async function judge(button) {
  const { address, seq, verdict } = button.dataset;
  if (!(await attempt(() => post(address, { seq, verdict })))) return;
  for (const other of button.parentElement.querySelectorAll("[data-verdict]")) {
    other.setAttribute("aria-pressed", String(other === button));
  }
}

/* Another line may be told other things. */
const loadSoon = gathered(() => panel() && !panel().hidden && load(), 50);

document.addEventListener("change", (event) => event.target.id === "say-line" && loadSoon());

document.addEventListener("click", (event) => {
  const hit = (selector) => event.target.closest(selector);
  if (hit("[data-put]")) put(hit("[data-put]").dataset.put);
  else if (hit("[data-rewrite]")) rewrite(hit("[data-rewrite]"));
  else if (hit("[data-verdict]")) judge(hit("[data-verdict]"));
  else if (panel() && !panel().hidden && !hit("#copilot, dialog, [data-do=copilot], [data-jump]")) close({ back: false });
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || !event.target.closest("#copilot")) return;
  event.preventDefault();
  event.stopPropagation();
  close();
});
