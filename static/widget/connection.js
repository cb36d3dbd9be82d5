// One websocket that comes back by itself: exponential back-off with jitter, at once when the network returns.

const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;
const PATIENCE = 10_000; // longest wait for a welcome or an answer before the line counts as dead
const STEADY = 5_000; // a line that held this long was no accident: the next loss starts with the shortest delay
const FOR_GOOD = [4403, 4404]; // this page may not show the chat; there is no such entry point

/** Status: "idle", "connecting", "ready" (after the welcome), "lost" (a next attempt is planned), "refused" (none follows). */
export class Connection {
  status = "idle";
  #address;
  #hello;
  #turn;
  #onFrame;
  #onStatus;
  #socket = null;
  #attempt = 0;
  #retry = null;
  #deadline = null;
  #steady = null;
  #release = () => {};
  #wanted = false;

  /**
   * `hello()` gives the first frame of each attempt; `turn()` resolves when this tab may ask, to a release function;
   * `onFrame(frame)` gets every frame; `onStatus(status)` every change.
   */
  constructor({ address, hello, turn, onFrame, onStatus }) {
    this.#address = address;
    this.#hello = hello;
    this.#turn = turn;
    this.#onFrame = onFrame;
    this.#onStatus = onStatus;
  }

  open() {
    if (this.#wanted) return;
    this.#wanted = true;
    addEventListener("online", this.#networkBack);
    addEventListener("offline", this.#networkGone);
    this.#connect();
  }

  close(status = "idle") {
    this.#wanted = false;
    removeEventListener("online", this.#networkBack);
    removeEventListener("offline", this.#networkGone);
    this.#drop();
    this.#become(status);
  }

  /** Sends when the line is ready and says whether it did. */
  send(frame) {
    if (this.status !== "ready" || this.#socket?.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(JSON.stringify(frame));
    return true;
  }

  /** Sends something that must be answered: silence means that the line is dead. */
  ask(frame) {
    if (!this.send(frame)) return false;
    this.#deadline ??= setTimeout(() => this.#lose(), PATIENCE);
    return true;
  }

  async #connect() {
    clearTimeout(this.#retry);
    if (!this.#wanted || this.#socket) return;
    this.#become("connecting");
    const release = await this.#turn();
    if (!this.#wanted || this.#socket || this.status !== "connecting") return release();
    this.#release = release;
    const socket = new WebSocket(this.#address);
    this.#socket = socket;
    this.#deadline = setTimeout(() => this.#lose(), PATIENCE);
    socket.addEventListener("open", () => socket === this.#socket && socket.send(JSON.stringify(this.#hello())));
    socket.addEventListener("message", (event) => socket === this.#socket && this.#receive(event.data));
    socket.addEventListener("close", ({ code }) => socket === this.#socket && (FOR_GOOD.includes(code) ? this.close("refused") : this.#lose()));
  }

  #receive(text) {
    let frame;
    try {
      frame = JSON.parse(text);
    } catch {
      return;
    }
    clearTimeout(this.#deadline);
    this.#deadline = null;
    const welcomed = frame.type === "welcome" && this.status !== "ready";
    this.#onFrame(frame);
    if (!welcomed) return;
    this.#release();
    this.#steady = setTimeout(() => (this.#attempt = 0), STEADY);
    this.#become("ready");
  }

  #lose() {
    this.#drop();
    if (!this.#wanted) return;
    const delay = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** this.#attempt) * (0.5 + Math.random() / 2);
    this.#attempt += 1;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#connect(), delay);
    this.#become("lost");
  }

  #drop() {
    const socket = this.#socket;
    this.#socket = null;
    clearTimeout(this.#deadline);
    clearTimeout(this.#steady);
    clearTimeout(this.#retry);
    this.#deadline = null;
    this.#release();
    this.#release = () => {};
    socket?.close();
  }

  #become(status) {
    if (this.status === status) return;
    this.status = status;
    this.#onStatus(status);
  }

  #networkBack = () => {
    this.#attempt = 0;
    if (!this.#socket) this.#connect();
  };

  #networkGone = () => {
    if (this.#socket) this.#lose();
  };
}
