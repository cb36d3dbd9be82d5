/* The socket to the server: comes back by itself, and always asks for what was missed. */

const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 15000;
const HEARTBEAT = 20000;
const NOT_STAFF = 4403;

export class InboxSocket extends EventTarget {
  #socket = null;
  #pause = FIRST_PAUSE;
  #watched = null;
  #timer = null;
  #heard = 0;

  constructor() {
    super();
    setInterval(() => this.#beat(), HEARTBEAT);
    addEventListener("online", () => this.connect());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && !this.up) this.connect();
    });
  }

  get up() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  connect() {
    clearTimeout(this.#timer);
    if (this.#socket && this.#socket.readyState <= WebSocket.OPEN) return;
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws/inbox/`);
    this.#socket = socket;
    socket.addEventListener("open", () => {
      this.#pause = FIRST_PAUSE;
      this.#heard = Date.now();
      this.send({ type: "heartbeat" });
      this.#openWatched();
      this.dispatchEvent(new Event("up"));
    });
    socket.addEventListener("message", (event) => {
      this.#heard = Date.now();
      this.dispatchEvent(new CustomEvent("frame", { detail: JSON.parse(event.data) }));
    });
    socket.addEventListener("close", (event) => {
      if (socket !== this.#socket) return;
      this.dispatchEvent(new Event("down"));
      if (event.code === NOT_STAFF) return location.reload();
      this.#timer = setTimeout(() => this.connect(), this.#pause * (0.75 + Math.random() / 2));
      this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
    });
  }

  /** Watches one conversation; `after` is a function, so that a reconnect asks from where the page is then. */
  watch(conversation, after) {
    this.#watched = { conversation, after };
    this.#openWatched();
  }

  leave() {
    this.#watched = null;
    this.send({ type: "leave" });
  }

  send(frame) {
    if (this.up) this.#socket.send(JSON.stringify(frame));
  }

  #openWatched() {
    if (this.#watched) {
      const { conversation, after } = this.#watched;
      this.send({ type: "open", conversation, after: after() });
    }
  }

  #beat() {
    if (this.up && Date.now() - this.#heard > 2.5 * HEARTBEAT) this.#socket.close();
    else this.send({ type: "heartbeat" });
  }
}
