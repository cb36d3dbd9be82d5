/* Parts of the page that htmx puts in place. */

import { Refused, refusalSentence, texts } from "./page.js";

/**
 * Has a part of the page fetched and put in place. Requests with the same `source` follow each other.
 * What comes when it is no longer `wanted` changes nothing. Throws Refused with a sentence, or TypeError without a network.
 */
export async function put(url, { source, target, swap, wanted }) {
  let refused = null;
  const onRefusal = ({ detail: { xhr } }) => {
    const plain = xhr.getResponseHeader("Content-Type")?.startsWith("text/plain");
    refused = new Refused(xhr.status, refusalSentence(xhr.status, plain ? xhr.responseText : ""));
  };
  const onSwap = (event) => {
    if (!wanted()) event.detail.shouldSwap = false;
  };
  source.addEventListener("htmx:responseError", onRefusal);
  source.addEventListener("htmx:beforeSwap", onSwap);
  try {
    await window.htmx.ajax("GET", url, { source, target, swap, headers: { "X-Requested-With": "fetch" } });
  } catch {
    refused ??= new TypeError(texts.offline);
  } finally {
    source.removeEventListener("htmx:responseError", onRefusal);
    source.removeEventListener("htmx:beforeSwap", onSwap);
  }
  if (refused) throw refused;
}

/** Ends the request of `source` that is on its way. */
export function drop(source) {
  window.htmx.trigger(source, "htmx:abort");
}
