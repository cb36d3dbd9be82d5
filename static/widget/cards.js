// What a reply tells, set out at a glance below its words: a visit, prices, an order, invoices, an article, a code on its way.

import { element, icon } from "./dom.js";
import { link, safeAddress } from "./links.js";

const ICONS = { visit: "calendar", prices: "tag", order: "box", invoices: "page", article: "page", code: "shield" };

/**
 * The cards of an entry, each with `live`: whether its buttons still do something. They do not once a later card or booking is
 * about the same, when its time has come, or, for a card that asks, when something was said after it. `open` is the entry that waits
 * for an answer, `later()` what came after this entry.
 */
export function cardsOf(entry, later, open) {
  const cards = entry.data?.cards ?? [];
  const after = cards.length ? later() : [];
  return cards.map((card) => ({ ...card, live: isLive(card, entry, after, open) }));
}

/** Whether a booking is told by a card of the reply that came with it, so that it need not stand there twice. */
export function isToldByCard(booking, later) {
  const key = `visit:${booking.data?.reference}`;
  const answer = later().find((entry) => entry.kind === "message");
  return answer?.actor_kind !== "customer" && (answer?.data?.cards ?? []).some((card) => card.key === key);
}

function isLive(card, entry, later, open) {
  if (card.until && Date.parse(card.until) <= Date.now()) return false;
  if (card.asks && open?.seq !== entry.seq) return false;
  return !later.some((other) => replaces(other, card.key));
}

function replaces(entry, key) {
  if (entry.kind.startsWith("booking.")) return key === `visit:${entry.data?.reference}`;
  return (entry.data?.cards ?? []).some((card) => card.key === key);
}

/** The card at a place of its message, as an element; `send(text)` says something as the customer. Null for an article without an address. */
export function cardNode(card, place, { server, send }) {
  const address = card.url ? safeAddress(card.url, server) : null;
  if (card.kind === "article" && !address) return null;
  const title = element("p", { class: "card-title" }, address ? link(address, card.title) : card.title);
  const rows = [...(card.rows ?? []).map((row) => line(row)), card.total ? line(card.total, "card-total") : null];
  return element(
    "section",
    { class: `reply-card${card.over ? " over" : ""}`, role: "group", "aria-label": card.title, "data-card": place },
    icon(ICONS[card.kind] ?? "page"),
    element("div", {}, title, rows.some(Boolean) ? element("dl", { class: "card-rows" }, ...rows) : null),
    card.buttons?.length ? element("div", { class: "choices" }, ...card.buttons.map((button) => press(button, send))) : null,
  );
}

/** Lets the buttons of drawn cards do something, or nothing any more, without drawing them anew: nothing is announced. */
export function settle(node, cards) {
  for (const [place, card] of cards.entries()) {
    for (const button of node.querySelectorAll(`[data-card="${place}"] button`)) button.disabled = !card.live;
  }
}

function line({ label, value }, name) {
  return element("div", { class: name }, element("dt", {}, label), element("dd", {}, value));
}

function press({ label, value }, send) {
  return element("button", { type: "button", class: "choice", on: { click: () => send(String(value)) } }, label);
}
