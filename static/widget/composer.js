// Where the customer writes. Nothing typed is lost: the draft outlives a reload and a closed panel.

import { element, fill, icon } from "./dom.js";

const LONGEST_MESSAGE = 4_000;
const COUNT_FROM = 3_600;
const TYPING_EVERY = 3_000;

export class Composer {
  form;
  #field;
  #label;
  #button;
  #problem;
  #texts;
  #memory;
  #lastTyping = 0;

  /** `send(text)` gets each message; `typing()` is called at most every three seconds. */
  constructor({ texts, memory, send, typing }) {
    this.#texts = texts;
    this.#memory = memory;
    this.#problem = element("p", { id: "composer-problem", class: "problem", role: "status" });
    this.#field = element("textarea", {
      id: "composer",
      rows: 1,
      "aria-describedby": "composer-problem",
      enterkeyhint: "send",
      on: { input: () => this.#typed(typing), keydown: (event) => this.#key(event) },
    });
    this.#field.value = memory.draft;
    const submit = (event) => {
      event.preventDefault();
      this.#submit(send);
    };
    this.#label = element("label", { for: "composer", class: "unseen" });
    this.#button = element("button", { type: "submit", class: "send" }, icon("send"));
    this.form = element("form", { class: "composer", on: { submit } }, this.#label, this.#field, this.#button, this.#problem);
    this.retell();
  }

  /** Says its labels in the texts as they are now. */
  retell() {
    const { composerLabel, placeholder, send } = this.#texts;
    this.#label.textContent = composerLabel;
    this.#field.placeholder = placeholder;
    this.#button.setAttribute("aria-label", send);
    this.#button.title = send;
    this.#count();
  }

  get empty() {
    return this.#field.value.trim() === "";
  }

  get hasFocus() {
    return this.#field.getRootNode().activeElement === this.#field;
  }

  focus() {
    this.#field.focus({ preventScroll: true });
  }

  /** Puts a text back to be edited, before whatever was already being written. */
  putBack(text) {
    this.#write(this.empty ? text : `${text}\n${this.#field.value}`);
    this.focus();
  }

  /** Empties the field. */
  clear() {
    this.#write("");
  }

  /** Fits the height to the text; to be called when the composer became visible. */
  fit() {
    this.#field.style.setProperty("height", "auto");
    this.#field.style.setProperty("height", `${this.#field.scrollHeight + 2}px`);
  }

  #write(text) {
    this.#field.value = text;
    this.#memory.draft = text;
    this.#count();
    this.fit();
  }

  #typed(typing) {
    this.#memory.draft = this.#field.value;
    this.#count();
    this.fit();
    if (this.empty || Date.now() - this.#lastTyping < TYPING_EVERY) return;
    this.#lastTyping = Date.now();
    typing();
  }

  #key(event) {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.form.requestSubmit();
  }

  #submit(send) {
    const text = this.#field.value.trim();
    this.#count();
    if (!text || text.length > LONGEST_MESSAGE) return this.focus();
    this.#write("");
    this.#lastTyping = 0;
    send(text);
    this.focus();
  }

  #count() {
    const { length } = this.#field.value.trim();
    const over = length > LONGEST_MESSAGE;
    this.#problem.textContent = over
      ? fill(this.#texts.tooLong, { length, most: LONGEST_MESSAGE })
      : length > COUNT_FROM
        ? fill(this.#texts.lettersLeft, { left: LONGEST_MESSAGE - length })
        : "";
    this.#field.toggleAttribute("aria-invalid", over);
  }
}
