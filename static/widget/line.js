// The bar under the header: what the connection does, when that is worth a word.

import { element } from "./dom.js";

const SHOW_LOSS_AFTER = 1_500; // a line that comes back sooner is not worth a word

export class LineBar {
  #place;
  #texts;
  #phone;
  #losing = null;

  /** `phone` is the company's number as `{number, readable}`, or null. */
  constructor({ place, texts, phone }) {
    this.#place = place;
    this.#texts = texts;
    this.#phone = phone;
  }

  /** Shows one of the connection's statuses. */
  show(status) {
    clearTimeout(this.#losing);
    if (status === "ready") this.#place.textContent = "";
    else if (status === "refused") this.#refuse();
    else if (status !== "idle") this.#lose();
  }

  #lose() {
    const say = () => (this.#place.textContent = navigator.onLine ? this.#texts.connecting : this.#texts.offline);
    if (navigator.onLine && !this.#place.textContent) this.#losing = setTimeout(say, SHOW_LOSS_AFTER);
    else say();
  }

  /** Where the chat cannot be had, people can still be called. */
  #refuse() {
    if (!this.#phone) return void (this.#place.textContent = this.#texts.unavailableWithoutPhone);
    this.#place.replaceChildren(this.#texts.unavailable, " ", element("a", { href: `tel:${this.#phone.number}` }, this.#phone.readable));
  }
}
