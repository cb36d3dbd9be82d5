/* The reader’s zone for the server. Light, dark or as the system: applied before the first paint, changed by any element with data-choose-theme. */

const KEY = "cxhub.theme";

// The server writes times in the reader’s own zone.
document.cookie = `cxhub_zone=${Intl.DateTimeFormat().resolvedOptions().timeZone}; path=/; max-age=31536000; samesite=lax`;

function apply(theme) {
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

function stored() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

apply(stored());

function mark() {
  const chosen = stored() || "system";
  for (const button of document.querySelectorAll("[data-choose-theme]")) {
    button.setAttribute("aria-pressed", String(button.dataset.chooseTheme === chosen));
  }
}

document.addEventListener("DOMContentLoaded", mark);
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-choose-theme]");
  if (!button) return;
  try {
    localStorage.setItem(KEY, button.dataset.chooseTheme);
  } catch {
    // Without storage the choice holds for this page only.
  }
  apply(button.dataset.chooseTheme);
  mark();
});
