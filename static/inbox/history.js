/* The middle pane: draws what the server has drawn, follows the end, and never jumps under somebody who reads. */

import { ask, body, byId, fill, gathered, me, recall, remember, showPane, texts } from "./page.js";
import { markOpen, refreshListsSoon, retitle } from "./lists.js";
import { drop, put } from "./parts.js";
import { againButton, clearTrouble, reason, skeleton, tellTrouble, whileLate } from "./states.js";
import { refreshTimes } from "./times.js";

const AROUND = /^(owner\.|handoff\.|conversation\.|interaction\.|call\.|outcome\.|reason\.|routing\.|callback\.)/;
const ABOUT_CUSTOMER = /^(fact\.|booking\.|reason\.|interaction\.|conversation\.|identity\.|consent\.|contact\.)/;
const LIVE_FOR = { typing: 6000, speech: 15000, draft: 60000 };
const NEAR = 80;
const RETRY_AFTER = 5000;

let socket;
let composer;
let wanted = 0;
let fetching = false;
let unread = 0;
let liveTimer;
let opening = 0;

const root = () => byId("conversation");
const scroller = () => byId("history");
const upto = () => Number(root().dataset.upto);
const atEnd = (pane) => pane.scrollHeight - pane.scrollTop - pane.clientHeight < NEAR;

export function begin(inboxSocket, itsComposer) {
  socket = inboxSocket;
  composer = itsComposer;
  if (root()) mount();
}

/** Opens a conversation by its address, in place. */
export async function open(address, { push = true } = {}) {
  if (!address) return;
  const turn = ++opening;
  const pane = byId("history-pane");
  const part = { source: pane, target: pane, swap: "innerHTML", wanted: () => turn === opening };
  drop(pane);
  showPane("history");
  try {
    await whileLate(put(address, part), () => turn === opening && cover(pane));
    if (turn !== opening) return;
    if (push && location.pathname !== root().dataset.page) history.pushState({}, "", root().dataset.page);
    mount();
  } catch (error) {
    if (turn === opening) fail(pane, address, error);
  }
}

/* What is shown while another conversation is on its way, or could not be opened, belongs to nobody. */
function cover(pane) {
  socket.leave();
  pane.replaceChildren(skeleton("bubbles"), backButton());
  byId("customer-pane").replaceChildren(skeleton("lines"));
}

function fail(pane, address, error) {
  const box = document.createElement("div");
  const what = document.createElement("strong");
  const why = document.createElement("p");
  box.className = "empty failed";
  box.setAttribute("role", "alert");
  what.textContent = texts.openFailed;
  why.textContent = `${reason(error)} ${texts.draftsKept}`;
  box.append(what, why, againButton(() => open(address)), backButton());
  socket.leave();
  pane.replaceChildren(box);
  byId("customer-pane").replaceChildren();
}

/* Where one pane is shown at a time, the way back to the list. */
function backButton() {
  const back = document.createElement("button");
  back.type = "button";
  back.className = "button button-quiet narrow-only";
  back.dataset.paneTo = "lists";
  back.textContent = texts.backToList;
  return back;
}

function mount() {
  wanted = upto();
  unread = 0;
  quiet();
  socket.watch(root().dataset.conversation, upto);
  markOpen(root().dataset.publicId);
  retitle(document.title.replace(/^\(\d+\) /, ""));
  restoreSections();
  refreshTimes();
  const pane = scroller();
  pane.scrollTop = pane.scrollHeight;
  closePackageSeenBelow(pane);
  pane.scrollTop = pane.scrollHeight;
  pane.addEventListener("scroll", () => atEnd(pane) && read(), { passive: true });
  composer.mount();
  if (location.hash) jump(location.hash.slice(1));
}

/* The package on top repeats what stands in the history; while that is in sight, one line of it is enough. */
function closePackageSeenBelow(pane) {
  const repeated = byId("package-top").querySelector("details");
  const inPlace = [...pane.querySelectorAll(".package-line")].at(-1);
  if (repeated && inPlace && inPlace.getBoundingClientRect().top >= pane.getBoundingClientRect().top) repeated.open = false;
}

/** New entries on the socket: draw them, and whatever around the history depends on them. */
export function onEntries(frame) {
  if (!root() || frame.conversation !== root().dataset.conversation) return;
  const kinds = frame.entries.map((entry) => entry.kind);
  if (frame.entries.some((entry) => entry.kind === "conversation.joined" && entry.data.direction === "from")) {
    open(root().dataset.page, { push: false });
    return;
  }
  if (frame.entries.some((entry) => entry.kind === "message")) {
    quiet();
    refreshListsSoon();
  }
  const answered = frame.entries.some((entry) => entry.kind === "message" && entry.actor_kind === "agent");
  if (kinds.some((kind) => AROUND.test(kind)) || (answered && byId("package-top").children.length)) refreshAround();
  if (kinds.some((kind) => ABOUT_CUSTOMER.test(kind))) refreshCustomer();
  speak(frame.entries);
  want(frame.upto);
}

/** Something was taken out of entries: those that are on the page are drawn anew, each in its place. */
export async function onRedacted(frame) {
  const conversation = root();
  if (!conversation || frame.conversation !== conversation.dataset.conversation) return;
  for (const seq of frame.seqs) {
    const shown = () => byId("entries").querySelector(`[data-seq="${seq}"]`);
    if (!shown()) continue;
    try {
      const answer = await ask(`${conversation.dataset.entries}?after=${seq - 1}`);
      const part = document.createElement("template");
      part.innerHTML = await answer.text();
      if (root() !== conversation) return;
      shown()?.replaceWith(part.content.querySelector(`[data-seq="${seq}"]`));
    } catch {
      shown()?.remove();
    }
  }
  refreshAround();
  refreshCustomer();
}

/** Makes sure that everything up to a seq is drawn. */
export async function want(seq) {
  wanted = Math.max(wanted, seq);
  if (fetching) return;
  fetching = true;
  const conversation = root();
  try {
    while (root() && upto() < wanted) await drawNewer();
    clearTrouble(byId("history-trouble"), "newer");
  } catch (error) {
    if (root() && root() === conversation) tellTrouble(byId("history-trouble"), "newer", texts.newerFailed, error, () => want(wanted));
    setTimeout(() => root() && want(wanted), RETRY_AFTER);
  } finally {
    fetching = false;
  }
}

async function drawNewer() {
  const conversation = root();
  const answer = await ask(`${conversation.dataset.entries}?after=${upto()}`);
  const html = await answer.text();
  if (root() !== conversation) return;
  const reached = Number(answer.headers.get("X-Upto"));
  const pane = scroller();
  const follow = atEnd(pane);
  byId("entries").insertAdjacentHTML("beforeend", html);
  conversation.dataset.upto = String(reached);
  composer.drawn(reached);
  if (reached < wanted && !html.trim()) wanted = reached;
  if (follow) pane.scrollTop = pane.scrollHeight;
  else countUnread(html);
}

function countUnread(html) {
  const part = document.createElement("template");
  part.innerHTML = html;
  unread += part.content.querySelectorAll(".by-customer, .note").length;
  const pill = byId("new-pill");
  pill.hidden = unread === 0;
  pill.querySelector("span").textContent = unread === 1 ? texts.newMessage : fill(texts.newMessages, { count: unread });
}

function read() {
  unread = 0;
  byId("new-pill").hidden = true;
}

function speak(entries) {
  const said = entries.filter((entry) => entry.kind === "message" && entry.actor_kind === "customer");
  if (said.length) byId("spoken").textContent = said.map((entry) => entry.body).join(" ");
}

/** Somebody types, speaks, or a reply streams in. */
export function onActivity(frame) {
  if (!root() || frame.conversation !== root().dataset.conversation) return;
  if (frame.who === "agent" && frame.name === me) return;
  if (!LIVE_FOR[frame.what]) return quiet();
  const doing = { typing: texts.isTyping, speech: texts.isSpeaking, draft: texts.isAnswering }[frame.what];
  const name = frame.who === "assistant" ? texts.assistant : frame.name || texts.customer;
  const line = byId("live-line");
  const follow = atEnd(scroller());
  line.hidden = false;
  line.querySelector(".live-who").textContent = fill(doing, { name });
  line.querySelector(".live-text").textContent = frame.text || "";
  if (follow) scroller().scrollTop = scroller().scrollHeight;
  clearTimeout(liveTimer);
  liveTimer = setTimeout(quiet, LIVE_FOR[frame.what]);
}

function quiet() {
  clearTimeout(liveTimer);
  const line = byId("live-line");
  if (line) line.hidden = true;
}

/** Asks anew for what stands around the history: who has the conversation, the package, what the composer does. */
export const refreshAround = gathered(() => {
  const here = root();
  if (!here) return;
  const open = byId("package-top").querySelector("details")?.open;
  const part = { source: byId("main"), target: "#conversation-header", swap: "outerHTML", wanted: () => root() === here };
  refresh(here, here.dataset.status, part, ["history-trouble", "status", texts.statusFailed, refreshAround], () => {
    const details = byId("package-top").querySelector("details");
    if (details && open !== undefined) details.open = open;
    refreshTimes();
    composer.stateChanged();
  });
}, 120);

const refreshCustomer = gathered(() => {
  const here = root();
  if (!here) return;
  const pane = byId("customer-pane");
  const part = { source: pane, target: pane, swap: "innerHTML", wanted: () => root() === here };
  refresh(here, here.dataset.customer, part, ["customer-pane", "customer", texts.customerFailed, refreshCustomer], restoreSections);
}, 200);

/** After the line was away: whatever may have changed meanwhile, besides the history itself. */
export function refreshAll() {
  refreshAround();
  refreshCustomer();
}

/* The old part stays when the new one cannot be had, and a note says so. */
async function refresh(here, url, part, [place, name, what, again], then) {
  try {
    await put(url, part);
    if (root() !== here) return;
    clearTrouble(byId(place), name);
    then();
  } catch (error) {
    if (root() === here) tellTrouble(byId(place), name, what, error, again);
  }
}

/** Draws the page before; answers whether there was one. */
async function older(button) {
  const pane = scroller();
  const place = button.parentElement;
  button.disabled = true;
  let html;
  try {
    const answer = await whileLate(ask(button.dataset.older), () => place.append(skeleton("bubbles", 3)));
    html = await answer.text();
  } catch (error) {
    button.disabled = false;
    place.querySelector(".skeletons")?.remove();
    tellTrouble(place, "older", texts.olderFailed, error, () => older(button));
    return false;
  }
  if (!place.isConnected) return false;
  const before = pane.scrollHeight - pane.scrollTop;
  const firstDay = byId("entries").querySelector(".day");
  place.remove();
  byId("entries").insertAdjacentHTML("afterbegin", html);
  if (firstDay) dropRepeatedDay(firstDay);
  pane.scrollTop = pane.scrollHeight - before;
  return true;
}

/* The first page opened with its day; when the page before ends on the same day, it is said once. */
function dropRepeatedDay(firstDay) {
  const days = [...byId("entries").querySelectorAll(".day")];
  const above = days[days.indexOf(firstDay) - 1];
  if (above?.dataset.day === firstDay.dataset.day) firstDay.remove();
}

export async function jump(id) {
  let target = byId(id);
  while (!target && byId("older") && (await older(byId("older").querySelector("[data-older]")))) target = byId(id);
  if (!target) return;
  showPane("history");
  target.scrollIntoView({ block: "center" });
  target.classList.add("is-jumped-to");
  setTimeout(() => target.classList.remove("is-jumped-to"), 2500);
}

function restoreSections() {
  for (const section of document.querySelectorAll("#customer-pane details[data-section]")) {
    const state = recall(`cxhub.section.${section.dataset.section}`);
    if (state) section.open = state === "open";
  }
}

document.addEventListener(
  "toggle",
  (event) => {
    const section = event.target;
    if (section.matches?.("#customer-pane details[data-section]")) {
      remember(`cxhub.section.${section.dataset.section}`, section.open ? "open" : "closed");
    }
  },
  true,
);

document.addEventListener("click", (event) => {
  const earlier = event.target.closest("[data-older]");
  const link = event.target.closest("[data-jump]");
  if (earlier) older(earlier);
  else if (link) {
    event.preventDefault();
    jump(`entry-${link.dataset.jump}`);
  } else if (event.target.closest("#new-pill")) {
    scroller().scrollTop = scroller().scrollHeight;
    read();
  }
});

addEventListener("popstate", () => {
  if (location.pathname === body.dataset.home) location.reload();
  else open(location.pathname, { push: false });
});
