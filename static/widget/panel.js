// The parts that one sees: launcher, panel, header, history, composer. What they do is decided in chat.js.

import { element, icon } from "./dom.js";

/** Builds everything inside the shadow root. Returns the parts by name. */
export function buildPanel({ texts, company, composer, on }) {
  const part = {};
  const button = (kind, name, words, click, ...more) =>
    element("button", { type: "button", class: kind, "aria-label": more.length ? null : words, title: more.length ? null : words, on: { click } }, icon(name), ...more);

  part.badge = element("span", { class: "badge", "aria-hidden": "true", hidden: true });
  part.launcher = element(
    "button",
    { type: "button", class: "launcher", "aria-expanded": "false", "aria-controls": "panel", on: { click: on.toggle } },
    icon("chat"),
    icon("down"),
    part.badge,
  );

  part.state = element("p", { class: "state", role: "status" });
  part.byPhone = button("action", "phone", "", on.byPhone, element("span", {}, texts.continueByPhone));
  part.person = button("action", "person", "", on.person, element("span", {}, texts.talkToPerson));
  part.header = element(
    "header",
    {},
    element("div", { class: "mark", "aria-hidden": "true" }, (company.trim()[0] ?? "").toUpperCase()),
    element("div", { class: "names" }, element("h1", { id: "company" }, company), part.state),
    button("icon-button", "down", texts.close, on.toggle),
    element("div", { class: "actions", role: "group", "aria-label": texts.otherWays }, part.byPhone, part.person),
  );

  part.identity = element("p", { class: "identity", role: "status", hidden: true });
  part.bar = element("p", { class: "bar", role: "status" });
  part.noticeText = element("span", {});
  part.notice = element("div", { class: "notice", role: "alert", hidden: true }, part.noticeText, button("icon-button", "close", texts.dismiss, on.dismiss));
  part.sheet = element("section", { class: "sheet", "aria-label": texts.continueByPhone, hidden: true });

  part.list = element("div", { class: "list", role: "log", "aria-live": "polite", "aria-relevant": "additions", "aria-label": texts.history });
  part.live = element("div", { class: "live", hidden: true });
  part.answers = element("div", { class: "answers" });
  part.scroller = element("div", { class: "scroller", tabindex: "0", role: "region", "aria-label": texts.history }, part.list, part.live, part.answers);
  part.pill = element("button", { type: "button", class: "pill", hidden: true }, icon("down"), texts.newMessages);

  part.panel = element(
    "div",
    { id: "panel", class: "panel", role: "dialog", "aria-labelledby": "company", tabindex: "-1", hidden: true },
    part.header,
    part.identity,
    part.bar,
    part.notice,
    part.sheet,
    element("div", { class: "middle" }, part.scroller, part.pill),
    composer,
  );
  return part;
}

/** What somebody is doing right now: a reply as it is written, whose words after the first `seen` characters are new, or the three dots. */
export function liveRow({ who, text, seen, name, sentence }) {
  return element(
    "div",
    { class: `row first by-${who === "agent" ? "agent" : "assistant"}` },
    element("div", { class: "speaker" }, name),
    element(
      "div",
      { class: "bubble" },
      text ? element("p", {}, text.slice(0, seen), element("span", { class: "fresh" }, text.slice(seen))) : element("p", { class: "dots" }, element("span", { class: "unseen" }, sentence), element("i"), element("i"), element("i")),
    ),
  );
}
