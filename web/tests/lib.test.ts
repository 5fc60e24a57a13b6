import { expect, test } from "vitest";
import { withEvent } from "../src/api/live";
import { codeOf } from "../src/api/session";
import type { JobDetail, OfferView } from "../src/api/types";
import { ago, bytes, clean, clock, duration, parseClock, short, shortId } from "../src/lib/format";
import { imageNameOf, imageNameProblem, kindOf, kindOfBytes } from "../src/lib/files";
import { fromHex, pictureType, textOf } from "../src/lib/picture";
import { EMPTY, isOffered, problemsOf, requestOf, withDeterministic, withLevel } from "../src/lib/submission";
import { DONE, FAILED, RUNNING, SKIPPED, TaskStates, total, WAITING } from "../src/lib/tasks";
import { splitWords } from "../src/lib/words";
import { layout } from "../src/parts/TaskGrid";

test("numbers and moments for people", () => {
  expect([0, 1023, 1536, 5 * 1024 ** 3].map(bytes)).toEqual(["0 B", "1023 B", "1.5 KiB", "5 GiB"]);
  expect([0, 950, 1500, 90_000, 3_600_000, 90_061_000].map(duration)).toEqual([
    "0 ms",
    "950 ms",
    "1.5 s",
    "1 min 30 s",
    "1 h",
    "1 d 1 h",
  ]);
  expect([7, 1500, 2_500_000].map(short)).toEqual(["7", "1.5 k", "2.5 M"]);
  expect(ago(1_000, 91_000)).toBe("1 min 30 s ago");
  expect(shortId("12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN")).toBe("12D3KooW…x6nXTN");
  expect([clock(1320), parseClock("07:05"), parseClock("25:00"), parseClock("7")]).toEqual([
    "22:00",
    425,
    undefined,
    undefined,
  ]);
});

test("what strangers write can neither hide nor turn around", () => {
  expect(clean("\u001b[31mred\u001b[0m \u202eevil\u0007\r\nnext\tline")).toBe("red evil\nnext\tline");
  expect(clean("<script>alert(1)</script>")).toBe("<script>alert(1)</script>");
});

test("words are split as a shell would", () => {
  expect(splitWords("")).toEqual([]);
  expect(splitWords(`tile {item} "two words" 'a "b"' c\\ d ""`)).toEqual([
    "tile",
    "{item}",
    "two words",
    'a "b"',
    "c d",
    "",
  ]);
  expect(splitWords('"open')).toBeUndefined();
});

test("pictures are known by their first bytes", () => {
  expect(pictureType(fromHex("89504e470d0a1a0a00"))).toBe("image/png");
  expect(pictureType(new TextEncoder().encode("<svg onload=x>"))).toBeUndefined();
  expect(textOf(fromHex("ff00"))).toBeUndefined();
  expect(textOf(new TextEncoder().encode("grüß"))).toBe("grüß");
});

const block = (text: string, at: number) => {
  const bytes = new Uint8Array(512);
  bytes.set(new TextEncoder().encode(text), at);
  return bytes;
};

test("programs and archives are told by their first bytes", async () => {
  expect(kindOfBytes(fromHex("0061736d01000000"))).toBe("program");
  // POSIX's form, GNU's, and both as files of more than one block
  expect(kindOfBytes(block("ustar\u000000", 257))).toBe("image");
  expect(kindOfBytes(block("ustar  \u0000", 257))).toBe("image");
  expect(await kindOf(new Blob([block("ustar\u000000", 257), new Uint8Array(1024)]))).toBe("image");
  expect(kindOfBytes(fromHex("1f8b0800"))).toBe("packed");
  for (const other of [block("ustar", 256), block("ustar", 258), block("ustar", 257).slice(0, 261), new Uint8Array()]) {
    expect(kindOfBytes(other)).toBe("unknown");
  }
});

test("images have names without spaces", () => {
  expect(imageNameOf("my tools.tar")).toBe("my-tools");
  expect(imageNameOf("tools.tar.gz")).toBe("tools.tar.gz");
  expect(imageNameProblem("python:3.13-slim")).toBeUndefined();
  for (const bad of ["", "a b", "a\u0000b", "é".repeat(128)]) expect(imageNameProblem(bad)).toBeDefined();
});

test("images run in containers and are compared only if they always write the same", () => {
  const image = withLevel({ ...EMPTY, name: "a", check: "quorum" }, "container");
  const uploaded = { program: { hash: "h", size_bytes: 1 }, files: [] };
  expect(image).toMatchObject({ deterministic: false, check: "none" });
  expect(requestOf(image, uploaded).stages[0]?.program).toMatchObject({ level: "container", deterministic: false });
  const same = { ...withDeterministic(image, true), check: "sample" as const };
  expect(requestOf(same, uploaded).stages[0]?.program).toMatchObject({ level: "container", deterministic: true });
  expect(withLevel(same, "container").check).toBe("sample");
  expect(withDeterministic(same, false).check).toBe("none");
  expect(withLevel(image, "vm").deterministic).toBe(true);
  expect(problemsOf({ ...image, memory_mib: 8 }, 0)).toEqual({ memory: "at least 16" });
  const offers = [{ levels: ["function", "vm"] }] as OfferView[];
  expect([isOffered(image, offers), isOffered(EMPTY, offers)]).toEqual([false, true]);
});

test("links hold codes", () => {
  const code = "0123456789abcdef".repeat(4);
  expect(codeOf(`http://127.0.0.1:4720/#login=${code}`)).toBe(code);
  expect(codeOf(code)).toBe(code);
  expect(codeOf("http://127.0.0.1:4720/")).toBeUndefined();
});

test("a form becomes a request, or says what is wrong", () => {
  expect(problemsOf({ ...EMPTY, args: "'", shape: "numbers", from: 3, to: 3, budget: "x" }, 0)).toEqual({
    name: "1 to 64 characters",
    args: "a quote is left open",
    to: "must be after the first",
    budget: "an amount such as 0.5",
  });
  const form = { ...EMPTY, name: "x", args: "a {item}", shape: "numbers" as const, from: 1, to: 4, budget: "0.5" };
  const program = { hash: "00", size_bytes: 3 };
  const request = requestOf(form, { program, files: [] });
  expect(request.stages[0]?.inputs).toEqual({ kind: "numbers", from: 1, to: 4 });
  expect(request.stages[0]?.program.args).toEqual(["a", "{item}"]);
  expect(request.budget_micros).toBe(500_000);
});

test("runs and notes tell where tasks are", () => {
  const states = new TaskStates([3, 1]);
  states.addNote({ task: "0.1", kind: "placed" });
  states.addRun({ task: "0.0", verdict: "accepted" });
  states.addRun({ task: "0.0", verdict: "failed" });
  states.addRun({ task: "0.2", verdict: "failed" });
  states.addRun({ task: "9.9", verdict: "accepted" });
  states.addNote({ task: "0.0", kind: "retried" });
  expect([0, 1, 2].map((index) => states.at(0, index))).toEqual([DONE, RUNNING, FAILED]);
  expect(states.at(1, 0)).toBe(WAITING);
  states.stop();
  expect([0, 1, 2].map((index) => states.at(0, index))).toEqual([DONE, WAITING, FAILED]);
  states.addRun({ task: "0.2", verdict: "accepted" });
  expect(states.at(0, 2)).toBe(DONE);
});

test("a stage keeps its size when tasks of it are skipped", () => {
  const before = { waiting: 10, running: 0, done: 0, failed: 0 };
  const after = { waiting: 0, running: 0, done: 7, failed: 0, skipped: 3 };
  expect([total(before), total(after)]).toEqual([10, 10]);
  const detail = { state: "running", tasks: before, stages: [{ name: "a", tasks: before }] } as unknown as JobDetail;
  expect(withEvent(detail, { event: "progress", stages: [after] }).tasks).toEqual(after);

  const states = new TaskStates([total(after)]);
  for (const index of [0, 1, 2]) states.addNote({ task: `0.${index}`, kind: "skipped" });
  states.addRun({ task: "0.9", verdict: "accepted" });
  expect([...(states.stages[0] ?? [])]).toEqual([SKIPPED, SKIPPED, SKIPPED, ...Array(6).fill(WAITING), DONE]);
  states.stop();
  expect(states.at(0, 0)).toBe(SKIPPED);
});

test("a stage that is skipped whole is so in each cell", () => {
  const states = new TaskStates([1, 3]);
  const skipped = { waiting: 0, running: 0, done: 0, failed: 0, skipped: 3 };
  states.addNote({ kind: "skipped" });
  expect(states.addCounts([{ waiting: 1, running: 0, done: 0, failed: 0 }, skipped])).toBe(true);
  expect([...(states.stages[1] ?? [])]).toEqual([SKIPPED, SKIPPED, SKIPPED]);
  expect(states.at(0, 0)).toBe(WAITING);
  expect(states.addCounts([{ waiting: 1, running: 0, done: 0, failed: 0 }, skipped])).toBe(false);
});

test("skips without notes are told once all results are known", () => {
  const states = new TaskStates([4]);
  const counts = (running: number) => [{ waiting: 0, running, done: 2 - running, failed: 1, skipped: 1 }];
  states.addRun({ task: "0.3", verdict: "accepted" });
  states.addRun({ task: "0.1", verdict: "accepted", failed: true });
  expect(states.addCounts(counts(1))).toBe(false);
  expect(states.addCounts(counts(0))).toBe(false);
  states.addRun({ task: "0.0", verdict: "accepted" });
  expect(states.addCounts(counts(0))).toBe(true);
  expect([...(states.stages[0] ?? [])]).toEqual([DONE, FAILED, SKIPPED, DONE]);
});

test("a task that fails for good in a stage that may fail is no done one", () => {
  const states = new TaskStates([3]);
  states.addRun({ task: "0.0", verdict: "accepted", failed: true });
  states.addNote({ task: "0.0", kind: "placed" });
  states.addRun({ task: "0.0", verdict: "failed" });
  states.addRun({ task: "0.1", verdict: "accepted" });
  states.addNote({ task: "0.1", kind: "failed" });
  states.addNote({ task: "0.2", kind: "failed" });
  states.addRun({ task: "0.2", verdict: "agreed" });
  states.stop();
  expect([...(states.stages[0] ?? [])]).toEqual([FAILED, FAILED, FAILED]);
});

test("events bring a job up to date", () => {
  const tasks = { waiting: 2, running: 0, done: 0, failed: 0 };
  const detail = { state: "waiting", tasks, stages: [{ name: "a", tasks }] } as unknown as JobDetail;
  const moved = withEvent(detail, { event: "progress", stages: [{ waiting: 0, running: 1, done: 1, failed: 0 }] });
  expect(moved.tasks).toEqual({ waiting: 0, running: 1, done: 1, failed: 0, skipped: 0 });
  expect(withEvent(detail, { event: "job", state: "failed", at: 1, reason: "no" }).state).toBe("failed");
});

test("ten thousand cells fit on a phone and on a screen", () => {
  expect(layout(10_000, 340)).toEqual({ columns: 42, rows: 239, step: 8 });
  expect(layout(1, 1_000)).toEqual({ columns: 38, rows: 1, step: 26 });
  expect(layout(5, 0).columns).toBe(1);
});
