/* The left pane: presence, offers, tabs and rows. The server draws it; this asks for it anew when work has moved. */

import { ask, attempt, body, byId, gathered, post, say, showPane } from "./page.js";
import { refreshTimes } from "./times.js";

const pane = byId("lists");
let tab = pane.querySelector("[data-tab][aria-current]")?.dataset.tab || "mine";
let show = "";
let asked = 0;
let cursor = null;
const title = { base: document.title };

/** Asks for the lists as they are now; a failure leaves the old ones and says so. */
export async function refreshLists() {
  const turn = ++asked;
  const open = byId("conversation")?.dataset.publicId || "";
  const query = new URLSearchParams({ tab, show, current: open });
  try {
    const html = await (await ask(`${body.dataset.lists}?${query}`)).text();
    if (turn === asked) draw(html);
    pane.removeAttribute("data-stale");
  } catch {
    pane.dataset.stale = "true";
  }
}

export const refreshListsSoon = gathered(refreshLists, 120);

function draw(html) {
  const focused = document.activeElement?.closest?.("#lists") ? document.activeElement.id : "";
  const known = new Set(offerIds());
  const top = byId("queue-rows").scrollTop;
  pane.innerHTML = html;
  byId("queue-rows").scrollTop = top;
  if (focused) byId(focused)?.focus({ preventScroll: true });
  markCursor();
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
  if (byId("main").dataset.pane !== "lists" && matchMedia("(max-width: 899px)").matches) say(`Offered to you: ${name}. ${why}`);
  else byId("spoken-offers").textContent = `Offered to you: ${name}. ${why}`;
}

export function retitle(base) {
  if (base) title.base = base;
  const offers = offerIds().length;
  document.title = offers ? `(${offers}) ${title.base}` : title.base;
}

export function chooseTab(name) {
  const chosen = pane.querySelector(`[data-tab="${name}"]`);
  if (!chosen) return;
  for (const each of pane.querySelectorAll("[data-tab]")) each.removeAttribute("aria-current");
  chosen.setAttribute("aria-current", "true");
  tab = name;
  show = "";
  cursor = null;
  byId("queue-rows").scrollTop = 0;
  showPane("lists");
  attempt(refreshLists);
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
    attempt(refreshLists);
  } else if (hit("[data-decline]")) attempt(() => post(hit("[data-decline]").dataset.decline)).then(refreshLists);
});

pane.addEventListener("inbox:offer-over", () => setTimeout(refreshLists, 1500));
