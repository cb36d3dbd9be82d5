// The text messages that the phone got and wrote. Web addresses in them are links.

const ADDRESS = /https?:\/\/[^\s<>"]+[^\s<>".,;:!?)]/g;

export class Messages {
  #list;
  #empty;
  #template;
  #texts;
  #shown = 0;

  /** `list` takes the messages, `empty` is shown while there are none; `texts` are the page's words. */
  constructor({ list, empty, template, texts }) {
    this.#list = list;
    this.#empty = empty;
    this.#template = template;
    this.#texts = texts;
  }

  /** Forgets everything, as when another phone is played. */
  clear() {
    this.#shown = 0;
    this.#list.replaceChildren();
    this.#empty.hidden = false;
  }

  /** Shows messages that are numbered from `first` on; those shown before are left out. */
  show({ first, texts }) {
    texts.forEach((message, index) => {
      if (first + index < this.#shown) return;
      this.#shown = first + index + 1;
      this.#list.prepend(this.#item(message));
    });
    this.#empty.hidden = this.#shown > 0;
  }

  #item({ from, to, text, at }) {
    const item = this.#template.content.firstElementChild.cloneNode(true);
    item.querySelector(".text-from").textContent = to
      ? this.#texts.textTo.replace("{number}", `+${to}`)
      : this.#texts.textFrom.replace("{number}", `+${from}`);
    item.classList.toggle("is-mine", Boolean(to));
    const time = item.querySelector("time");
    time.dateTime = new Date(at * 1000).toISOString();
    time.textContent = new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    item.querySelector(".text-words").append(...withLinks(text));
    return item;
  }
}

function withLinks(text) {
  const pieces = [];
  let end = 0;
  for (const found of text.matchAll(ADDRESS)) {
    const link = document.createElement("a");
    link.href = link.textContent = found[0];
    link.target = "_blank";
    link.rel = "noopener";
    pieces.push(text.slice(end, found.index), link);
    end = found.index + found[0].length;
  }
  return [...pieces, text.slice(end)];
}
