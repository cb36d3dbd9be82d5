// Makes web addresses in a text clickable, and only those: any other scheme stays plain text.

import { element } from "./dom.js";

const ADDRESS = /https?:\/\/[^\s<>"'`]+/gi;
const CLOSING = /[.,;:!?)\]}»”’]+$/;

/** The address as a URL when a browser may safely open it, else null. `server` resolves "/help/…". */
export function safeAddress(address, server) {
  try {
    const url = new URL(address, server);
    return url.protocol === "https:" || url.protocol === "http:" ? url : null;
  } catch {
    return null;
  }
}

export function link(url, ...content) {
  return element("a", { href: url.href, target: "_blank", rel: "noopener noreferrer" }, ...content);
}

/** The text as a list of strings and links. */
export function withLinks(text, server) {
  const parts = [];
  let done = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = match[0].replace(CLOSING, "");
    const url = safeAddress(address, server);
    if (!url) continue;
    parts.push(text.slice(done, match.index), link(url, address));
    done = match.index + address.length;
  }
  parts.push(text.slice(done));
  return parts.filter((part) => part !== "");
}
