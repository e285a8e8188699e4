// What pages need beside htmx; without it everything works, only less lively.
"use strict";

// One press, one order: a form that is being sent can't be sent again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) return event.preventDefault();
  if (form.method !== "post" || event.defaultPrevented) return;
  form.dataset.sent = "1";
  for (const button of form.querySelectorAll("button")) button.setAttribute("aria-disabled", "true");
});
const released = () => {
  for (const form of document.querySelectorAll("form[data-sent]")) {
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("button")) button.removeAttribute("aria-disabled");
  }
};
window.addEventListener("pageshow", released);
document.addEventListener("htmx:afterRequest", released);

// A part of a page that can't be had says why, in its place.
document.addEventListener("htmx:responseError", (event) => {
  let said = "This can't be shown now; reload the page to try again.";
  try { said = JSON.parse(event.detail.xhr.responseText).error || said; } catch { /* no words of ours */ }
  const notice = document.createElement("p");
  notice.className = "notice notice-bad";
  notice.setAttribute("role", "alert");
  notice.textContent = said;
  event.detail.target.replaceChildren(notice);
});

// Light or dark by hand, kept in a cookie so that the page is drawn right at once.
const dark = matchMedia("(prefers-color-scheme: dark)");
const isDark = () => (document.documentElement.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
const nameTheme = () => {
  for (const word of document.querySelectorAll("[data-theme-word]")) word.textContent = isDark() ? "Light" : "Dark";
};
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-switch]")) return;
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  document.cookie = `mlc_theme=${theme}; path=/; max-age=31536000; samesite=lax`;
  nameTheme();
});
document.addEventListener("DOMContentLoaded", () => {
  for (const button of document.querySelectorAll("[data-theme-switch]")) button.hidden = false;
  nameTheme();
});

// Whatever unfolds over the page folds again by Escape or a press elsewhere.
document.addEventListener("keydown", (event) => {
  const open = document.querySelector("details.menu[open], details.switch[open]");
  if (event.key === "Escape" && open) {
    open.open = false;
    open.querySelector("summary").focus();
  }
  const typing = event.target.closest("input, textarea, select");
  const search = document.querySelector("input[type=search]");
  if (event.key === "/" && search && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    search.focus();
  }
});

// A page that changes while it is looked at: what the server sends replaces the parts of the same id.
const follow = (place) => {
  const events = new EventSource(place.dataset.events);
  events.addEventListener("part", (event) => {
    const part = new DOMParser().parseFromString(event.data, "text/html").body.firstElementChild;
    const old = part && document.getElementById(part.id);
    if (old) old.replaceWith(part);
  });
  events.addEventListener("over", () => {
    events.close();
    location.reload();
  });
  events.addEventListener("full", () => events.close());
  window.addEventListener("pagehide", () => events.close(), { once: true });
};
document.addEventListener("DOMContentLoaded", () => {
  for (const place of document.querySelectorAll("[data-events]")) follow(place);
});
