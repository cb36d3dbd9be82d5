// What a host site's own page does for the chat: a fresh token when it asks for one, and a word when somebody signs out.

const LONGEST_WAIT = 3_000; // signing out of the site waits no longer than this for the chat

addEventListener("cxhub:identity-needed", async () => {
  const answer = await fetch("/harborhome/identity", { credentials: "same-origin" });
  const { token } = await answer.json();
  if (token) window.CXHub.identify(token);
});

document.querySelector("[data-signs-out]")?.addEventListener("submit", async (event) => {
  const form = event.target;
  event.preventDefault();
  const waited = new Promise((resolve) => setTimeout(resolve, LONGEST_WAIT));
  await Promise.race([window.CXHub?.signOut?.(), waited]);
  form.submit();
});
