// Numbers with their units, as a person reads them.

const count = new Intl.NumberFormat("en-US");
const SIZES = ["KiB", "MiB", "GiB", "TiB"];

/** A whole number with separators: `12,345`. */
export const number = (value) => count.format(value);

/** `1 byte`, `12,345 bytes`; or another `word`. */
export const counted = (value, word = "byte", words = `${word}s`) =>
  `${number(value)} ${value === 1 ? word : words}`;

/** Bytes, exact while they are few: `512 B`, `9,999 B`, `9.8 KiB`, `1.2 MiB`. */
export function size(bytes) {
  if (bytes < 10_000) return `${number(bytes)} B`;
  let value = bytes;
  let unit = -1;
  while (value >= 999.5 && unit < SIZES.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value.toFixed(value < 99.95 ? 1 : 0)} ${SIZES[unit]}`;
}

/** Seconds: `40 µs`, `1.4 ms`, `120 ms`, `3.2 s`, `2 min 05 s`, `1 h 03 min`. */
export function duration(seconds) {
  if (seconds < 0.0009995) return `${(seconds * 1e6).toFixed(0)} µs`;
  if (seconds < 0.00995) return `${(seconds * 1e3).toFixed(1)} ms`;
  if (seconds < 0.9995) return `${(seconds * 1e3).toFixed(0)} ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.max(60, Math.floor(seconds));
  const two = (value) => String(value).padStart(2, "0");
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${two(whole % 60)} s`;
  return `${Math.floor(whole / 3600)} h ${two(Math.floor((whole % 3600) / 60))} min`;
}

/** Microseconds: `31 µs`, `1.25 ms`. */
export const micro = (us) => (us < 1000 ? `${us} µs` : `${(us / 1000).toFixed(2)} ms`);

/** Seconds between two times in nanoseconds, to the microsecond: `0.001234`. */
export const since = (ns, begin) => ((ns - begin) / 1e9).toFixed(6);
