// Who is signed in on the host site: its token, what the server believed of it, and the way out.

import { element, fill } from "./dom.js";

const ASK_BEFORE = 60_000; // a fresh token is asked for this long before the last one ends
const ASK_FOR_ANOTHER = ["identity_expired", "identity_used"];

export class Identity {
  /** The host site's token (JWT) that goes along with each hello, or null. */
  token = null;
  #place;
  #texts;
  #leave;
  #expires = null;
  #shown = null;

  /** `place` is the row in the panel; `leave()` is called by whoever says that it is not them. */
  constructor({ place, texts, leave }) {
    this.#place = place;
    this.#texts = texts;
    this.#leave = leave;
  }

  /** Shows what the server believes: `{name, until}`, with `until` null when nobody vouches now; or null. */
  show(identity) {
    clearTimeout(this.#expires);
    this.#shown = identity;
    const left = identity?.until ? new Date(identity.until) - Date.now() : 0;
    const words = identity?.name ? fill(this.#texts.signedInAs, { name: identity.name }) : this.#texts.signedIn;
    const leave = element("button", { type: "button", class: "leave", on: { click: this.#leave } }, this.#texts.notYou);
    this.#place.replaceChildren(...(identity ? [...(left > 0 ? [element("span", { class: "signed-in-as" }, words)] : []), leave] : []));
    this.#place.hidden = !identity;
    if (left > 0) this.#expires = setTimeout(() => this.#need("expires"), left - Math.min(ASK_BEFORE, left / 2));
  }

  /** Says who it is in the texts as they are now. */
  retell() {
    this.show(this.#shown);
  }

  /** The token was not believed: that is for the site's developer, and the site may have a fresh one. */
  refuse({ code, reason }) {
    this.token = null;
    console.warn(`CX Hub does not believe who is signed in: ${reason}`);
    if (ASK_FOR_ANOTHER.includes(code)) this.#need(code.replace("identity_", ""));
  }

  #need(why) {
    dispatchEvent(new CustomEvent("cxhub:identity-needed", { detail: { why } }));
  }
}
