// Under the last message: quick replies as buttons, or one field of a form with the keyboard that fits it.

import { element, fill } from "./dom.js";

const LONGEST_MESSAGE = 4_000;

// How a browser is told what a fact is, so that it offers the right keyboard and what it already knows.
const FIELDS = {
  name: { type: "text", autocomplete: "name", autocapitalize: "words" },
  phone: { type: "tel", autocomplete: "tel", inputmode: "tel" },
  email: { type: "email", autocomplete: "email", inputmode: "email" },
  postcode: { type: "text", autocomplete: "postal-code", autocapitalize: "characters" },
  address: { type: "text", autocomplete: "street-address" },
  date: { type: "date" },
  amount: { type: "text", inputmode: "decimal" },
  order_number: { type: "text", autocapitalize: "characters", spellcheck: "false" },
};
const ANY_FIELD = { type: "text" };

export class Answers {
  #place;
  #texts;
  #send;
  #call;
  #shown = null;

  /** `place` is filled with what can be answered; `send(text)` answers, `call(number)` has a phone rung. */
  constructor({ place, texts, send, call }) {
    this.#place = place;
    this.#texts = texts;
    this.#send = send;
    this.#call = call;
  }

  /** Shows what the entry asks, or nothing for null. Says whether anything changed. */
  show(entry) {
    const key = entry ? `${entry.seq} ${entry.occurred_at}` : null;
    if (key === this.#shown) return false;
    this.#shown = key;
    const field = entry?.data?.field;
    const options = field?.options ?? [];
    const replies = entry?.data?.quick_replies ?? [];
    this.#place.replaceChildren(
      ...(field && !options.length ? [this.#form(field)] : []),
      ...(options.length ? [this.#choices(options, field.label)] : []),
      ...(replies.length ? [this.#choices(replies, this.#texts.quickReplies)] : []),
    );
    return true;
  }

  /** Has what is shown be drawn anew the next time, in the texts as they are then. */
  retell() {
    this.#shown = null;
  }

  get hasFocus() {
    return this.#place.contains(this.#place.getRootNode().activeElement);
  }

  /** Puts the focus on what is asked. Says whether there was something. */
  focus() {
    const first = this.#place.querySelector("input, button");
    first?.focus({ preventScroll: true });
    return Boolean(first);
  }

  #choices(choices, label) {
    const buttons = choices.map((choice) => {
      const { label: words, value, call } = typeof choice === "string" ? { label: choice, value: choice } : choice;
      const answer = () => (call ? this.#call(String(call)) : this.#send(String(value ?? words)));
      return element("button", { type: "button", class: "choice", on: { click: answer } }, String(words ?? value));
    });
    return element("div", { class: "choices", role: "group", "aria-label": label }, ...buttons);
  }

  #form({ fact, label }) {
    const input = element("input", {
      id: "field",
      name: fact,
      required: true,
      maxlength: LONGEST_MESSAGE,
      "aria-describedby": "field-problem",
      autocomplete: "off",
      ...(FIELDS[fact] ?? ANY_FIELD),
    });
    const problem = element("p", { id: "field-problem", class: "problem", role: "alert", hidden: true });
    const complain = () => {
      const wrongKind = input.validity.typeMismatch || input.validity.badInput;
      problem.textContent = fill(wrongKind ? this.#texts.fieldWrong : this.#texts.fieldEmpty, { label });
      problem.hidden = false;
      input.setAttribute("aria-invalid", "true");
      input.focus();
    };
    const submit = (event) => {
      event.preventDefault();
      input.value = input.value.trim();
      if (input.checkValidity()) this.#send(input.value);
      else complain();
    };
    return element(
      "form",
      { class: "field-form", novalidate: true, on: { submit } },
      element("label", { for: "field" }, label),
      element("div", { class: "field-line" }, input, element("button", { type: "submit", class: "button" }, this.#texts.fieldSend)),
      problem,
    );
  }
}
