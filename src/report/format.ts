/**
 * How numbers are written in every report: one place, so that a figure looks the same in text, table and plot. A
 * no-break space (U+00A0) joins a number and its unit.
 */

/** A share in [0, 1] as a percentage with one decimal: `0.9304` is `93.0%`. Never rounds to 0 or 100 by itself: `0.0002` is `<0.1%`. */
export function formatPercent(share: number): string {
  if (share > 0 && share < 0.0005) return "<0.1%";
  if (share < 1 && share >= 0.9995) return ">99.9%";
  return `${(share * 100).toFixed(1)}%`;
}

/** A difference of two shares in percentage points with its sign: `-0.013` is `−1.3 points`. */
export function formatPoints(difference: number): string {
  const points = Math.abs(difference * 100).toFixed(1);
  const sign = points === "0.0" ? "±" : difference < 0 ? "−" : "+";
  return `${sign}${points}\u00a0points`;
}

/** A whole number with thousands separated: `162848000` is `162,848,000`. */
export function formatCount(count: number): string {
  return Math.round(count)
    .toString()
    .replaceAll(/\B(?=(?:\d{3})+$)/g, ",");
}

/** Bytes in decimal units and three significant digits: `5852350` is `5.85 MB`. */
export function formatBytes(bytes: number): string {
  const exponent = bytes < 1000 ? 0 : Math.min(BYTE_UNITS.length - 1, Math.floor(Math.log10(bytes) / 3));
  if (exponent === 0) return `${formatCount(bytes)}\u00a0B`;
  const value = bytes / 1000 ** exponent;
  // 999.6 kB would round to "1000 kB": the next unit says it better.
  if (value >= 999.5 && exponent < BYTE_UNITS.length - 1) return `1.00\u00a0${BYTE_UNITS[exponent + 1]}`;
  return `${formatSignificant(value)}\u00a0${BYTE_UNITS[exponent]}`;
}

const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"] as const;

/** Seconds in the unit a person would use: `0.042` is `42\u00a0ms`, `1.94` is `1.9 s`, `134` is `2 min 14 s`. */
export function formatSeconds(seconds: number): string {
  if (seconds === 0) return "0\u00a0s";
  if (seconds < 0.9995) return `${Math.max(1, Math.round(seconds * 1000))}\u00a0ms`;
  if (seconds < 59.95) return `${seconds.toFixed(1)}\u00a0s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)}\u00a0min ${whole % 60}\u00a0s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)}\u00a0h ${minutes % 60}\u00a0min`;
}

/** How many times larger `whole` is than `part`: `28×`, below ten with one decimal. */
export function formatRatio(whole: number, part: number): string {
  const ratio = whole / part;
  return `${ratio < 9.95 ? ratio.toFixed(1) : formatCount(ratio)}×`;
}

/** A plain number with three significant digits, no exponent: `0.5231` is `0.523`. */
export function formatSignificant(value: number): string {
  if (value === 0) return "0";
  const magnitude = Math.floor(Math.log10(Math.abs(value)));
  return value.toFixed(Math.min(6, Math.max(0, 2 - magnitude))).replace("-", "−");
}

/** Words as a list in a sentence: `a`, `a and b`, `a, b and c`. */
export function joinWords(words: readonly string[]): string {
  if (words.length < 2) return words.join("");
  return `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
}

/** `count` with its noun: `1 client`, `20 clients`. */
export function countNoun(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** `text` as the start of a sentence. */
export function capitalise(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
