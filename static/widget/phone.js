// "Continue by phone": the number to call and the short code that carries the conversation over, or a number to be called on.

import { element, fill, icon } from "./dom.js";
import { link, safeAddress } from "./links.js";

const MINUTE = 60_000;

export class PhoneSheet {
  #place;
  #settings;
  #ask;
  #callMe;
  #close;
  #number = "";
  #clock = null;
  #waiting = false;
  #early = false;

  /**
   * `place` is the sheet; `ask()` wants a (new) code from the server, `callMe(number)` a call; `close()` is called when the
   * sheet is to go.
   */
  constructor({ place, settings, ask, callMe, close }) {
    this.#place = place;
    this.#settings = settings;
    this.#ask = ask;
    this.#callMe = callMe;
    this.#close = close;
  }

  get open() {
    return !this.#place.hidden;
  }

  /** Whether a code or a call was asked for and has not come. */
  get isWaiting() {
    return this.open && this.#waiting;
  }

  /** Whether the sheet waits for a first message, since there is nothing to carry over yet. */
  get isEarly() {
    return this.open && this.#early;
  }

  hide() {
    this.#waiting = this.#early = false;
    clearInterval(this.#clock);
    this.#place.hidden = true;
    this.#place.replaceChildren();
  }

  /** Asks for a call to a number, which can be put right when it is refused. */
  ring(number) {
    this.#number = number;
    this.#callMe(number);
  }

  waiting(text = this.#settings.texts.phoneWaiting) {
    this.#fill(element("p", { role: "status" }, text));
    this.#waiting = true;
  }

  failed(reason) {
    this.#fill(element("p", { role: "alert", class: "problem" }, reason), this.#again(), this.#number && this.#callForm());
  }

  /** Before the first message: the number can be called as it is, and a code comes with the message. */
  tooEarly(reason) {
    const { phone, texts } = this.#settings;
    const number = phone && element("a", { href: `tel:${phone.number}`, class: "phone-number" }, phone.readable);
    this.#fill(element("p", { role: "status" }, reason), number && element("dl", { class: "phone-facts" }, this.#fact(texts.phoneNumber, number)));
    this.#early = true;
  }

  /** Shows a `phone_code` frame: number (E.164), readable_number, code, expires_at and, with the simulator, simulator_url. */
  show({ number, readable_number: readable, code, expires_at: expiresAt, simulator_url: simulatorUrl }) {
    const { texts } = this.#settings;
    const left = element("p", { class: "phone-left", role: "timer" });
    this.#fill(
      element("p", {}, texts.phoneHow),
      element(
        "dl",
        { class: "phone-facts" },
        this.#fact(texts.phoneNumber, element("a", { href: `tel:${number}`, class: "phone-number" }, readable || number)),
        this.#fact(texts.phoneCode, element("span", { class: "phone-code" }, code)),
      ),
      left,
      this.#simulator(simulatorUrl, texts.phoneSimulator),
      this.#callForm(),
    );
    this.#countDown(expiresAt, left);
  }

  /** Shows a `calling` frame: the phone that rings (readable_number), the code to key in there, expires_at, simulator_url. */
  showCalling({ number, readable_number: readable, code, expires_at: expiresAt, simulator_url: simulatorUrl }) {
    const { texts } = this.#settings;
    const left = element("p", { class: "phone-left", role: "timer" });
    this.#fill(
      element("p", { role: "status" }, fill(texts.callingNow, { number: readable || number })),
      element("dl", { class: "phone-facts" }, this.#fact(texts.phoneCode, element("span", { class: "phone-code" }, code))),
      left,
      this.#simulator(simulatorUrl, texts.callSimulator),
    );
    this.#countDown(expiresAt, left);
  }

  #simulator(address, text) {
    const simulator = address ? safeAddress(address, this.#settings.server) : null;
    return simulator && element("p", {}, link(simulator, text));
  }

  /** Keeps the number that was typed, so that a mistake can be put right. */
  #callForm() {
    const { texts } = this.#settings;
    const input = element("input", { id: "call-me", type: "tel", autocomplete: "tel", inputmode: "tel", maxlength: "40", required: "" });
    input.value = this.#number;
    const submit = (event) => {
      event.preventDefault();
      const number = input.value.trim();
      if (number) this.ring(number);
      else input.focus();
    };
    return element(
      "form",
      { class: "call-me", on: { submit } },
      element("label", { for: "call-me" }, texts.callMeHow),
      element("div", { class: "call-me-row" }, input, element("button", { type: "submit", class: "button" }, texts.callMe)),
      element("p", { class: "call-me-note" }, texts.callMeNote),
    );
  }

  #countDown(expiresAt, left) {
    const { texts } = this.#settings;
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
    this.#waiting = this.#early = false;
    const focusWasHere = this.#place.contains(this.#place.getRootNode().activeElement);
    const closing = element("button", { type: "button", class: "icon-button", "aria-label": texts.phoneClose, title: texts.phoneClose, on: { click: () => this.#close() } }, icon("close"));
    const title = element("h2", { tabindex: "-1" }, texts.continueByPhone);
    this.#place.replaceChildren(element("div", { class: "sheet-title" }, title, closing), ...content.filter(Boolean));
    const appears = this.#place.hidden;
    this.#place.hidden = false;
    if (appears || focusWasHere) title.focus();
  }
}
