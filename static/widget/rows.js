// What is to be seen, from what happened: entries and undelivered messages become rows, each with a steady key.

import { cardsOf, isToldByCard } from "./cards.js";

const BOOKINGS = { "booking.made": "bookingMade", "booking.changed": "bookingChanged", "booking.cancelled": "bookingCancelled" };
const TOGETHER = 5 * 60_000;
const HIDDEN = new Set(["call.ringing", "call.dtmf", "interaction.started", "interaction.ended"]);
const WORDS = {
  "call.answered": "callStarted",
  "conversation.closed": "conversationClosed",
};

/**
 * Rows in reading order. `entries` are wire entries by seq, `messages` what the outbox shows beside them.
 * Row kinds: "bubble", "booking", "line". A chat that was begun with another greeting keeps that one.
 */
export function rows({ greeting, greetedBy, entries, messages, texts, times }) {
  const list = [];
  const name = speakerName(greetedBy, "", texts);
  const begunOtherwise = entries.some((entry) => entry.kind === "disclosure.shown" && entry.body && entry.body !== greeting);
  if (greeting && !begunOtherwise) list.push({ key: "greeting", kind: "bubble", speaker: "assistant", name, text: greeting });
  const labels = new Map();
  const open = openQuestion(entries, messages);
  for (const [place, entry] of entries.entries()) {
    const later = () => entries.slice(place + 1);
    for (const reply of entry.data?.quick_replies ?? []) labels.set(reply.value, reply.label);
    for (const option of entry.data?.field?.options ?? []) if (option?.value) labels.set(option.value, option.label);
    const row = rowOf(entry, { greeting, labels, texts, times, later, open });
    if (row) list.push(row);
  }
  for (const message of messages) list.push(undelivered(message, labels, texts));
  return list.map((row, place) => ({ ...row, first: startsGroup(row, list[place - 1]), last: endsGroup(row, list[place + 1]) }));
}

/** The last message when it still waits for the customer's answer, else null. It may carry quick replies or a field. */
export function openQuestion(entries, messages) {
  const last = entries.findLast((entry) => entry.kind === "message" || entry.kind === "conversation.closed");
  if (!last || last.kind !== "message" || last.actor_kind === "customer") return null;
  return messages.some((message) => message.state !== "refused") ? null : last;
}

/** How a speaker is called: people by their first name only, the AI agent always as an AI, and nothing else as one. */
export function speakerName(kind, name, texts) {
  if (kind === "system") return texts.automatic;
  if (kind === "agent") return name.trim().split(/\s+/)[0] || texts.person;
  return kind === "customer" ? texts.you : texts.assistant;
}

function rowOf(entry, { greeting, labels, texts, times, later, open }) {
  const key = entry.data?.client_id ?? `entry-${entry.chapter}-${entry.seq}`;
  const base = { key, at: entry.occurred_at, call: entry.channel === "voice" };
  if (entry.redacted) return { ...base, kind: "line", text: texts.removed };
  if (entry.kind === "message" || entry.kind === "disclosure.shown") {
    if (entry.kind === "disclosure.shown" && (entry.body === greeting || !entry.body)) return null;
    const speaker = ["customer", "agent"].includes(entry.actor_kind) ? entry.actor_kind : "assistant";
    const text = speaker === "customer" ? (labels.get(entry.body) ?? entry.body) : entry.body;
    const name = speakerName(entry.actor_kind, entry.actor_name, texts);
    const cards = cardsOf(entry, later, open);
    const shown = new Set(cards.map((card) => card.url));
    const sources = (entry.data?.sources ?? []).filter((source) => !shown.has(source.url));
    return { ...base, kind: "bubble", speaker, name, text, sources, cards };
  }
  if (entry.kind in BOOKINGS) {
    if (isToldByCard(entry, later)) return null;
    const cancelled = entry.kind === "booking.cancelled";
    return { ...base, kind: "booking", title: texts[BOOKINGS[entry.kind]], cancelled, text: entry.body, visit: entry.data };
  }
  if (entry.kind === "interaction.ended" && base.call) {
    const seconds = entry.data?.duration_seconds;
    return { ...base, kind: "line", text: seconds ? `${texts.callEnded} · ${times.length(seconds)}` : texts.callEnded };
  }
  if (HIDDEN.has(entry.kind)) return null;
  const text = entry.body || texts[WORDS[entry.kind]] || "";
  return text ? { ...base, kind: "line", text } : null;
}

function undelivered(message, labels, texts) {
  return {
    key: message.client_id,
    kind: "bubble",
    speaker: "customer",
    name: texts.you,
    text: labels.get(message.text) ?? message.text,
    at: new Date(message.at).toISOString(),
    state: message.state,
    reason: message.reason,
    clientId: message.client_id,
  };
}

function startsGroup(row, before) {
  if (row.kind !== "bubble" || before?.kind !== "bubble") return true;
  return before.speaker !== row.speaker || before.name !== row.name || Boolean(before.call) !== Boolean(row.call);
}

/** The time stands under the last bubble of a group, and wherever the next one came minutes later. */
function endsGroup(row, after) {
  return !after || startsGroup(after, row) || new Date(after.at) - new Date(row.at) > TOGETHER;
}
