// The history on the screen. Only what changed is touched, so that screen readers announce new rows and nothing else.

import { cardNode, settle } from "./cards.js";
import { element, icon } from "./dom.js";
import { link, safeAddress, withLinks } from "./links.js";

const CLOSE_TO_THE_END = 80; // pixels

export class Log {
  #list;
  #scroller;
  #pill;
  #settings;
  #times;
  #actions;
  #shown = new Map();

  /** `list` holds the rows, `scroller` scrolls them, `pill` leads to the end; `actions` are {retry, edit} by client_id, and send. */
  constructor({ list, scroller, pill, settings, times, actions }) {
    this.#list = list;
    this.#scroller = scroller;
    this.#pill = pill;
    this.#settings = settings;
    this.#times = times;
    this.#actions = actions;
    scroller.addEventListener("scroll", () => this.atEnd && (pill.hidden = true), { passive: true });
    pill.addEventListener("click", () => this.toEnd());
  }

  get atEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#scroller;
    return scrollHeight - scrollTop - clientHeight < CLOSE_TO_THE_END;
  }

  toEnd() {
    this.#scroller.scrollTop = this.#scroller.scrollHeight;
    this.#pill.hidden = true;
  }

  /** Runs a change of the screen and stays at the end when it was there. `follow` goes there whatever it was. */
  keepingPlace(change, { follow = false } = {}) {
    const height = this.#scroller.scrollHeight;
    const stay = follow || this.atEnd;
    change();
    if (stay) this.toEnd();
    else if (this.#scroller.scrollHeight > height) this.#pill.hidden = false;
  }

  show(rows) {
    const keys = new Set(rows.map((row) => row.key));
    for (const [key, { node }] of this.#shown) {
      if (keys.has(key)) continue;
      node.remove();
      this.#shown.delete(key);
    }
    let place = null;
    for (const row of rows) {
      const node = this.#nodeFor(row);
      const wanted = place ? place.nextSibling : this.#list.firstChild;
      if (node !== wanted) this.#list.insertBefore(node, wanted);
      place = node;
    }
  }

  /** Lets "4 min ago" grow old. Changes the text in place: nothing is announced. */
  refreshTimes() {
    for (const time of this.#list.querySelectorAll("time[data-relative]")) {
      time.firstChild.data = this.#times.ago(time.dateTime);
    }
  }

  #nodeFor(row) {
    const signature = JSON.stringify(row, (name, value) => (name === "live" ? undefined : value));
    const known = this.#shown.get(row.key);
    if (known?.signature === signature) {
      settle(known.node, row.cards ?? []);
      return known.node;
    }
    const fresh = { bubble: this.#bubble, booking: this.#booking, line: this.#line }[row.kind].call(this, row);
    settle(fresh, row.cards ?? []);
    if (known) {
      known.node.className = fresh.className;
      known.node.replaceChildren(...fresh.childNodes);
      known.signature = signature;
      return known.node;
    }
    this.#shown.set(row.key, { node: fresh, signature });
    return fresh;
  }

  #bubble(row) {
    const { texts } = this.#settings;
    const classes = ["row", `by-${row.speaker}`, row.first && "first", row.state === "refused" && "refused"];
    return element(
      "div",
      { class: classes.filter(Boolean).join(" ") },
      element(
        "div",
        { class: row.first && row.speaker !== "customer" ? "speaker" : "unseen" },
        row.name,
        element("span", { class: "unseen" }, ": "),
      ),
      element("div", { class: "bubble" }, element("p", {}, ...withLinks(row.text, this.#settings.server)), this.#sources(row)),
      this.#cards(row),
      this.#meta(row),
    );
  }

  #cards({ cards = [] }) {
    const drawn = cards.map((card, place) => cardNode(card, place, { server: this.#settings.server, send: this.#actions.send }));
    return drawn.length ? element("div", { class: "cards" }, ...drawn) : null;
  }

  #sources({ sources = [] }) {
    const { texts, server } = this.#settings;
    const links = sources
      .map(({ title, url }) => ({ title: title || url, url: safeAddress(url, server) }))
      .filter((source) => source.url)
      .map(({ title, url }) => element("li", {}, link(url, icon("page"), element("span", {}, title))));
    return links.length ? element("ul", { class: "sources", "aria-label": texts.sources }, ...links) : null;
  }

  #meta(row) {
    const { texts } = this.#settings;
    if (row.state === "refused") return this.#refusal(row);
    const state = row.state === "sending" ? texts.sending : row.state === "sent" ? texts.sent : null;
    return element(
      "div",
      { class: "meta", "aria-live": "off" },
      row.call && row.last && element("span", { class: "on-call" }, icon("phone"), texts.onCall),
      row.at && row.last && !row.state && this.#when(row.at),
      state && element("span", { class: "delivery" }, state),
    );
  }

  #refusal({ clientId, reason }) {
    const { texts } = this.#settings;
    const action = (word, does) => element("button", { type: "button", class: "text-button", on: { click: () => does(clientId) } }, word);
    return element(
      "div",
      { class: "refusal" },
      element("p", {}, icon("warning"), element("span", {}, `${texts.notSent} ${reason}`)),
      action(texts.editMessage, this.#actions.edit),
      action(texts.sendAgain, this.#actions.retry),
    );
  }

  #booking(row) {
    const { texts } = this.#settings;
    const { window_start: start, window_end: end, service, postcode, reference } = row.visit ?? {};
    const visit = this.#times.visit(start, end);
    const facts = [service, postcode, reference && `${texts.reference} ${reference}`];
    return element(
      "div",
      { class: row.cancelled ? "row booking cancelled" : "row booking" },
      element(
        "div",
        { class: "card" },
        icon("calendar"),
        element(
          "div",
          {},
          element("p", { class: "card-title" }, row.title),
          visit && element("p", { class: "card-time" }, element("span", {}, visit.day), " ", element("span", {}, visit.hours)),
          visit ? facts.filter(Boolean).map((fact) => element("p", { class: "card-fact" }, fact)) : element("p", {}, row.text),
        ),
      ),
      row.call && this.#meta(row),
    );
  }

  #line(row) {
    return element(
      "div",
      { class: "row line" },
      row.call && icon("phone"),
      element("span", { title: row.at && this.#times.exact(row.at) }, row.text),
    );
  }

  #when(moment) {
    return element(
      "time",
      { datetime: moment, title: this.#times.exact(moment), "data-relative": true },
      document.createTextNode(this.#times.ago(moment)),
    );
  }
}
