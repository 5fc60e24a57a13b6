// Numbers and moments for people.

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** `1536` as `1.5 KiB`. */
export function bytes(count: number): string {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits).replace(/\.0$/, "")} ${UNITS[unit]}`;
}

/** `1234567` as `1,234,567`. */
export function count(value: number): string {
  return value.toLocaleString("en");
}

/** `1`, `task` as `1 task`; `2`, `task` as `2 tasks`. */
export function plural(value: number, word: string): string {
  return `${count(value)} ${word}${value === 1 ? "" : "s"}`;
}

/** `1500000` as `1.5 M`. */
export function short(value: number): string {
  const steps: [number, string][] = [
    [1e12, "T"],
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ];
  const step = steps.find(([size]) => value >= size);
  if (!step) return String(value);
  const scaled = value / step[0];
  return `${scaled.toFixed(scaled >= 100 ? 0 : 1).replace(/\.0$/, "")} ${step[1]}`;
}

/** `90_000` as `1 min 30 s`. */
export function duration(ms: number): string {
  if (ms < 10) return `${Math.max(0, ms).toFixed(1).replace(/\.0$/, "")} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1).replace(/\.0$/, "")} s`;
  const parts: [number, string][] = [
    [86_400, "d"],
    [3_600, "h"],
    [60, "min"],
    [1, "s"],
  ];
  let rest = Math.round(seconds);
  const words: string[] = [];
  for (const [size, word] of parts) {
    const whole = Math.floor(rest / size);
    rest -= whole * size;
    if (whole > 0 || words.length > 0) words.push(`${whole} ${word}`);
    if (words.length === 2) break;
  }
  return words.filter((word) => !word.startsWith("0 ")).join(" ");
}

/** `850` as `0.9 ms`. */
export function roundTrip(us: number): string {
  return us < 10_000 ? `${(us / 1000).toFixed(1)} ms` : `${Math.round(us / 1000)} ms`;
}

/** `90_000` before now as `1 min 30 s ago`. */
export function ago(at: number, now: number): string {
  const passed = now - at;
  return passed < 2_000 ? "just now" : `${duration(Math.floor(passed / 1000) * 1000)} ago`;
}

/** A moment in this browser's time zone. */
export function moment(at: number): string {
  return new Date(at).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "medium" });
}

/** A long id by its two ends. */
export function shortId(id: string): string {
  return id.length <= 18 ? id : `${id.slice(0, 8)}…${id.slice(-6)}`;
}

/** `1320` as `22:00`. */
export function clock(minute: number): string {
  return `${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}

/** `22:00` as `1320`. */
export function parseClock(text: string): number | undefined {
  const match = /^(\d{2}):(\d{2})$/.exec(text);
  if (!match) return undefined;
  const minute = Number(match[1]) * 60 + Number(match[2]);
  return minute <= 1440 && Number(match[2]) < 60 ? minute : undefined;
}

// Controls, and the marks that change the direction of writing: what a stranger wrote may not use them.
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text of a stranger without what could mislead its reader. */
export function clean(text: string): string {
  return text.replace(/\u001b\[[0-9;?]*[ -/]*[@-~]/g, "").replace(/\r\n/g, "\n").replace(UNSAFE, "");
}
