/* Times that pass: how long ago, how long still, how long a call has been going on. */

import { fill, texts } from "./page.js";

const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang || "en", { style: "narrow", numeric: "auto" });

function ago(at) {
  const seconds = Math.max(0, (Date.now() - at) / 1000);
  if (seconds < 10) return texts.now;
  if (seconds < MINUTE) return relative.format(-Math.floor(seconds), "second");
  if (seconds < HOUR) return relative.format(-Math.floor(seconds / MINUTE), "minute");
  if (seconds < DAY) return relative.format(-Math.floor(seconds / HOUR), "hour");
  return new Date(at).toLocaleDateString(undefined, { day: "numeric", month: "short" });
}

function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  return `${Math.floor(whole / MINUTE)}:${String(whole % MINUTE).padStart(2, "0")}`;
}

const unit = (name) => new Intl.NumberFormat(document.documentElement.lang || "en", { style: "unit", unit: name, unitDisplay: "short" });
const seconds = unit("second");
const minutes = unit("minute");
const hours = unit("hour");

/* How long something lasts, as roughly as matters. */
function lasting(since) {
  const whole = Math.max(0, Math.floor((Date.now() - since) / 1000));
  if (whole < MINUTE) return seconds.format(whole);
  const rest = minutes.format(Math.floor((whole % HOUR) / MINUTE));
  return whole < HOUR ? rest : `${hours.format(Math.floor(whole / HOUR))} ${rest}`;
}

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Brings every passing time under `root` up to now. */
export function refreshTimes(root = document) {
  for (const element of root.querySelectorAll("time[data-relative]")) write(element, ago(Date.parse(element.dateTime)));
  for (const element of root.querySelectorAll("[data-clock]")) {
    write(element, clock((Date.now() - Date.parse(element.dataset.clock)) / 1000));
  }
  for (const element of root.querySelectorAll("time[data-lasting]")) write(element, lasting(Date.parse(element.dateTime)));
  for (const element of root.querySelectorAll("[data-until]")) {
    write(element, clock((Date.parse(element.dataset.until) - Date.now()) / 1000));
  }
  for (const offer of root.querySelectorAll("[data-offer]")) countDown(offer);
}

/* The server says how many seconds are left, so that a clock that is wrong here does not matter. */
function countDown(offer) {
  offer.endsAt ??= performance.now() + Number(offer.dataset.left) * 1000;
  const left = Math.max(0, (offer.endsAt - performance.now()) / 1000);
  const bar = offer.querySelector("progress");
  bar.value = left;
  bar.classList.toggle("is-short", left < 8);
  write(offer.querySelector("[data-left-text]"), left > 0 ? fill(texts.secondsLeft, { seconds: Math.ceil(left) }) : "…");
  if (left === 0 && !offer.over) {
    offer.over = true;
    offer.dispatchEvent(new CustomEvent("inbox:offer-over", { bubbles: true }));
  }
}

setInterval(refreshTimes, 1000);
