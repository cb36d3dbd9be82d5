/* The board: asks for what changes when work or people move, at most once a second, and now and then in any case. */

import { whenDone } from "./dialogs.js";
import { body, byId, fill, refusalSentence, Refused, texts } from "./page.js";
import { InboxSocket } from "./socket.js";
import { clearTrouble, tellTrouble } from "./states.js";
import { refreshTimes } from "./times.js";

const PAUSE = 1000;
const DOWN_FOR = 1500;
const SAYS_EVERY = 30000;
const board = byId("board");
const socket = new InboxSocket();
let timer;
let asked = 0;
let shownAt = new Date();
let said = { words: byId("board-says").textContent, at: 0 };
let downTimer;

function refresh() {
  asked = Date.now();
  window.htmx.trigger(board, "board:changed");
}

/** Soon, and once for many changes. */
function refreshSoon() {
  timer ??= setTimeout(() => {
    timer = undefined;
    refresh();
  }, Math.max(0, asked + PAUSE - Date.now()));
}

socket.addEventListener("frame", ({ detail }) => detail.type === "work" && refreshSoon());
socket.addEventListener("up", () => {
  clearTimeout(downTimer);
  byId("connection").hidden = true;
  refreshSoon();
});
socket.addEventListener("down", () => {
  clearTimeout(downTimer);
  downTimer = setTimeout(() => (byId("connection").hidden = false), DOWN_FOR);
});

/* How much of the list of people is shown stays with the page, not with the part that is drawn anew. */
board.addEventListener("click", (event) => {
  const more = event.target.closest("[data-show]");
  if (!more) return;
  board.dataset.show = more.dataset.show;
  refresh();
});
board.addEventListener("htmx:configRequest", ({ detail }) => {
  if (board.dataset.show) detail.parameters.set("show", board.dataset.show);
});

board.addEventListener("htmx:afterSwap", () => {
  shownAt = new Date();
  clearTrouble(byId("board-trouble"), "board");
  refreshTimes(board);
  speak();
});
board.addEventListener("htmx:responseError", ({ detail: { xhr } }) => fail(new Refused(xhr.status, refusalSentence(xhr.status, ""))));
board.addEventListener("htmx:sendError", () => fail(new TypeError(texts.offline)));

function fail(error) {
  const time = shownAt.toLocaleTimeString(document.documentElement.lang || undefined, { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
  tellTrouble(byId("board-trouble"), "board", fill(texts.boardFailed, { time }), error, refresh);
}

/* Whoever listens is told how many wait when that changed, and not at every breath. */
function speak() {
  const words = byId("board-says").textContent;
  if (words === said.words || Date.now() - said.at < SAYS_EVERY) return;
  said = { words, at: Date.now() };
  byId("board-spoken").textContent = words;
}

byId("board-filter").addEventListener("submit", (event) => {
  event.preventDefault();
  refresh();
});

whenDone(() => refresh());
refreshTimes();
socket.connect();
body.dataset.ready = "true";
