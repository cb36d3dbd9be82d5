// <cx-chat>: the web chat of CX Hub as one custom element. /widget.js puts it on a page.
//
// Follows "The chat socket" in docs/architecture.md. It keeps everything in a shadow root, builds every node by hand
// and shows what people write as text only.

import { Answers } from "./answers.js";
import { Composer } from "./composer.js";
import { Connection } from "./connection.js";
import { element, fill } from "./dom.js";
import { History } from "./history.js";
import { Identity } from "./identity.js";
import { LineBar } from "./line.js";
import { Log } from "./log.js";
import { Memory, visitorOf } from "./memory.js";
import { Outbox } from "./outbox.js";
import { buildPanel, liveRow } from "./panel.js";
import { PhoneSheet } from "./phone.js";
import { openQuestion, rows, speakerName } from "./rows.js";
import { Times } from "./times.js";

const ACTIVITY_LASTS = { typing: 8_000, draft: 30_000 };
const TICK = 20_000; // how often times are told anew and a lost push is noticed
const FOLLOWS_WITHIN = 1_500; // how long another tab may take to keep the token that it was given
const FULL_SCREEN = "(max-width: 479px), (max-height: 479px)"; // adapting.css has the same

class CxChat extends HTMLElement {
  #settings = null;
  #texts;
  #times;
  #memory;
  #connection;
  #outbox;
  #log;
  #answers;
  #composer;
  #line;
  #phone;
  #part;
  #history = new History();
  #session = null; // the session that the history was read in; another tab may begin a new one
  #greeting = "";
  #whoAnswers = "assistant"; // "assistant", "people", or "either" where the AI agent answers a share of them
  #owner = { owner: "assistant", name: "" };
  #peopleAreThere = true;
  #opensAt = null;
  #ticket = takeTicket(); // from a link that was opened; see conversations/chat/tickets.py
  #activity = null;
  #activityEnds = null;
  #answeringForm = false;
  #stops = [];
  #identity;
  #visitor = null; // whose history is shown
  #asked = null; // the visitor that the last hello was said as
  #mayChange = false; // whether this tab has asked for something that makes the browser another visitor
  #isOld = false; // the history on the screen is not the visitor's: the next entries take its place
  #left = null; // when somebody last left this browser, as this tab knows
  #release = () => {}; // lets another tab go on
  #again = null;
  #leaver = null; // the visitor that asked to be forgotten
  #whenLeft = [];

  /** `settings` as /widget.js gives them: server, entryPoint, company, language, timeZone, phone, texts, styles, identity. */
  set settings(settings) {
    this.#settings = settings;
  }

  connectedCallback() {
    if (!this.#settings || this.shadowRoot) return;
    this.#build();
    const clock = setInterval(() => this.#tick(), TICK);
    this.#stops = [
      () => clearInterval(clock),
      listen(document, "visibilitychange", () => this.#catchUp()),
      listen(document, "click", (event) => this.#openFromPage(event)),
      this.#memory.watch(() => this.#followOtherTabs()),
      this.#followKeyboard(),
    ];
    this.#render();
    if (this.#ticket) this.#setOpen(true);
    else if (this.#memory.panelOpen) this.#setOpen(true, { focus: false });
    else if (this.#memory.session || this.#memory.leaving) this.#connection.open();
  }

  disconnectedCallback() {
    for (const stop of this.#stops) stop();
    this.#connection?.close();
  }

  // ---- Building

  #build() {
    const { texts, server, entryPoint, language, timeZone, company, styles } = this.#settings;
    this.#texts = texts;
    this.#times = new Times(language, timeZone);
    this.#memory = new Memory(server, entryPoint);
    this.#connection = this.#newConnection(server, entryPoint, language);
    this.#outbox = new Outbox({ memory: this.#memory, connection: this.#connection, onChange: () => this.#render() });
    this.#composer = new Composer({
      texts,
      memory: this.#memory,
      send: (text) => this.#say(text),
      typing: () => this.#connection.send({ type: "typing" }),
    });
    const on = {
      toggle: () => this.#setOpen(this.#part.panel.hidden),
      byPhone: () => (this.#phone.open ? this.#closePhone() : this.#continueByPhone()),
      person: () => this.#askForPerson(),
      dismiss: () => (this.#part.notice.hidden = true),
    };
    this.#part = buildPanel({ texts, company, composer: this.#composer.form, on });
    this.#line = new LineBar({ place: this.#part.bar, texts, phone: this.#settings.phone });
    this.#identity = new Identity({ place: this.#part.identity, texts, leave: () => this.signOut() });
    this.#identity.token = this.#settings.identity ?? null;
    this.#left = this.#memory.left;
    this.#phone = new PhoneSheet({
      place: this.#part.sheet,
      settings: this.#settings,
      ask: () => this.#continueByPhone(),
      callMe: (number) => this.#callMe(number),
      close: () => this.#closePhone(),
    });
    this.#answers = new Answers({ place: this.#part.answers, texts, send: (text) => this.#answer(text), call: (number) => this.#phone.ring(number) });
    const actions = {
      send: (text) => {
        this.#say(text);
        this.#composer.focus();
      },
      retry: (id) => this.#outbox.retry(id),
      edit: (id) => this.#composer.putBack(this.#outbox.withdraw(id)),
    };
    const { list, scroller, pill, panel } = this.#part;
    this.#log = new Log({ list, scroller, pill, settings: this.#settings, times: this.#times, actions });
    panel.addEventListener("keydown", (event) => this.#key(event));
    panel.lang = language;
    this.attachShadow({ mode: "open" }).append(...this.#styleLinks(styles), this.#part.panel, this.#part.launcher);
  }

  /** The style sheets; until they are there (or failed) nothing is shown. */
  #styleLinks(addresses) {
    this.hidden = true;
    const sheets = addresses.map((address) => element("link", { rel: "stylesheet", href: address }));
    const settled = sheets.map((sheet) => new Promise((resolve) => ["load", "error"].forEach((event) => sheet.addEventListener(event, resolve))));
    Promise.all(settled).then(() => {
      this.hidden = false;
      this.#composer.fit();
      this.#log.toEnd();
    });
    return sheets;
  }

  #newConnection(server, entryPoint, language) {
    const address = new URL("/ws/chat/", server);
    address.protocol = address.protocol.replace("http", "ws");
    address.searchParams.set("entry_point", entryPoint);
    address.searchParams.set("language", language);
    return new Connection({
      address: address.href,
      hello: () => this.#hello(),
      turn: () => this.#memory.turn(this.#identity.token !== null),
      onFrame: (frame) => this.#receive(frame),
      onStatus: (status) => this.#lineIs(status),
    });
  }

  // ---- What the server says

  /** A message that follows on comes back with its ack as it was stored, with card numbers masked. */
  #acknowledge(frame) {
    this.#outbox.acknowledge(frame);
    if (frame.entry) this.#append({ conversation: this.#history.conversation, entries: [frame.entry], upto: frame.entry.seq });
  }

  #receive(frame) {
    const handlers = {
      welcome: () => this.#welcome(frame),
      identity: () => this.#believe(frame.identity),
      start_over: () => this.#startOver(),
      session: () => this.#keepSession(frame),
      entries: () => this.#append(frame),
      ack: () => this.#acknowledge(frame),
      refused: () => this.#outbox.refuse(frame),
      activity: () => this.#setActivity(frame),
      state: () => this.#setOwner(frame),
      answering: () => this.#answering(frame),
      language: () => this.#speak(frame),
      phone_code: () => this.#phone.show(frame),
      calling: () => this.#phone.showCalling(frame),
      error: () => this.#fail(frame),
    };
    handlers[frame.type]?.();
  }

  #hello() {
    clearTimeout(this.#again);
    const { token, session, visitor } = this.#memory;
    const { conversation, upto } = visitor === this.#visitor && !this.#isOld ? this.#history : new History();
    const identity = this.#memory.leaving ? null : this.#identity.token;
    this.#asked = visitor;
    this.#mayChange = identity !== null;
    return { type: "hello", token, session, conversation, after: upto, identity, ...(this.#ticket && { ticket: this.#ticket }) };
  }

  #welcome({ token, session, identity, greeting, answers, state, open, opens_at: opensAt }) {
    this.#ticket = null;
    this.#release();
    const visitor = visitorOf(session);
    const anotherTabHasNews = visitor !== this.#asked && this.#memory.visitor !== this.#asked;
    if (anotherTabHasNews && !this.#mayChange) return void this.#connection.ask(this.#hello());
    this.#mayChange = false;
    this.#isOld ||= this.#visitor !== null && visitor !== this.#visitor;
    this.#visitor = this.#asked = visitor;
    this.#keepSession({ token, session });
    this.#identity.show(identity ?? null);
    this.#goodbye(visitor);
    this.#owner = state ? { owner: state.owner, name: state.name ?? "" } : this.#owner;
    this.#answering({ greeting, answers, open, opens_at: opensAt });
  }

  /** Who answers from now on: the AI agent may be stopped, or let go on, while a chat is open. */
  #answering({ greeting, answers, open, opens_at: opensAt }) {
    this.#greeting = greeting ?? "";
    this.#whoAnswers = answers ?? "assistant";
    this.#peopleAreThere = open !== false;
    this.#opensAt = opensAt ?? null;
    this.#render();
  }

  /** The conversation goes on in another language: so does everything around it. The parts share one object of texts. */
  #speak({ language, texts }) {
    Object.assign(this.#texts, texts);
    this.#times.speak(language);
    this.#part.panel.lang = language;
    for (const part of [this.#part, this.#composer, this.#answers, this.#identity]) part.retell();
    this.#render();
  }

  #keepSession({ token, session }) {
    this.#session = session;
    this.#memory.rememberVisitor(token, session);
  }

  #append(frame) {
    if (this.#memory.leaving) return;
    if (this.#isOld) this.#forgetHistory();
    const fresh = this.#history.add(frame);
    for (const entry of fresh) this.#outbox.recorded(entry);
    if (this.#phone.open && fresh.some((entry) => entry.channel === "voice" || entry.data?.call_me === "over")) this.#hidePhone();
    if (this.#phone.isEarly && fresh.length) this.#continueByPhone();
    if (fresh.some((entry) => entry.kind === "message" && entry.actor_kind !== "customer")) this.#activity = null;
    this.#render();
  }

  #tick() {
    this.#log.refreshTimes();
    if (!this.#part.panel.hidden) this.#catchUp();
  }

  /** A push is not a promise: one may be lost, a page that slept missed some, and a line may be dead without knowing. */
  #catchUp() {
    if (this.#history.upto && document.visibilityState === "visible") this.#connection.ask({ type: "resume", after: this.#history.upto });
  }

  #followOtherTabs() {
    if (this.#memory.left !== this.#left) {
      this.#left = this.#memory.left;
      this.#identity.token = null;
    }
    this.#render();
    if (this.#session && this.#memory.session !== this.#session) this.#connection.ask(this.#hello());
  }

  #setActivity({ who, name, what, text }) {
    if (who === "customer") return;
    clearTimeout(this.#activityEnds);
    const before = this.#activity?.text ?? "";
    this.#activity = what === "typing" || (what === "draft" && text) ? { who, name, what, text, seen: text?.startsWith(before) ? before.length : 0 } : null;
    if (this.#activity) this.#activityEnds = setTimeout(() => this.#setActivity({ what: "idle" }), ACTIVITY_LASTS[what]);
    this.#log.keepingPlace(() => this.#showActivity());
  }

  #setOwner({ owner, name }) {
    this.#owner = { owner, name: name ?? "" };
    this.#showState();
  }

  #fail({ code, reason }) {
    if (code === "no_hello") return; // this tab is about to say hello anew
    if (code?.startsWith("identity_")) {
      this.#release();
      return this.#identity.refuse({ code, reason });
    }
    if (this.#phone.isWaiting) return code === "nothing_said" ? this.#phone.tooEarly(reason) : this.#phone.failed(reason);
    this.#part.noticeText.textContent = reason || code;
    this.#part.notice.hidden = false;
  }

  #lineIs(status) {
    this.#line.show(status);
    if (status !== "ready") this.#release();
    if (status === "ready" && this.#memory.leaving) this.#askToLeave();
    if (status === "ready") this.#outbox.restart();
    else if (status === "lost") this.#setActivity({ what: "idle" });
  }

  // ---- Who the customer is

  /** The host site says who is signed in: its token (JWT) for this entry point, a fresh one for each page and each call. */
  async identify(token) {
    this.#identity.token = token || null;
    if (!token || this.#connection.status !== "ready") return; // it goes along with the next hello
    this.#release();
    this.#release = await this.#memory.turn(true);
    this.#mayChange = true;
    if (!this.#connection.ask({ type: "identify", jwt: token })) this.#release();
  }

  /** Somebody leaves this browser. Resolves when the server has forgotten them; until it knows, each page tries again. */
  signOut() {
    this.#memory.leave();
    this.#left = this.#memory.left;
    this.#identity.token = null;
    this.#identity.show(null);
    this.#composer.clear();
    this.#forgetHistory();
    this.#render();
    if (!this.#memory.token) this.#memory.leaving = false;
    if (!this.#memory.leaving) return Promise.resolve();
    const left = new Promise((resolve) => this.#whenLeft.push(resolve));
    if (this.#connection.status === "ready") this.#askToLeave();
    else this.#connection.open();
    return left;
  }

  #askToLeave() {
    this.#mayChange = true;
    this.#leaver = this.#memory.visitor;
    this.#connection.ask({ type: "sign_out" });
  }

  /** A welcome has come; when it is to somebody new, whoever wanted to leave is gone. */
  #goodbye(visitor) {
    if (this.#leaver === null || visitor === this.#leaver) return;
    this.#leaver = null;
    this.#memory.leaving = false;
    for (const resolve of this.#whenLeft.splice(0)) resolve();
  }

  #believe(identity) {
    this.#release();
    this.#mayChange = false;
    this.#identity.show(identity);
  }

  /** This tab's visitor is out of use. The tab that made it so keeps the new token in a moment; then this one follows. */
  #startOver() {
    clearTimeout(this.#again);
    const wait = this.#memory.visitor === this.#visitor ? FOLLOWS_WITHIN : 0;
    this.#again = setTimeout(() => this.#connection.ask(this.#hello()), wait);
  }

  #forgetHistory() {
    this.#isOld = false;
    this.#history = new History();
    this.#outbox.forgetSent();
  }

  // ---- What the customer does

  #say(text) {
    this.#answeringForm = false;
    this.#outbox.add(text);
    this.#log.toEnd();
  }

  #answer(text) {
    const byForm = this.#answers.hasFocus;
    this.#say(text);
    this.#answeringForm = byForm;
    if (byForm) this.#composer.focus();
  }

  #askForPerson() {
    this.#answeringForm = false;
    this.#outbox.add(this.#texts.askForPerson, "person");
    this.#log.toEnd();
  }

  #continueByPhone() {
    this.#phone.waiting();
    if (!this.#connection.ask({ type: "continue_by_phone" })) this.#phone.failed(this.#texts.phoneOffline);
    this.#part.byPhone.setAttribute("aria-expanded", "true");
  }

  #callMe(number) {
    this.#phone.waiting(this.#texts.callWaiting);
    this.#part.byPhone.setAttribute("aria-expanded", "true");
    if (!this.#connection.ask({ type: "call_me", number })) this.#phone.failed(this.#texts.phoneOffline);
  }

  #closePhone() {
    this.#hidePhone();
    this.#part.byPhone.focus();
  }

  #hidePhone() {
    this.#phone.hide();
    this.#part.byPhone.setAttribute("aria-expanded", "false");
  }

  /** Anything on the host page with data-cx-chat="open" opens the chat. */
  #openFromPage(event) {
    if (!event.target.closest?.('[data-cx-chat="open"]')) return;
    event.preventDefault();
    this.#setOpen(true);
  }

  #setOpen(open, { focus = true } = {}) {
    const { panel, launcher } = this.#part;
    panel.hidden = !open;
    this.#memory.panelOpen = open;
    launcher.setAttribute("aria-expanded", String(open));
    this.classList.toggle("open", open);
    panel.setAttribute("aria-modal", String(matchMedia(FULL_SCREEN).matches));
    this.#render();
    if (open) {
      this.#connection.open();
      this.#composer.fit();
      this.#log.toEnd();
      if (focus) this.#focusFirst();
    } else if (focus) {
      launcher.focus();
    }
  }

  /** On a touch screen the keyboard would cover what one came to read, so the panel itself is the first stop there. */
  #focusFirst() {
    if (matchMedia("(pointer: coarse)").matches) this.#part.panel.focus();
    else if (!this.#answers.focus()) this.#composer.focus();
  }

  #key(event) {
    if (event.key === "Escape") {
      event.stopPropagation();
      if (this.#phone.open) this.#closePhone();
      else this.#setOpen(false);
    } else if (event.key === "Tab" && matchMedia(FULL_SCREEN).matches) {
      this.#keepFocusInside(event);
    }
  }

  #keepFocusInside(event) {
    const stops = [...this.#part.panel.querySelectorAll("a, button, input, textarea, [tabindex='0']")].filter(
      (stop) => !stop.disabled && stop.checkVisibility(),
    );
    const edge = event.shiftKey ? stops[0] : stops.at(-1);
    if (this.shadowRoot.activeElement !== edge) return;
    event.preventDefault();
    (event.shiftKey ? stops.at(-1) : stops[0]).focus();
  }

  // ---- What is to be seen

  #render() {
    const entries = this.#history.all();
    const messages = this.#outbox.messages();
    const greetedBy = this.#whoAnswers === "assistant" ? "assistant" : "system";
    const all = { greeting: this.#greeting, greetedBy, entries, messages, texts: this.#texts, times: this.#times };
    this.#log.keepingPlace(() => {
      this.#log.show(rows(all));
      this.#showActivity();
      this.#showQuestion(openQuestion(entries, messages));
    });
    this.#showUnread(entries);
    this.#showState();
  }

  #showQuestion(question) {
    const goOn = this.#answeringForm && this.#composer.hasFocus && this.#composer.empty;
    const hadFocus = this.#answers.hasFocus;
    if (!this.#answers.show(question)) return;
    if (goOn && question && this.#answers.focus()) this.#answeringForm = false;
    else if (hadFocus && !this.#answers.focus()) this.#composer.focus();
  }

  #showActivity() {
    const { live } = this.#part;
    const { who, what, text, seen } = this.#activity ?? {};
    live.hidden = !this.#activity;
    if (!this.#activity) return live.replaceChildren();
    const name = speakerName(who, this.#activity.name ?? "", this.#texts);
    const sentence = fill(this.#texts.isTyping, { name });
    live.replaceChildren(liveRow({ who, text: what === "draft" ? text : "", seen, name, sentence }));
  }

  #showState() {
    const { owner, name } = this.#owner;
    const withAssistant = this.#stateWithout();
    const withPerson = fill(this.#texts.statePerson, { name: speakerName("agent", name, this.#texts) });
    const waiting = this.#peopleAreThere ? this.#texts.stateWaiting : withAssistant;
    const untilOpen = this.#whoAnswers === "people" && this.#opensAt;
    const closed = untilOpen ? fill(this.#texts.closedUntil, { time: this.#times.opening(this.#opensAt) }) : this.#texts.stateClosed;
    const state = { assistant: withAssistant, waiting, human: withPerson, closed }[owner] ?? "";
    // The same words once more would be read out once more.
    if (this.#part.state.textContent !== state) this.#part.state.textContent = state;
    this.#part.state.dataset.owner = owner;
    this.#part.person.hidden = owner === "human";
  }

  /** Who answers while no person is with them: what was said here last tells more than what held when the chat was opened. */
  #stateWithout() {
    const texts = this.#texts;
    const time = this.#opensAt && this.#times.opening(this.#opensAt);
    const said = this.#history.all().findLast((entry) => entry.kind === "message" && ["assistant", "system"].includes(entry.actor_kind));
    const bySystem = said?.actor_kind === "system" && (this.#whoAnswers === "either" || this.#owner.owner === "waiting");
    if (this.#whoAnswers === "people" || bySystem) {
      if (this.#peopleAreThere) return texts.stateTeam;
      return time ? fill(texts.teamBack, { time }) : texts.teamAway;
    }
    const state = this.#whoAnswers === "either" && !said ? texts.stateEither : texts.stateAssistant;
    if (this.#peopleAreThere) return state;
    return `${state} · ${time ? fill(texts.peopleBack, { time }) : texts.peopleAway}`;
  }

  #showUnread(entries) {
    const { panel, badge, launcher } = this.#part;
    const latest = entries.at(-1)?.occurred_at ?? "";
    if (!panel.hidden && latest > this.#memory.readUpto) this.#memory.readUpto = latest;
    const unread = entries.filter(
      (entry) => entry.kind === "message" && entry.actor_kind !== "customer" && entry.occurred_at > this.#memory.readUpto,
    ).length;
    badge.hidden = unread === 0;
    badge.textContent = unread > 9 ? "9+" : String(unread);
    const closed = unread ? `${this.#texts.open}. ${fill(this.#texts.unread, { count: unread })}` : this.#texts.open;
    launcher.setAttribute("aria-label", panel.hidden ? closed : this.#texts.close);
  }

  /** On phones the keyboard covers part of the page: the panel takes what is left. */
  #followKeyboard() {
    const view = window.visualViewport;
    if (!view) return () => {};
    const fit = () => {
      this.style.setProperty("--view-height", `${view.height}px`);
      this.style.setProperty("--view-top", `${view.offsetTop}px`);
    };
    fit();
    const stops = ["resize", "scroll"].map((event) => listen(view, event, fit));
    return () => stops.forEach((stop) => stop());
  }
}

/** The ticket that a link left in the address, which then no longer shows it; null without one. */
function takeTicket() {
  const found = /^#cx-chat=([\w.:-]+)$/.exec(location.hash);
  if (found) history.replaceState(history.state, "", location.pathname + location.search);
  return found?.[1] ?? null;
}

function listen(target, event, listener) {
  target.addEventListener(event, listener);
  return () => target.removeEventListener(event, listener);
}

customElements.define("cx-chat", CxChat);

/** Puts the chat on the page, once. Returns the element. */
export function show(settings) {
  const there = document.querySelector("cx-chat");
  if (there) return there;
  const chat = document.createElement("cx-chat");
  chat.settings = settings;
  const { colorScheme } = getComputedStyle(document.documentElement);
  const theme = settings.theme ?? (["light", "dark"].includes(colorScheme) ? colorScheme : "");
  if (theme) chat.dataset.theme = theme;
  document.body.append(chat);
  return chat;
}
