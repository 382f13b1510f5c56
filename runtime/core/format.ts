/** Figures as people read them. */

const counts = new Intl.NumberFormat("en");
const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** `62,000` */
export function formatCount(count: number): string {
  return counts.format(count);
}

/** Bytes → `812 B`, `14.2 kB`, `1.3 GB`, in powers of 1000. */
export function formatBytes(bytes: number): string {
  let scaled = bytes;
  let unit = 0;
  while (scaled >= 999.5 && unit < UNITS.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return `${unit === 0 || scaled >= 99.95 ? Math.round(scaled) : scaled.toFixed(1)} ${UNITS[unit]}`;
}

/** `0.24 s`, `12.1 s`, `3 min 7 s`, `2 h 5 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 10) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Credits with two digits that count: `0`, `0.017`, `0.33`, `4.5`, `120`. */
export function formatCredits(credits: number): string {
  if (credits === 0) return "0";
  return credits >= 10 ? formatCount(Math.round(credits)) : String(Number(credits.toPrecision(2)));
}
