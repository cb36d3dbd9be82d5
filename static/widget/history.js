// What happened, as the server told it: each entry once, in order.
//
// Entries are numbered within their conversation. When a conversation is over and the customer writes again, the
// numbers begin anew; that is a new chapter, shown below the earlier one.

export class History {
  upto = 0;
  #earlier = [];
  #chapter = 0;
  #current = new Map();

  /** Takes an `entries` frame. Returns the entries that are new or have changed. */
  add({ entries, upto }) {
    if (entries.some((entry) => this.#contradicts(entry))) this.#beginChapter();
    const fresh = entries.filter((entry) => this.#current.get(entry.seq)?.redacted !== entry.redacted);
    for (const entry of fresh) this.#current.set(entry.seq, { ...entry, chapter: this.#chapter });
    this.upto = Math.max(this.upto, upto ?? 0, ...entries.map((entry) => entry.seq));
    return fresh;
  }

  /** Every entry in reading order. */
  all() {
    return [...this.#earlier, ...[...this.#current.values()].sort((one, other) => one.seq - other.seq)];
  }

  #contradicts(entry) {
    const known = this.#current.get(entry.seq);
    return known !== undefined && (known.kind !== entry.kind || known.occurred_at !== entry.occurred_at);
  }

  #beginChapter() {
    this.#earlier = this.all();
    this.#current = new Map();
    this.#chapter += 1;
    this.upto = 0;
  }
}
