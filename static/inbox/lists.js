/* The left pane: presence, offers, tabs and rows. The server draws it; this asks for it anew when work has moved. */

import { ask, attempt, body, byId, fill, gathered, post, say, showPane, texts } from "./page.js";
import { skeleton, tellTrouble, whileLate } from "./states.js";
import { refreshTimes } from "./times.js";

const RETRY_AFTER = 10000;
const pane = byId("lists");
let tab = pane.querySelector("[data-tab][aria-current]")?.dataset.tab || "mine";
let show = "";
let asked = 0;
let cursor = null;
let shown = { tab, at: new Date() };
let retryTimer;
const title = { base: document.title };

const tabLink = (name) => pane.querySelector(`[data-tab="${name}"]`);

/** Asks for the lists as they are now. A failure leaves the old rows, says so, and is tried again by itself. */
export async function refreshLists() {
  clearTimeout(retryTimer);
  const turn = ++asked;
  const wanted = tab;
  try {
    const html = await whileLate(fetchLists(wanted), () => turn === asked && wanted !== shown.tab && cover());
    if (turn !== asked) return;
    draw(html);
    shown = { tab: wanted, at: new Date() };
  } catch (error) {
    if (turn !== asked) return;
    uncover();
    tellStale(wanted, error);
    retryTimer = setTimeout(refreshLists, RETRY_AFTER);
  }
}

async function fetchLists(wanted) {
  const open = byId("conversation")?.dataset.publicId || "";
  const query = new URLSearchParams({ tab: wanted, show, current: open });
  return (await ask(`${body.dataset.lists}?${query}`)).text();
}

/* The rows of another list would be wrong under the new tab; they come back when it cannot be loaded. */
function cover() {
  if (byId("queue-rows").hidden) return;
  byId("queue-rows").hidden = true;
  byId("queue-rows").after(skeleton("rows"));
}

function uncover() {
  byId("queue-rows").hidden = false;
  pane.querySelector(":scope > .skeletons")?.remove();
}

function tellStale(wanted, error) {
  const time = shown.at.toLocaleTimeString(document.documentElement.lang || undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  const nameOf = (name) => tabLink(name)?.firstChild.textContent.trim();
  const what =
    wanted === shown.tab
      ? fill(texts.listFailed, { time })
      : fill(texts.tabFailed, { name: nameOf(wanted), shown: nameOf(shown.tab), time });
  markTab(shown.tab);
  tellTrouble(byId("lists-trouble"), "lists", what, error, refreshLists);
}

function markTab(name) {
  for (const each of pane.querySelectorAll("[data-tab]")) each.removeAttribute("aria-current");
  tabLink(name)?.setAttribute("aria-current", "true");
}

export const refreshListsSoon = gathered(refreshLists, 120);

function draw(html) {
  const focused = document.activeElement?.closest?.("#lists") ? document.activeElement.id : "";
  const known = new Set(offerIds());
  const top = byId("queue-rows").scrollTop;
  pane.innerHTML = html;
  byId("stopped").innerHTML = byId("stopped-now").innerHTML;
  byId("queue-rows").scrollTop = top;
  if (focused) byId(focused)?.focus({ preventScroll: true });
  markCursor();
  markOpen(byId("conversation")?.dataset.publicId);
  refreshTimes(pane);
  const fresh = offerIds().filter((id) => !known.has(id));
  if (fresh.length) tellOffer(fresh[0]);
  retitle();
}

function offerIds() {
  return [...pane.querySelectorAll("[data-offer]")].map((offer) => offer.dataset.offer);
}

function tellOffer(id) {
  const offer = byId(`offer-${id}`);
  const name = offer.querySelector("strong").textContent;
  const why = offer.querySelector(".offer-why").textContent;
  const sentence = fill(texts.offered, { name, why });
  if (byId("main").dataset.pane !== "lists" && matchMedia("(max-width: 899px)").matches) say(sentence);
  else byId("spoken-offers").textContent = sentence;
}

export function retitle(base) {
  if (base) title.base = base;
  const offers = offerIds().length;
  document.title = offers ? `(${offers}) ${title.base}` : title.base;
}

export function chooseTab(name) {
  if (!tabLink(name)) return;
  markTab(name);
  tab = name;
  show = "";
  cursor = null;
  byId("queue-rows").scrollTop = 0;
  showPane("lists");
  refreshLists();
}

export function markOpen(publicId) {
  for (const row of pane.querySelectorAll("[data-row]")) {
    if (row.dataset.row === publicId) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
}

/** Moves the focus through the rows by `step`. */
export function moveRow(step) {
  const rows = [...pane.querySelectorAll("[data-row]")];
  if (!rows.length) return;
  const focused = rows.indexOf(document.activeElement?.closest?.("[data-row]"));
  const remembered = rows.findIndex((row) => row.id === cursor);
  const current = rows.findIndex((row) => row.getAttribute("aria-current"));
  const from = [focused, remembered, current].find((index) => index >= 0) ?? (step > 0 ? -1 : rows.length);
  const next = rows[Math.min(rows.length - 1, Math.max(0, from + step))];
  cursor = next.id;
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

function markCursor() {
  if (cursor && !byId(cursor)) cursor = null;
}

export function chooseCursor() {
  return cursor ? byId(cursor) : null;
}

export async function setPresence(state) {
  const answer = await attempt(() => post(pane.dataset.presenceUrl, { state }));
  if (answer) await refreshLists();
}

/** Takes an offer; the answer says which conversation to open. */
export async function accept(url, open) {
  const buttons = document.querySelectorAll(`[data-accept="${CSS.escape(url)}"]`);
  for (const button of buttons) button.disabled = true;
  const answer = await attempt(() => post(url));
  for (const button of buttons) button.disabled = false;
  if (answer) {
    tab = "mine";
    await open(answer.headers.get("X-Open"));
  }
  await refreshLists();
}

export function firstOffer() {
  return pane.querySelector("[data-accept]");
}

pane.addEventListener("click", (event) => {
  const hit = (selector) => event.target.closest(selector);
  if (hit("[data-tab]") && !event.ctrlKey && !event.metaKey) {
    event.preventDefault();
    chooseTab(hit("[data-tab]").dataset.tab);
  } else if (hit("[data-presence]")) setPresence(hit("[data-presence]").dataset.presence);
  else if (hit("[data-show]")) {
    show = hit("[data-show]").dataset.show;
    refreshLists();
  } else if (hit("[data-decline]")) attempt(() => post(hit("[data-decline]").dataset.decline)).then(refreshLists);
});

pane.addEventListener("inbox:offer-over", () => setTimeout(refreshLists, 1500));
