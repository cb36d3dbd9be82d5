/* The menu that a slash opens in the composer: saved replies and knowledge, found by the words after the slash. */

import { ask, byId, gathered, texts } from "./page.js";
import { skeleton, tellTrouble, whileLate } from "./states.js";

const SLASH = /(^|\s)\/([^\n/]{0,80})$/;
const NOWHERE = -1;

let asked = 0;
let searching = false;
let insertWhenFound = false;
let chosen = NOWHERE;
let leftAt = NOWHERE;

const field = () => byId("words");
const menu = () => byId("insert");
const rows = () => byId("insert-rows");
const items = () => [...rows().querySelectorAll("[role=option]")];

/* The slash before the caret: where it stands, and the words after it */
function slash() {
  const found = SLASH.exec(field().value.slice(0, field().selectionStart));
  return found && { at: found.index + found[1].length, words: found[2] };
}

/** Something was typed: opens, narrows or closes the menu. */
export function typed() {
  const found = slash();
  if (!found) leftAt = NOWHERE;
  if (!found || found.at === leftAt) return close();
  searching = true;
  lookUp(++asked);
}

/** Writes a slash where the caret is, unless one is there, and opens the menu. */
export function open() {
  field().focus();
  leftAt = NOWHERE;
  if (slash()) return typed();
  const before = field().value.slice(0, field().selectionStart);
  write(/\S$/.test(before) ? " /" : "/");
}

export function close() {
  asked++;
  searching = insertWhenFound = false;
  if (!menu()) return;
  menu().hidden = true;
  rows().replaceChildren();
  choose(NOWHERE);
}

/* Closed by the person: it stays closed for this slash, so that a slash can be part of a sentence. */
function leave() {
  leftAt = slash()?.at ?? NOWHERE;
  close();
}

const lookUp = gathered(async (turn) => {
  const found = slash();
  if (turn !== asked || !found) return;
  try {
    const query = new URLSearchParams({ q: found.words, line: byId("say-line")?.value ?? "" });
    const answer = ask(`${byId("conversation").dataset.inserts}?${query}`).then((response) => response.text());
    const html = await whileLate(answer, () => turn === asked && menu().hidden && show(skeleton("rows", 3)));
    if (turn === asked) draw(html);
  } catch (error) {
    if (turn === asked) fail(error);
  }
}, 120);

function show(content) {
  rows().replaceChildren(content);
  menu().hidden = false;
}

function draw(html) {
  const part = document.createElement("template");
  part.innerHTML = html;
  show(part.content);
  searching = false;
  choose(0);
  if (insertWhenFound && items().length) insert(items()[0]);
  insertWhenFound = false;
}

/* The rows found before stay, but none is chosen: they are not what the words ask for now. */
function fail(error) {
  searching = insertWhenFound = false;
  rows().querySelector(".skeletons, .section-empty")?.remove();
  choose(NOWHERE);
  tellTrouble(rows(), "inserts", texts.insertsFailed, error, open);
  menu().hidden = false;
}

function choose(index) {
  const all = items();
  chosen = all.length && index !== NOWHERE ? (index + all.length) % all.length : NOWHERE;
  all.forEach((item, at) => item.setAttribute("aria-selected", String(at === chosen)));
  const item = all[chosen];
  if (item) field().setAttribute("aria-activedescendant", item.id);
  else field()?.removeAttribute("aria-activedescendant");
  item?.scrollIntoView({ block: "nearest" });
}

/** A key in the field; answers whether the menu took it. */
export function took(event) {
  if (menu().hidden && !searching) return false;
  if (event.key === "Escape") leave();
  else if (event.key === "ArrowDown" || event.key === "ArrowUp") step(event.key === "ArrowDown" ? 1 : -1);
  else if (event.key === "Enter" && !event.shiftKey) enter();
  else return false;
  return true;
}

function step(by) {
  choose(chosen === NOWHERE ? (by > 0 ? 0 : items().length - 1) : chosen + by);
}

/* Never sends: what was typed after a slash is meant for the menu as long as that is open. */
function enter() {
  if (searching) insertWhenFound = true;
  else if (items()[chosen]) insert(items()[chosen]);
  else leave();
}

function insert(item) {
  const found = slash();
  const caret = field().selectionStart;
  field().focus();
  field().setSelectionRange(found ? found.at : caret, caret);
  close();
  write(item.dataset.insert);
  chooseGap();
}

/** Written as if typed, so that the browser's own undo brings back what stood there. It would cut what is too long. */
export function write(text) {
  const here = field();
  const length = here.value.length - (here.selectionEnd - here.selectionStart) + text.length;
  if (length <= here.maxLength && document.execCommand("insertText", false, text)) return;
  here.setRangeText(text, here.selectionStart, here.selectionEnd, "end");
  here.dispatchEvent(new Event("input", { bubbles: true }));
}

/* Gaps: placeholders that nothing was known for */

function gapIn(text) {
  return new RegExp(`\\{(${field().dataset.placeholders})\\}`).exec(text);
}

/** Marks the first placeholder that is not filled in, so that the next words replace it; answers it, or "". */
export function chooseGap() {
  const gap = gapIn(field().value);
  if (!gap) return "";
  field().focus();
  field().setSelectionRange(gap.index, gap.index + gap[0].length);
  return gap[0];
}

/* A press on the menu leaves the caret where it is; anywhere else closes it. */
document.addEventListener("mousedown", (event) => {
  if (event.target.closest("#insert")) event.preventDefault();
});

document.addEventListener("click", (event) => {
  const item = event.target.closest("#insert [role=option]");
  if (item) insert(item);
});

document.addEventListener("focusout", (event) => {
  if (event.target.id === "words" && menu() && !event.relatedTarget?.closest("#insert, [data-do=insert]")) close();
});
