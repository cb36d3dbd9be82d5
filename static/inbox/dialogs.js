/* Dialogs with forms of the server's, and buttons that do one thing: shared by the inbox and the board. */

import { ask, attempt, byId, post, Refused, say } from "./page.js";

let done = () => {};

/** Calls `action` after anything was done in a dialog or by a button, with the address that the answer says to open, if any. */
export function whenDone(action) {
  done = action;
}

export function showDialog(dialog) {
  if (!dialog.open) dialog.showModal();
}

async function act(button) {
  button.disabled = true;
  const answer = await attempt(() => post(button.dataset.post));
  button.disabled = false;
  if (!answer) return;
  say(button.dataset.done, "ok");
  done(answer.headers.get("X-Open"));
}

async function openForm(url) {
  const answer = await attempt(() => ask(url));
  if (!answer) return;
  showForm(await answer.text());
  showDialog(byId("action-dialog"));
}

/** Puts a form into the dialog; what was wrong in it has the focus, or its first field. */
function showForm(html) {
  const body = byId("action-body");
  body.innerHTML = html;
  const wrong = body.querySelector("[aria-invalid]");
  (wrong ?? body.querySelector("select, input:not([type=hidden]), textarea, button[type=submit]"))?.focus();
}

document.addEventListener("click", (event) => {
  const hit = (selector) => event.target.closest(selector);
  if (hit("[data-do=close-dialog]")) document.querySelector("dialog[open]")?.close();
  else if (hit("[data-post]")) act(hit("[data-post]"));
  else if (hit("[data-dialog]")) openForm(hit("[data-dialog]").dataset.dialog);
});

document.addEventListener("submit", async (event) => {
  const form = event.target.closest("[data-dialog-form]");
  if (!form) return;
  event.preventDefault();
  const button = event.submitter ?? form.querySelector("[type=submit]");
  const fields = new FormData(form, event.submitter);
  button.disabled = true;
  try {
    const answer = await post(form.action, fields);
    if (answer.status === 200) {
      showForm(await answer.text());
      if (answer.headers.get("HX-Trigger")) done();
      return;
    }
    byId("action-dialog").close();
    say(form.dataset.done, "ok");
    done();
  } catch (error) {
    button.disabled = false;
    if (error instanceof Refused && error.status === 422) {
      showForm(await error.response.text());
    } else await attempt(() => Promise.reject(error));
  }
});
