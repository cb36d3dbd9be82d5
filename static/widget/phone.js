// "Continue by phone": the number to call and the short code that carries the conversation over.

import { element, fill, icon } from "./dom.js";
import { link, safeAddress } from "./links.js";

const MINUTE = 60_000;

export class PhoneSheet {
  #place;
  #settings;
  #ask;
  #close;
  #clock = null;
  #waiting = false;

  /** `place` is the sheet; `ask()` wants a (new) code from the server; `close()` is called when it is to go. */
  constructor({ place, settings, ask, close }) {
    this.#place = place;
    this.#settings = settings;
    this.#ask = ask;
    this.#close = close;
  }

  get open() {
    return !this.#place.hidden;
  }

  /** Whether a code was asked for and has not come. */
  get isWaiting() {
    return this.open && this.#waiting;
  }

  hide() {
    this.#waiting = false;
    clearInterval(this.#clock);
    this.#place.hidden = true;
    this.#place.replaceChildren();
  }

  waiting() {
    const { texts } = this.#settings;
    this.#fill(element("p", { role: "status" }, texts.phoneWaiting));
    this.#waiting = true;
  }

  failed(reason) {
    this.#fill(element("p", { role: "alert", class: "problem" }, reason), this.#again());
  }

  /** Shows a `phone_code` frame: number (E.164), readable_number, code, expires_at and, with the simulator, simulator_url. */
  show({ number, readable_number: readable, code, expires_at: expiresAt, simulator_url: simulatorUrl }) {
    const { texts, server } = this.#settings;
    const left = element("p", { class: "phone-left", role: "timer" });
    const simulator = simulatorUrl ? safeAddress(simulatorUrl, server) : null;
    this.#fill(
      element("p", {}, texts.phoneHow),
      element(
        "dl",
        { class: "phone-facts" },
        this.#fact(texts.phoneNumber, element("a", { href: `tel:${number}`, class: "phone-number" }, readable || number)),
        this.#fact(texts.phoneCode, element("span", { class: "phone-code" }, code)),
      ),
      left,
      simulator && element("p", {}, link(simulator, texts.phoneSimulator)),
    );
    const until = new Date(expiresAt).getTime();
    const tick = () => {
      const minutes = Math.ceil((until - Date.now()) / MINUTE);
      const sentence = minutes > 1 ? fill(texts.phoneMinutesLeft, { minutes }) : texts.phoneMinuteLeft;
      if (minutes > 0) left.textContent = sentence;
      else this.#expired();
    };
    this.#clock = setInterval(tick, MINUTE / 12);
    tick();
  }

  #fact(name, value) {
    return element("div", {}, element("dt", {}, name), element("dd", {}, value));
  }

  #expired() {
    this.#fill(element("p", { role: "status" }, this.#settings.texts.phoneExpired), this.#again());
  }

  #again() {
    return element("button", { type: "button", class: "button", on: { click: () => this.#ask() } }, this.#settings.texts.phoneNewCode);
  }

  #fill(...content) {
    const { texts } = this.#settings;
    clearInterval(this.#clock);
    this.#waiting = false;
    const focusWasHere = this.#place.contains(this.#place.getRootNode().activeElement);
    const closing = element("button", { type: "button", class: "icon-button", "aria-label": texts.phoneClose, title: texts.phoneClose, on: { click: () => this.#close() } }, icon("close"));
    const title = element("h2", { tabindex: "-1" }, texts.continueByPhone);
    this.#place.replaceChildren(element("div", { class: "sheet-title" }, title, closing), ...content.filter(Boolean));
    const appears = this.#place.hidden;
    this.#place.hidden = false;
    if (appears || focusWasHere) title.focus();
  }
}
