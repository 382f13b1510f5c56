/** Keeps an open page fresh: fetches it anew when the server says that something changed, and swaps in what differs. */
import { Idiomorph } from "./idiomorph.esm.js";
import { ago, countdown, elapsed } from "./format.js";

/** No two refreshes closer together than this, in milliseconds. */
const REFRESH_GAP = 500;

const LIVE = { ago, countdown, elapsed };

/** Server time minus this machine's, so that a wrong clock here does not bend relative times. */
let skew = 0;
let refreshing = false;
let again = false;

function readClock() {
  const now = document.getElementById("page").dataset.now;
  if (now) skew = Date.parse(now) - Date.now();
}

function tick() {
  const now = Date.now() + skew;
  for (const element of document.querySelectorAll("time[data-live]")) {
    const text = LIVE[element.dataset.live](Date.parse(element.dateTime), now);
    if (element.textContent !== text) element.textContent = text;
  }
}

async function refresh() {
  again = true;
  if (refreshing || document.hidden) return;
  refreshing = true;
  try {
    while (again && !document.hidden) {
      again = false;
      await swapIn(location.href);
      await new Promise((resolve) => setTimeout(resolve, REFRESH_GAP));
    }
  } finally {
    refreshing = false;
  }
}

async function swapIn(address) {
  let text;
  try {
    const response = await fetch(address, { headers: { accept: "text/html" } });
    // The login is over; the server knows where to, and back.
    if (response.redirected && new URL(response.url).pathname === "/login") return location.reload();
    // An error page is not swapped in: what is shown may be old, but is of use.
    if (!response.ok) return setOffline(true);
    text = await response.text();
  } catch {
    return setOffline(true);
  }
  // The reader went on to something else while this was under way.
  if (address !== location.href) return;
  const fresh = new DOMParser().parseFromString(text, "text/html");
  const atEnd = logIsAtEnd();
  Idiomorph.morph(document.getElementById("page"), fresh.getElementById("page"), { ignoreActiveValue: true });
  setOffline(events.readyState !== EventSource.OPEN);
  document.title = fresh.title;
  readClock();
  tick();
  if (atEnd) followLog();
}

function setOffline(offline) {
  document.getElementById("offline").hidden = !offline;
}

/** Puts a view option into the address, so that a reload or a link shows the same. */
function setOption(name, value) {
  const address = new URL(location.href);
  if (value === "") address.searchParams.delete(name);
  else address.searchParams.set(name, value);
  if (address.href !== location.href) history.replaceState(null, "", address);
}

function logIsAtEnd() {
  const log = document.getElementById("log");
  return log !== null && log.scrollHeight - log.scrollTop - log.clientHeight < 24;
}

function followLog() {
  const log = document.getElementById("log");
  if (log && "follow" in log.dataset) log.scrollTop = log.scrollHeight;
}

let noticeTimer;
function notify(message, bad = false) {
  const notice = document.getElementById("notice");
  notice.textContent = message;
  notice.classList.toggle("bad", bad);
  notice.hidden = false;
  clearTimeout(noticeTimer);
  noticeTimer = setTimeout(() => (notice.hidden = true), bad ? 20_000 : 6_000);
}

async function runNow(button) {
  button.disabled = true;
  try {
    const response = await fetch("/api/run", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: "{}",
    });
    if (response.status === 401) return location.reload();
    const answer = await response.json();
    if (response.ok) notify(`Batch ${answer.batch_id} has started.`);
    else notify(`${answer.error.message}. ${answer.error.remedy}`, true);
  } catch {
    notify("The program could not be reached. Check that it still runs.", true);
  } finally {
    button.disabled = false;
    void refresh();
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("#run");
  if (button && !button.disabled) void runNow(button);
});

document.addEventListener("change", (event) => {
  const { target } = event;
  if (target.dataset.submit !== undefined) setOption(target.name, target.value);
  else if (target.dataset.option) setOption(target.dataset.option, target.checked ? "on" : "off");
  else return;
  void refresh().then(followLog);
});

// `toggle` does not bubble; it is caught on its way down.
document.addEventListener(
  "toggle",
  ({ target }) => {
    if (!(target instanceof HTMLDetailsElement) || !target.dataset.open) return;
    const open = [...document.querySelectorAll("details[data-open][open]")].map((element) => element.dataset.open);
    setOption("open", open.join(","));
  },
  true,
);

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) void refresh();
});

// Escape takes a tool tip away without moving focus or pointer.
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.body.classList.add("no-tips");
});
for (const kind of ["pointerover", "focusin"]) {
  document.addEventListener(kind, () => document.body.classList.remove("no-tips"));
}

const events = new EventSource("/events");
let connected = false;
events.addEventListener("open", () => {
  setOffline(false);
  // What happened while there was no connection.
  if (connected) void refresh();
  connected = true;
});
events.addEventListener("error", () => {
  setOffline(true);
  // Refused, rather than broken off: perhaps the login is over.
  if (events.readyState === EventSource.CLOSED) void refresh();
});
events.addEventListener("change", () => void refresh());

readClock();
tick();
setInterval(tick, 1_000);
followLog();
