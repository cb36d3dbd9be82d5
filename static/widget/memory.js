// What the browser keeps between pages and tabs: who the visitor is, what was not yet delivered, how far one has read.
//
// Each unsent message has a key of its own, so that two tabs never write over each other's.

/** Storage that may be forbidden: then everything is kept for the life of the page. */
class Shelf {
  #fallback = new Map();

  read(key) {
    try {
      return localStorage.getItem(key) ?? this.#fallback.get(key) ?? null;
    } catch {
      return this.#fallback.get(key) ?? null;
    }
  }

  write(key, value) {
    try {
      localStorage.setItem(key, value);
      this.#fallback.delete(key);
    } catch {
      this.#fallback.set(key, value);
    }
  }

  remove(key) {
    this.#fallback.delete(key);
    try {
      localStorage.removeItem(key);
    } catch {
      // Nothing was stored there.
    }
  }

  keys() {
    try {
      return [...new Set([...Object.keys(localStorage), ...this.#fallback.keys()])];
    } catch {
      return [...this.#fallback.keys()];
    }
  }
}

export class Memory {
  #shelf = new Shelf();
  #prefix;
  #lastMoment = 0;

  constructor(server, entryPoint) {
    this.#prefix = `cx-chat ${server}${entryPoint} `;
  }

  get token() {
    return this.#shelf.read(`${this.#prefix}token`);
  }

  get session() {
    return this.#shelf.read(`${this.#prefix}session`);
  }

  /** The id of the visitor that token and session are of, or null: a session's id begins with it. */
  get visitor() {
    return visitorOf(this.session);
  }

  /** Whether somebody has left this browser and the server does not know yet. */
  get leaving() {
    return this.#shelf.read(`${this.#prefix}leaving`) !== null;
  }

  set leaving(leaving) {
    if (leaving) this.#shelf.write(`${this.#prefix}leaving`, "yes");
    else this.#shelf.remove(`${this.#prefix}leaving`);
  }

  /** When somebody last left this browser, as a mark that changes each time. */
  get left() {
    return this.#shelf.read(`${this.#prefix}left`);
  }

  /** Somebody leaves: what they had not sent goes, too. */
  leave() {
    this.leaving = true;
    this.draft = "";
    for (const item of this.outbox()) this.forget(item.client_id);
    this.#shelf.write(`${this.#prefix}left`, newId());
  }

  /** When the last entry that was on the screen occurred (ISO 8601), or "". */
  get readUpto() {
    return this.#shelf.read(`${this.#prefix}read`) ?? "";
  }

  set readUpto(moment) {
    this.#shelf.write(`${this.#prefix}read`, moment);
  }

  get draft() {
    return this.#shelf.read(`${this.#prefix}draft`) ?? "";
  }

  set draft(text) {
    if (text) this.#shelf.write(`${this.#prefix}draft`, text);
    else this.#shelf.remove(`${this.#prefix}draft`);
  }

  /** Whether the panel was left open in this tab. */
  get panelOpen() {
    try {
      return sessionStorage.getItem(`${this.#prefix}open`) === "yes";
    } catch {
      return false;
    }
  }

  set panelOpen(open) {
    try {
      sessionStorage.setItem(`${this.#prefix}open`, open ? "yes" : "no");
    } catch {
      // The panel then starts closed on the next page.
    }
  }

  rememberVisitor(token, session) {
    if (token) this.#shelf.write(`${this.#prefix}token`, token);
    if (session) this.#shelf.write(`${this.#prefix}session`, session);
  }

  /** Undelivered messages in the order they were written: {client_id, type, text, at, refused?}. */
  outbox() {
    const start = `${this.#prefix}outbox `;
    return this.#shelf
      .keys()
      .filter((key) => key.startsWith(start))
      .map((key) => this.#parsed(this.#shelf.read(key)))
      .filter(Boolean)
      .sort((one, other) => one.at - other.at);
  }

  keep(text, type) {
    this.#lastMoment = Math.max(Date.now(), this.#lastMoment + 1);
    const item = { client_id: newId(), type, text, at: this.#lastMoment };
    this.update(item);
    return item;
  }

  update(item) {
    this.#shelf.write(`${this.#prefix}outbox ${item.client_id}`, JSON.stringify(item));
  }

  forget(clientId) {
    this.#shelf.remove(`${this.#prefix}outbox ${clientId}`);
  }

  /** Calls back when another tab changed what is kept. Returns the function that stops it. */
  watch(callback) {
    const listener = (event) => {
      if (event.key === null || event.key.startsWith(this.#prefix)) callback();
    };
    addEventListener("storage", listener);
    return () => removeEventListener("storage", listener);
  }

  /**
   * Waits until no other tab is being given a token, so that two tabs opened or signed in together become one visitor.
   * Without need, when there is a token already, nobody waits. Resolves to the function that lets the next tab go on.
   */
  async turn(needed) {
    if ((this.token && !needed) || !navigator.locks) return () => {};
    let release;
    const held = new Promise((resolve) => (release = resolve));
    await new Promise((resolve) => {
      navigator.locks.request(`${this.#prefix}first`, () => {
        resolve();
        return held;
      }).catch(resolve);
    });
    return release;
  }

  #parsed(text) {
    try {
      const item = JSON.parse(text);
      return typeof item?.client_id === "string" && typeof item.text === "string" ? item : null;
    } catch {
      return null;
    }
  }
}

/** The visitor's id that a session's id begins with; null without one. */
export function visitorOf(session) {
  return session?.split(".")[0] ?? null;
}

/** A random UUID; crypto.randomUUID exists only on secure pages. */
function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
