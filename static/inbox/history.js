/* The middle pane: draws what the server has drawn, follows the end, and never jumps under somebody who reads. */

import { ask, attempt, body, byId, gathered, me, OFFLINE, recall, Refused, remember, showPane } from "./page.js";
import { markOpen, refreshListsSoon, retitle } from "./lists.js";
import { refreshTimes } from "./times.js";

const AROUND = /^(owner\.|handoff\.|conversation\.|interaction\.|call\.|outcome\.|reason\.|routing\.|callback\.)/;
const ABOUT_CUSTOMER = /^(fact\.|booking\.|reason\.|interaction\.|conversation\.|identity\.)/;
const LIVE_FOR = { typing: 6000, speech: 15000, draft: 60000 };
const NEAR = 80;

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
  const waiting = setTimeout(() => (pane.innerHTML = skeleton()), 200);
  showPane("history");
  try {
    await window.htmx.ajax("GET", address, { target: "#history-pane", swap: "innerHTML", headers: { "X-Requested-With": "fetch" } });
    if (turn !== opening) return;
    clearTimeout(waiting);
    if (root()?.dataset.page !== new URL(address, location.href).pathname) return fail(pane, address);
    if (push && location.pathname !== root().dataset.page) history.pushState({}, "", root().dataset.page);
    mount();
  } catch {
    clearTimeout(waiting);
    fail(pane, address);
  }
}

function skeleton() {
  return `<div class="skeletons" aria-busy="true">${'<div class="skeleton"></div>'.repeat(5)}</div>`;
}

function fail(pane, address) {
  const box = document.createElement("div");
  box.className = "empty failed";
  const what = document.createElement("strong");
  what.textContent = "This conversation could not be opened";
  const why = document.createElement("p");
  why.textContent = navigator.onLine ? "The server did not answer as it should. Drafts are kept." : OFFLINE;
  const again = document.createElement("button");
  again.className = "button";
  again.type = "button";
  again.textContent = "Try again";
  again.addEventListener("click", () => open(address));
  box.append(what, why, again);
  pane.replaceChildren(box);
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

/** Makes sure that everything up to a seq is drawn. */
export async function want(seq) {
  wanted = Math.max(wanted, seq);
  if (fetching) return;
  fetching = true;
  try {
    while (root() && upto() < wanted) await drawNewer();
  } catch (error) {
    if (!(error instanceof Refused)) setTimeout(() => root() && want(wanted), 3000);
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
  pill.querySelector("span").textContent = unread === 1 ? "1 new message" : `${unread} new messages`;
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
  const doing = { typing: "is typing", speech: "is speaking", draft: "is answering" }[frame.what];
  const who = frame.who === "assistant" ? "AI agent" : frame.name || "Customer";
  const line = byId("live-line");
  const follow = atEnd(scroller());
  line.hidden = false;
  line.querySelector(".live-who").textContent = `${who} ${doing}`;
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

export const refreshAround = gathered(() => {
  if (!root()) return;
  const open = byId("package-top").querySelector("details")?.open;
  swap(root().dataset.status, "#conversation-header", "outerHTML").then(() => {
    const details = byId("package-top")?.querySelector("details");
    if (details && open !== undefined) details.open = open;
    refreshTimes();
    composer.stateChanged();
  });
}, 120);

const refreshCustomer = gathered(() => {
  if (root()) swap(root().dataset.customer, "#customer-pane", "innerHTML").then(restoreSections);
}, 200);

async function swap(url, target, how) {
  try {
    await window.htmx.ajax("GET", url, { target, swap: how, headers: { "X-Requested-With": "fetch" } });
  } catch {
    // The old part stays; the next event or reconnect asks again.
  }
}

async function older(button) {
  const pane = scroller();
  const before = pane.scrollHeight - pane.scrollTop;
  button.disabled = true;
  const answer = await attempt(() => ask(button.dataset.older));
  if (!answer) {
    button.disabled = false;
    return;
  }
  const html = await answer.text();
  const firstDay = byId("entries").querySelector(".day");
  byId("older").remove();
  byId("entries").insertAdjacentHTML("afterbegin", html);
  if (firstDay) dropRepeatedDay(firstDay);
  pane.scrollTop = pane.scrollHeight - before;
}

/* The first page opened with its day; when the page before ends on the same day, it is said once. */
function dropRepeatedDay(firstDay) {
  const days = [...byId("entries").querySelectorAll(".day")];
  const above = days[days.indexOf(firstDay) - 1];
  if (above?.dataset.day === firstDay.dataset.day) firstDay.remove();
}

export async function jump(id) {
  let target = byId(id);
  while (!target && byId("older")) {
    await older(byId("older").querySelector("button"));
    target = byId(id);
  }
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
