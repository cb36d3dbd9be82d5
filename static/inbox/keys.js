/* The keyboard, the palette and the dialogs. */

import { ask, body, byId, gathered, inField, showPane, texts } from "./page.js";
import * as composer from "./composer.js";
import * as copilot from "./copilot.js";
import { showDialog, whenDone } from "./dialogs.js";
import * as history from "./history.js";
import * as lists from "./lists.js";
import { skeleton, tellTrouble, whileLate } from "./states.js";

const GO_WITHIN = 1200;
let goUntil = 0;
let finding = false;

const click = (selector) => document.querySelector(selector)?.click();

/* Everything that can be done by a key, the palette or a button, by name */
const deeds = {
  palette: openPalette,
  keys: () => showDialog(byId("keys")),
  "tab-mine": () => lists.chooseTab("mine"),
  "tab-waiting": () => lists.chooseTab("waiting"),
  "tab-open": () => lists.chooseTab("open"),
  reply: () => composer.setMode("say"),
  note: () => composer.setMode("note"),
  insert: () => composer.openInsert(),
  copilot: copilot.toggle,
  transfer: () => click('[data-key="t"]'),
  verify: () => click('[data-key="v"]'),
  tools: () => click('[data-key="u"]'),
  close: () => click('[data-key="e"]'),
  hold: () => click('#call-panel [data-key="h"]'),
  mute: () => click('#call-panel [data-key="m"]'),
  somebody: () => click('#call-panel [data-key="p"]'),
  available: () => lists.setPresence("available"),
  away: () => click("#presence-away"),
  accept: () => lists.firstOffer()?.click(),
  customer: () => {
    showPane("customer");
    [...byId("customer-pane").querySelectorAll("summary, a, button")].find((each) => each.checkVisibility())?.focus();
  },
  board: () => click("[data-board]"),
  reports: () => location.assign("/reports/"),
  admin: () => location.assign("/admin/"),
};

const KEYS = {
  j: () => lists.moveRow(1),
  k: () => lists.moveRow(-1),
  a: deeds.accept,
  r: deeds.reply,
  n: deeds.note,
  t: deeds.transfer,
  u: deeds.tools,
  c: deeds.copilot,
  v: deeds.verify,
  e: deeds.close,
  h: deeds.hold,
  m: deeds.mute,
  p: deeds.somebody,
  "/": deeds.insert,
  "?": deeds.keys,
  Enter: () => lists.chooseCursor()?.click(),
};

const GO = {
  m: deeds["tab-mine"],
  w: deeds["tab-waiting"],
  o: deeds["tab-open"],
  c: deeds.customer,
  b: deeds.board,
  r: deeds.reports,
  a: deeds.admin,
};

document.addEventListener("keydown", (event) => {
  if (event.key.toLowerCase() === "k" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    return openPalette();
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (inField(event.target) || document.querySelector("dialog[open]")) return;
  if (event.key === "Enter" && event.target.closest("a, button, summary")) return;
  const waitsForGo = Date.now() < goUntil;
  goUntil = 0;
  if (!waitsForGo && event.key === "g") {
    goUntil = Date.now() + GO_WITHIN;
    return;
  }
  const deed = waitsForGo ? GO[event.key] : KEYS[event.key];
  if (!deed) return;
  event.preventDefault();
  deed();
});

/* Buttons */

document.addEventListener("click", (event) => {
  const hit = (selector) => event.target.closest(selector);
  const row = hit("[data-row]");
  if (row && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    byId("palette").close();
    history.open(row.href);
  } else if (hit("[data-do]")) run(hit("[data-do]").dataset.do);
  else if (hit("[data-accept]")) lists.accept(hit("[data-accept]").dataset.accept, history.open);
  else if (hit("[data-pane-to]")) showPane(hit("[data-pane-to]").dataset.paneTo);
});

function run(name) {
  if (byId("palette").open && name !== "palette") byId("palette").close();
  deeds[name]?.();
}

whenDone((address) => {
  if (address) history.open(address);
  else history.refreshAll();
  lists.refreshListsSoon();
});

/* The palette */

function openPalette() {
  byId("palette-words").value = "";
  byId("palette-found").replaceChildren();
  byId("palette-state").replaceChildren();
  filterActions("");
  showDialog(byId("palette"));
  byId("palette-words").focus();
}

function options() {
  return [...byId("palette-options").querySelectorAll("[role=option]")].filter((option) => !option.hidden);
}

function filterActions(text) {
  for (const option of byId("palette-actions").children) {
    option.hidden = !option.textContent.toLowerCase().includes(text.toLowerCase());
  }
  mark(0);
}

function mark(index) {
  const all = options();
  const at = all.length ? (index + all.length) % all.length : -1;
  all.forEach((option, each) => option.setAttribute("aria-selected", String(each === at)));
  all[at]?.scrollIntoView({ block: "nearest" });
  const input = byId("palette-words");
  if (all[at]) input.setAttribute("aria-activedescendant", all[at].id);
  else input.removeAttribute("aria-activedescendant");
  byId("palette-none").hidden = all.length > 0 || finding;
}

function marked() {
  return options().findIndex((option) => option.getAttribute("aria-selected") === "true");
}

const findSoon = gathered(async (text) => {
  const stands = () => byId("palette-words").value === text;
  const state = byId("palette-state");
  try {
    const answer = ask(`${body.dataset.find}?${new URLSearchParams({ q: text })}`).then((response) => response.text());
    const html = await whileLate(answer, () => stands() && state.replaceChildren(skeleton("rows", 3)));
    if (!stands()) return;
    finding = false;
    state.replaceChildren();
    byId("palette-found").innerHTML = html;
    mark(0);
  } catch (error) {
    if (!stands()) return;
    state.replaceChildren();
    tellTrouble(state, "find", texts.findFailed, error, () => findSoon(text));
  }
}, 150);

byId("palette-words").addEventListener("input", (event) => {
  finding = true;
  filterActions(event.target.value);
  findSoon(event.target.value);
});

byId("palette-words").addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    mark(marked() + (event.key === "ArrowDown" ? 1 : -1));
  } else if (event.key === "Enter") {
    event.preventDefault();
    options()[marked()]?.click();
  }
});

/* A click beside a dialog closes it; what was typed in a form there stays in nobody's way. */
for (const dialog of [byId("palette"), byId("keys")]) {
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
}
