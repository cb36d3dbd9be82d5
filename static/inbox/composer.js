/* Writing: drafts are kept per conversation, what is sent waits in an outbox until the server has it. */

import * as insert from "./insert.js";
import { byId, fill, newId, post, recall, Refused, remember, texts } from "./page.js";

const OUTBOX = "cxhub.outbox";
const TYPING_EVERY = 3000;

let socket;
let want;
let lastTyping = 0;
let sending = false;

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
  insert.close();
  stateChanged();
  if (focus) field.focus();
}

/** The owner or the line changed: the button says what it does now. */
export function stateChanged() {
  if (!form()) return;
  const state = byId("composer-state").dataset;
  const couldSay = form().dataset.canSay;
  form().dataset.canSay = state.canSay;
  // Whoever has just taken over means to answer, unless a note is begun.
  if (couldSay === "false" && state.canSay === "true" && mode() === "note" && !words().value.trim()) return setMode("say", { focus: false });
  const saying = mode() === "say";
  const choice = byId("say-line");
  if (choice) {
    if ([...choice.options].some((option) => option.value === form().dataset.line)) choice.value = form().dataset.line;
    choice.hidden = !saying;
  }
  const sayLabel = choice ? choice.selectedOptions[0].textContent : state.sayLabel;
  byId("send-label").textContent = saying ? sayLabel : state.noteLabel;
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
  if (!text) return complain(texts.nothingToSend);
  if (mode() === "say" && byId("composer-state").dataset.canSay !== "true") return complain(byId("composer-state").textContent);
  const gap = mode() === "say" && insert.chooseGap();
  if (gap) return complain(fill(texts.gapLeft, { gap }));
  const here = conversation();
  const message = {
    client_id: newId(),
    conversation: here.conversation,
    url: mode() === "say" ? here.say : here.note,
    mode: mode(),
    line: byId("say-line")?.value,
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
    const answer = await post(message.url, { text: message.text, client_id: message.client_id, ...(message.line ? { line: message.line } : {}) });
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
    back.textContent = texts.putBack;
    back.addEventListener("click", () => putBack(message));
    state.append(message.refused, " ", back);
    state.setAttribute("role", "alert");
  } else state.textContent = message.tried ? texts.waiting : texts.sending;
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

/** Opens the menu of saved replies and knowledge, also by a press on its button. */
export function openInsert() {
  if (form()) insert.open();
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
  insert.typed();
});

document.addEventListener("keydown", (event) => {
  if (event.target.id !== "words" || event.isComposing) return;
  if (insert.took(event)) {
    event.preventDefault();
    event.stopPropagation();
  } else if (event.key === "Escape") {
    event.preventDefault();
    event.stopPropagation();
    words().blur();
  } else if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    submit();
  }
});

document.addEventListener("click", (event) => {
  const modeButton = event.target.closest("[data-mode-to]");
  if (modeButton) setMode(modeButton.dataset.modeTo);
});

document.addEventListener("change", (event) => {
  if (event.target.id !== "say-line") return;
  form().dataset.line = event.target.value;
  stateChanged();
});

document.addEventListener("focusout", (event) => {
  if (event.target.id === "words" && form()) tellTyping(false);
});
