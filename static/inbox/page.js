/* Small things every part of the inbox needs: asking the server, saying something shortly, this page's addresses. */

export const body = document.body;
export const me = body.dataset.me;

export const byId = (id) => document.getElementById(id);

/** Every sentence the script shows, in the reader's language. */
export const texts = JSON.parse(byId("inbox-texts").textContent);

/** Puts values into the braces of a sentence: fill("Hello {name}", { name: "Mary" }). */
export function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Asks for a part of the page. Throws Refused with a sentence, or TypeError when the network is away. */
export async function ask(url, options = {}) {
  const response = await fetch(url, {
    credentials: "same-origin",
    ...options,
    headers: { "X-Requested-With": "fetch", "X-CSRFToken": body.dataset.csrf, ...options.headers },
  });
  if (response.status === 401) {
    location.assign(response.headers.get("HX-Redirect") || body.dataset.home);
    throw new Refused(401, "");
  }
  if (!response.ok) throw new Refused(response.status, await sentence(response), response);
  return response;
}

export function post(url, fields = {}) {
  return ask(url, { method: "POST", body: new URLSearchParams(fields) });
}

export class Refused extends Error {
  constructor(status, message, response) {
    super(message);
    this.status = status;
    this.response = response;
  }
}

/* A body that is no sentence, such as a form with its errors, is left for whoever asked. */
async function sentence(response) {
  const type = response.headers.get("Content-Type") || "";
  return refusalSentence(response.status, type.startsWith("text/plain") ? await response.text() : "");
}

/** What a refusal means to the person: the server's own sentence where it sent one. */
export function refusalSentence(status, sent) {
  if (sent) return sent;
  if (status === 404) return texts.gone;
  if (status === 403) return texts.signInChanged;
  return texts.serverFailed;
}

/** Says something at the edge of the page for some seconds. */
export function say(text, meaning = "info") {
  if (!text) return;
  const line = document.createElement("p");
  line.className = `message message-${meaning}`;
  line.textContent = text;
  byId("toasts").append(line);
  setTimeout(() => line.remove(), meaning === "danger" ? 9000 : 5000);
}

/** Runs an action; whatever is refused is said to the person. Answers the response, or null. */
export async function attempt(action) {
  try {
    return await action();
  } catch (error) {
    if (error instanceof Refused) say(error.message, "danger");
    else if (error instanceof TypeError) say(texts.offline, "warn");
    else throw error;
    return null;
  }
}

/** Calls `action` once, `pause` ms after the last call. */
export function gathered(action, pause) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => action(...values), pause);
  };
}

export function remember(key, value) {
  try {
    if (value === null || value === "") localStorage.removeItem(key);
    else localStorage.setItem(key, value);
  } catch {
    // Without storage things are remembered for as long as the page is open, elsewhere.
  }
}

export function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** The pane shown when there is room for one only: lists, history or customer. */
export function showPane(name) {
  byId("main").dataset.pane = name;
}

/** Whether keys belong to what is typed: a field that is still focused in a dialog just closed takes none. */
export function inField(target) {
  return Boolean(target.closest?.("input, textarea, select, [contenteditable]")?.checkVisibility());
}

export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((each) => each.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}
