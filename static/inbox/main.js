/* The inbox: wires the socket to the panes. */

import * as composer from "./composer.js";
import * as history from "./history.js";
import "./keys.js";
import * as lists from "./lists.js";
import { byId } from "./page.js";
import "./recordings.js";
import { InboxSocket } from "./socket.js";
import { refreshTimes } from "./times.js";

const DOWN_FOR = 1500;
const socket = new InboxSocket();
let downTimer;
let wasDown = false;

const handlers = {
  entries: history.onEntries,
  redacted: history.onRedacted,
  activity: history.onActivity,
  work: lists.refreshListsSoon,
  offer: () => {
    lists.refreshListsSoon();
    history.refreshAround();
  },
};

socket.addEventListener("frame", (event) => handlers[event.detail.type]?.(event.detail));
socket.addEventListener("up", () => {
  clearTimeout(downTimer);
  byId("connection").hidden = navigator.onLine;
  lists.refreshListsSoon();
  if (wasDown) history.refreshAll();
  wasDown = false;
});
socket.addEventListener("down", () => {
  wasDown = true;
  clearTimeout(downTimer);
  downTimer = setTimeout(() => (byId("connection").hidden = false), DOWN_FOR);
});
addEventListener("offline", () => (byId("connection").hidden = false));
addEventListener("online", () => (byId("connection").hidden = socket.up));

composer.begin(socket, history.want);
history.begin(socket, composer);
refreshTimes();
socket.connect();
// Until here a press would have been lost, so the page did not take any.
byId("main").inert = false;
