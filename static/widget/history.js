// What happened, as the server told it: each entry once, in order.
//
// Entries are numbered within their conversation. When the chat goes on in another one, because the first was over or
// was joined into it, the numbers begin anew; that is a new chapter, shown below the earlier one.

export class History {
  upto = 0;
  conversation = null;
  #earlier = [];
  #chapter = 0;
  #current = new Map();

  /** Takes an `entries` frame. Returns the entries that are new or have changed. */
  add({ conversation, entries, upto }) {
    if (conversation && conversation !== this.conversation) this.#beginChapter(conversation);
    const fresh = entries.filter((entry) => this.#current.get(entry.seq)?.redacted !== entry.redacted);
    for (const entry of fresh) this.#current.set(entry.seq, { ...entry, chapter: this.#chapter });
    this.upto = Math.max(this.upto, upto ?? 0, ...entries.map((entry) => entry.seq));
    return fresh;
  }

  /** Every entry in reading order. */
  all() {
    return [...this.#earlier, ...[...this.#current.values()].sort((one, other) => one.seq - other.seq)];
  }

  #beginChapter(conversation) {
    this.conversation = conversation;
    this.#earlier = this.all();
    this.#current = new Map();
    this.#chapter += 1;
    this.upto = 0;
  }
}
