/* Writing: drafts are kept per conversation, what is sent waits in an outbox until the server has it. */

import { ask, body, byId, gathered, newId, post, recall, Refused, remember } from "./page.js";

const OUTBOX = "cxhub.outbox";
const TYPING_EVERY = 3000;
const SLASH = /(^|\s)\/([^\n/]{0,80})$/;

let socket;
let want;
let lastTyping = 0;
let sending = false;
let chosen = -1;

export function begin(inboxSocket, wantEntries) {
  socket = inboxSocket;
  want = wantEntries;
  addEventListener("online", flush);
  socket.addEventListener("up", flush);
  setInterval(flush, 10000);
}

const form = () => byId("composer");
const words = () => byId("words");
const conversation = () => byId("conversation")?.dataset;
const mode = () => form().dataset.mode;
const draftKey = (which) => `cxhub.draft.${conversation().conversation}.${which}`;

/* Opening and changing what it does */

export function mount() {
  if (!form()) return;
  const state = byId("composer-state").dataset;
  const kept = recall(draftKey("note")) && !recall(draftKey("say"));
  setMode(state.canSay === "true" && !kept ? "say" : "note", { focus: false });
  drawUnsent();
  flush();
}

export function setMode(which, { focus = true } = {}) {
  if (!form()) return;
  if (mode() !== which) keepDraft();
  form().dataset.mode = which;
  for (const button of form().querySelectorAll("[data-mode-to]")) {
    button.setAttribute("aria-pressed", String(button.dataset.modeTo === which));
  }
  const field = words();
  field.value = recall(draftKey(which)) || "";
  field.placeholder = which === "say" ? field.dataset.placeholderSay : field.dataset.placeholderNote;
  closeInsert();
  stateChanged();
  if (focus) field.focus();
}

/** The owner or the line changed: the button says what it does now. */
export function stateChanged() {
  if (!form()) return;
  const state = byId("composer-state").dataset;
  const saying = mode() === "say";
  byId("send-label").textContent = saying ? state.sayLabel : state.noteLabel;
  byId("send").setAttribute("aria-disabled", String(saying && state.canSay !== "true"));
}

function keepDraft() {
  if (form()) remember(draftKey(mode()), words().value);
}

function complain(text) {
  const line = byId("composer-error");
  line.textContent = text;
  line.hidden = !text;
}

/* Sending */

function submit() {
  const text = words().value.trim();
  complain("");
  if (!text) return complain("There is nothing to send yet.");
  if (mode() === "say" && byId("composer-state").dataset.canSay !== "true") return complain(byId("composer-state").textContent);
  const here = conversation();
  const message = {
    client_id: newId(),
    conversation: here.conversation,
    url: mode() === "say" ? here.say : here.note,
    mode: mode(),
    text,
  };
  saveOutbox([...outbox(), message]);
  words().value = "";
  keepDraft();
  tellTyping(false);
  drawUnsent();
  byId("history").scrollTop = byId("history").scrollHeight;
  flush();
}

function outbox() {
  try {
    return JSON.parse(recall(OUTBOX) || "[]");
  } catch {
    return [];
  }
}

function saveOutbox(messages) {
  remember(OUTBOX, messages.length ? JSON.stringify(messages) : null);
}

function change(clientId, changes) {
  saveOutbox(outbox().map((each) => (each.client_id === clientId ? { ...each, ...changes } : each)));
}

function drop(clientId) {
  saveOutbox(outbox().filter((each) => each.client_id !== clientId));
}

/** Sends what waits, oldest first. A repetition is harmless: the server knows each client_id. */
async function flush() {
  if (sending) return;
  sending = true;
  try {
    for (const message of outbox()) {
      if (message.refused || message.seq) continue;
      if (!(await sendOne(message))) break;
    }
  } finally {
    sending = false;
  }
  drawUnsent();
  if (outbox().some((each) => !each.refused && !each.seq && !each.tried)) flush();
}

async function sendOne(message) {
  try {
    const answer = await post(message.url, { text: message.text, client_id: message.client_id });
    const { seq } = await answer.json();
    const here = conversation();
    if (here?.conversation === message.conversation && Number(here.upto) < seq) {
      change(message.client_id, { seq });
      want(seq);
    } else drop(message.client_id);
    return true;
  } catch (error) {
    if (error instanceof Refused && error.status < 500 && error.status !== 401) change(message.client_id, { refused: error.message });
    else change(message.client_id, { tried: true });
    return error instanceof Refused && error.status < 500;
  }
}

/** Everything up to a seq is drawn, so what waited for it here is no longer shown twice. */
export function drawn(seq) {
  const here = conversation().conversation;
  const messages = outbox();
  const rest = messages.filter((each) => each.conversation !== here || !each.seq || each.seq > seq);
  if (rest.length !== messages.length) saveOutbox(rest);
  drawUnsent();
}

function drawUnsent() {
  const list = byId("unsent");
  if (!list) return;
  const here = conversation();
  const waiting = outbox().filter((each) => each.conversation === here.conversation && !(each.seq && each.seq <= Number(here.upto)));
  list.replaceChildren(...waiting.map(unsentItem));
}

function unsentItem(message) {
  const item = document.createElement("li");
  const text = document.createElement("div");
  const state = document.createElement("p");
  item.className = message.mode === "say" ? "entry bubble-line by-agent is-unsent" : "entry note is-unsent";
  text.className = message.mode === "say" ? "bubble" : "note-text";
  text.textContent = message.text;
  state.className = "unsent-state small muted";
  if (message.refused) {
    const back = document.createElement("button");
    back.type = "button";
    back.className = "button";
    back.textContent = "Put back into the field";
    back.addEventListener("click", () => putBack(message));
    state.append(message.refused, " ", back);
    state.setAttribute("role", "alert");
  } else state.textContent = message.tried ? "Waits for the connection" : "Sending";
  item.append(text, state);
  return item;
}

function putBack(message) {
  drop(message.client_id);
  setMode(message.mode);
  words().value = [message.text, words().value].filter(Boolean).join("\n");
  keepDraft();
  drawUnsent();
}

function tellTyping(active) {
  if (mode() !== "say" || byId("composer-state").dataset.canSay !== "true") return;
  const now = Date.now();
  if (active && now - lastTyping < TYPING_EVERY) return;
  lastTyping = active ? now : 0;
  socket.send({ type: "typing", active });
}

/* Knowledge: "/" and some words */

function typedSlash() {
  const field = words();
  return SLASH.exec(field.value.slice(0, field.selectionStart));
}

const lookUp = gathered(async () => {
  const found = typedSlash();
  if (!found) return closeInsert();
  try {
    const answer = await ask(`${body.dataset.knowledge}?${new URLSearchParams({ q: found[2] })}`);
    byId("insert").innerHTML = await answer.text();
  } catch {
    byId("insert").textContent = "The knowledge base cannot be reached right now.";
  }
  byId("insert").hidden = !typedSlash();
  choose(0);
}, 150);

export function openInsert() {
  setMode(mode());
  const field = words();
  const needsSpace = field.value && !/\s$/.test(field.value);
  field.setRangeText(needsSpace ? " /" : "/", field.selectionStart, field.selectionEnd, "end");
  lookUp();
}

function closeInsert() {
  byId("insert").hidden = true;
  chosen = -1;
}

function insertItems() {
  return [...byId("insert").querySelectorAll(".insert-item")];
}

function choose(index) {
  const items = insertItems();
  chosen = items.length ? (index + items.length) % items.length : -1;
  items.forEach((item, at) => item.setAttribute("aria-selected", String(at === chosen)));
  items[chosen]?.scrollIntoView({ block: "nearest" });
}

function insert(item) {
  const field = words();
  const found = typedSlash();
  const from = found ? found.index + found[1].length : field.selectionStart;
  field.setRangeText(item.dataset.insert, from, field.selectionStart, "end");
  keepDraft();
  closeInsert();
  field.focus();
}

/* What the person does */

document.addEventListener("submit", (event) => {
  if (event.target.id !== "composer") return;
  event.preventDefault();
  submit();
});

document.addEventListener("input", (event) => {
  if (event.target.id !== "words") return;
  keepDraft();
  complain("");
  tellTyping(true);
  if (typedSlash()) lookUp();
  else closeInsert();
});

document.addEventListener("keydown", (event) => {
  if (event.target.id !== "words" || event.isComposing) return;
  const inserting = !byId("insert").hidden;
  if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    if (inserting) closeInsert();
    else words().blur();
  } else if (inserting && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    choose(chosen + (event.key === "ArrowDown" ? 1 : -1));
  } else if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    const item = inserting ? insertItems()[chosen] : null;
    if (item) insert(item);
    else submit();
  }
});

document.addEventListener("click", (event) => {
  const modeButton = event.target.closest("[data-mode-to]");
  const item = event.target.closest(".insert-item");
  if (modeButton) setMode(modeButton.dataset.modeTo);
  else if (item) insert(item);
});

document.addEventListener("focusout", (event) => {
  if (event.target.id === "words" && form()) tellTyping(false);
});
