// Every message is shown at once, kept until the server acknowledges it, and sent again after a lost line.
//
// One message is on its way at a time, so that they arrive in the order they were written; the server knows a
// repeated client_id and stores the message once.

const SLOW_DOWN = 1_500;

export class Outbox {
  #memory;
  #connection;
  #onChange;
  #onTheWay = null;
  #pause = null;
  #acked = new Map();

  constructor({ memory, connection, onChange }) {
    this.#memory = memory;
    this.#connection = connection;
    this.#onChange = onChange;
  }

  /** What is to be shown beside the history: {client_id, text, at, state: "sending" | "sent" | "refused", reason, seq}. */
  messages() {
    const waiting = this.#memory.outbox().map((item) => ({
      ...item,
      state: item.refused ? "refused" : "sending",
      reason: item.refused ?? "",
    }));
    return [...this.#acked.values(), ...waiting];
  }

  /** Takes a message; `type` "person" is the request for a person, which the server puts into words itself. */
  add(text, type = "message") {
    this.#memory.keep(text, type);
    this.#onChange();
    this.next();
  }

  /** The line is fresh: whatever was on its way may be lost, so it goes again. */
  restart() {
    this.#onTheWay = null;
    this.next();
  }

  next() {
    if (this.#onTheWay || this.#pause) return;
    const item = this.#memory.outbox().find((one) => !one.refused);
    if (item && this.#connection.ask({ type: item.type ?? "message", client_id: item.client_id, text: item.text })) {
      this.#onTheWay = item.client_id;
    }
  }

  acknowledge({ client_id: clientId, seq }) {
    const item = this.#memory.outbox().find((one) => one.client_id === clientId);
    if (item) this.#acked.set(clientId, { ...item, state: "sent", reason: "", seq });
    this.#memory.forget(clientId);
    this.#arrived(clientId);
  }

  /** The server says no. What came too fast or too soon is sent again a little later; anything else waits for the customer. */
  refuse({ client_id: clientId, code, reason }) {
    const item = this.#memory.outbox().find((one) => one.client_id === clientId);
    if (item && ["too_fast", "no_hello"].includes(code)) {
      this.#pause = setTimeout(() => {
        this.#pause = null;
        this.next();
      }, SLOW_DOWN);
    } else if (item) {
      this.#memory.update({ ...item, refused: reason || code || "?" });
    }
    this.#arrived(clientId);
  }

  /** Messages that the history now holds need no place beside it. */
  recorded(entry) {
    const clientId = entry.data?.client_id ?? [...this.#acked.values()].find((item) => item.seq === entry.seq)?.client_id;
    if (!clientId) return;
    this.#acked.delete(clientId);
    this.#memory.forget(clientId);
    if (this.#onTheWay === clientId) {
      this.#onTheWay = null;
      this.next();
    }
  }

  /** What was delivered is somebody else's history now. */
  forgetSent() {
    this.#acked.clear();
  }

  /** Takes a refused message back and returns its text. */
  withdraw(clientId) {
    const item = this.#memory.outbox().find((one) => one.client_id === clientId);
    this.#memory.forget(clientId);
    this.#onChange();
    return item?.text ?? "";
  }

  /** Sends a refused message once more, under the same client_id. */
  retry(clientId) {
    const item = this.#memory.outbox().find((one) => one.client_id === clientId);
    if (!item) return;
    this.#memory.update({ ...item, refused: undefined });
    this.#onChange();
    this.next();
  }

  #arrived(clientId) {
    if (this.#onTheWay === clientId) this.#onTheWay = null;
    this.#onChange();
    this.next();
  }
}
