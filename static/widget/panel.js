// The parts that one sees: launcher, panel, header, history, composer. What they do is decided in chat.js.

import { element, icon } from "./dom.js";

/** Builds everything inside the shadow root. Returns the parts by name, and `retell()`, which says them in the texts as they are then. */
export function buildPanel({ texts, company, composer, on }) {
  const part = {};
  const told = [];
  const tell = (node, set) => {
    told.push(() => set(node));
    set(node);
    return node;
  };
  part.retell = () => told.forEach((again) => again());
  const worded = (name) => tell(element("span", {}), (node) => (node.textContent = texts[name]));
  const labelled = (node, name) => tell(node, () => node.setAttribute("aria-label", texts[name]));
  const button = (kind, name, click, ...more) => element("button", { type: "button", class: kind, on: { click } }, icon(name), ...more);
  const iconButton = (name, words, click) => tell(labelled(button("icon-button", name, click), words), (node) => (node.title = texts[words]));

  part.badge = element("span", { class: "badge", "aria-hidden": "true", hidden: true });
  part.launcher = element(
    "button",
    { type: "button", class: "launcher", "aria-expanded": "false", "aria-controls": "panel", on: { click: on.toggle } },
    icon("chat"),
    icon("down"),
    part.badge,
  );

  part.state = element("p", { class: "state", role: "status" });
  part.byPhone = button("action", "phone", on.byPhone, worded("continueByPhone"));
  part.person = button("action", "person", on.person, worded("talkToPerson"));
  part.header = element(
    "header",
    {},
    element("div", { class: "mark", "aria-hidden": "true" }, (company.trim()[0] ?? "").toUpperCase()),
    element("div", { class: "names" }, element("h1", { id: "company" }, company), part.state),
    iconButton("down", "close", on.toggle),
    labelled(element("div", { class: "actions", role: "group" }, part.byPhone, part.person), "otherWays"),
  );

  part.identity = element("p", { class: "identity", role: "status", hidden: true });
  part.bar = element("p", { class: "bar", role: "status" });
  part.noticeText = element("span", {});
  part.notice = element("div", { class: "notice", role: "alert", hidden: true }, part.noticeText, iconButton("close", "dismiss", on.dismiss));
  part.sheet = labelled(element("section", { class: "sheet", hidden: true }), "continueByPhone");

  part.list = labelled(element("div", { class: "list", role: "log", "aria-live": "polite", "aria-relevant": "additions" }), "history");
  part.live = element("div", { class: "live", hidden: true });
  part.answers = element("div", { class: "answers" });
  part.scroller = labelled(element("div", { class: "scroller", tabindex: "0", role: "region" }, part.list, part.live, part.answers), "history");
  part.pill = element("button", { type: "button", class: "pill", hidden: true }, icon("down"), worded("newMessages"));

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
