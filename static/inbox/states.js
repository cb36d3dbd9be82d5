/* The other states of a list: on its way, and failed. Empty is drawn by the server. */

import { Refused, texts } from "./page.js";

const LATE = 200;

/** Waits for `work`, and calls `show` when that takes longer than 200 ms. */
export async function whileLate(work, show) {
  const timer = setTimeout(show, LATE);
  try {
    return await work;
  } finally {
    clearTimeout(timer);
  }
}

/** Shapes in place of what is on its way; `kind` is bubbles, rows or lines. */
export function skeleton(kind, count = 5) {
  const box = document.createElement("div");
  box.className = `skeletons skeletons-${kind}`;
  box.setAttribute("aria-busy", "true");
  box.setAttribute("aria-label", texts.loading);
  box.setAttribute("role", "status");
  for (let each = 0; each < count; each++) {
    const shape = document.createElement("div");
    shape.className = "skeleton";
    box.append(shape);
  }
  return box;
}

/** Why something failed, as a sentence. Whatever is neither a refusal nor a missing network is thrown on. */
export function reason(error) {
  if (error instanceof Refused) return error.message;
  if (error instanceof TypeError) return texts.offline;
  throw error;
}

/** Says at `place` what failed, why, and offers to do it again. One note for each `name`. */
export function tellTrouble(place, name, what, error, again) {
  const why = reason(error);
  clearTrouble(place, name);
  const note = document.createElement("div");
  note.className = "trouble message message-warn small";
  note.dataset.trouble = name;
  note.setAttribute("role", "status");
  const words = document.createElement("p");
  words.textContent = `${what} ${why}`;
  note.append(words, againButton(again));
  place.prepend(note);
}

export function clearTrouble(place, name) {
  place?.querySelector(`:scope > [data-trouble="${name}"]`)?.remove();
}

export function againButton(again) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "button";
  button.textContent = texts.tryAgain;
  button.addEventListener("click", again);
  return button;
}
