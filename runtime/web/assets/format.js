/** Times in words; the server writes the page with these, the browser keeps them ticking. */

/** Seconds → `28 ms`, `12.3 s`, `1 min 4 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(seconds) {
  if (seconds < 0.9995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return both(whole, 60, "min", "s");
  const minutes = Math.round(whole / 60);
  if (minutes < 1440) return both(minutes, 60, "h", "min");
  return both(Math.round(minutes / 60), 24, "d", "h");
}

function both(value, size, large, small) {
  const rest = value % size;
  return `${Math.floor(value / size)} ${large}${rest === 0 ? "" : ` ${rest} ${small}`}`;
}

/** Time between two instants in milliseconds → `just now`, `12 s ago`, `4 min ago`, `3 h ago`, `2 d ago`. */
export function ago(from, now) {
  const seconds = Math.floor((now - from) / 1000);
  if (seconds < 3) return "just now";
  if (seconds < 60) return `${seconds} s ago`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)} h ago`;
  return `${Math.floor(seconds / 86_400)} d ago`;
}

/** Time until an instant, both in milliseconds → `0:42`, `12:05`, `3 h 20 min`, `2 d 4 h`; `now` when it has come. */
export function countdown(to, now) {
  const seconds = Math.ceil((to - now) / 1000);
  if (seconds <= 0) return "now";
  if (seconds >= 3600) return duration(seconds);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** Time since an instant, both in milliseconds, in whole seconds → `0:07`, `12:05`, `1 h 4 min`. */
export function elapsed(from, now) {
  const seconds = Math.max(0, Math.floor((now - from) / 1000));
  if (seconds >= 3600) return duration(seconds);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}
