import { afterEach, expect, test, vi } from "vitest";
import { readOn } from "../src/api/queries";
import type { NoteView, Runs, VerdictView } from "../src/api/types";
import { hasTries, type Timeline, timelineOf } from "../src/lib/timeline";

const note = (at: number, kind: string, task?: string, node?: string): NoteView => ({ at, kind, task, node, sentence: kind });
const run = (task: string, verdict: VerdictView, wall_us: number) => ({ task, node: "A", verdict, usage: { wall_us } });
const barsOf = ({ lanes }: Timeline) => lanes.flatMap(({ rows }) => rows.flat());

test("a task that runs is a bar until it is judged", () => {
  const { lanes, from, to, bars } = timelineOf(
    [note(10, "placed", "0.0", "A"), note(12, "placed", "0.1", "A"), note(15, "placed", "0.2", "B"), note(20, "accepted", "0.0"), note(30, "placed", "0.3", "A")],
    50,
    { isOver: false },
  );
  expect({ from, to, bars }).toEqual({ from: 10, to: 50, bars: 4 });
  expect(lanes.map(({ node, rows }) => [node, rows.map((row) => row.map(({ task, to: until, end }) => [task, until, end]))])).toEqual([
    ["A", [[["0.0", 20, "accepted"], ["0.3", 50, "open"]], [["0.1", 50, "open"]]]],
    ["B", [[["0.2", 50, "open"]]]],
  ]);
});

test("what fails or is lost ends there and goes on elsewhere", () => {
  const timeline = timelineOf(
    [
      note(0, "placed", "0.0", "A"),
      note(5, "retried", "0.0", "A"),
      note(5, "placed", "0.0", "B"),
      note(6, "placed", "0.1", "B"),
      note(8, "provider-lost", undefined, "B"),
      note(9, "placed", "0.0", "C"),
      note(11, "hedged", "0.0", "D"),
      note(15, "accepted", "0.0"),
      note(16, "accepted", "0.1"),
    ],
    100,
    { isOver: true },
  );
  const ends = barsOf(timeline).map(({ task, node, from, to, end }) => `${task} ${node} ${from}-${to} ${end}`);
  expect(ends.sort()).toEqual(["0.0 A 0-5 failed", "0.0 B 5-8 lost", "0.0 C 9-15 accepted", "0.0 D 11-15 accepted", "0.1 B 6-8 lost"]);
});

test("a job without notes of its steps has no bars", () => {
  expect(timelineOf([note(1, "done")], 9, { isOver: true })).toEqual({ lanes: [], from: 9, to: 9, bars: 0 });
});

test("a result that nobody compares ends when its run did", () => {
  const notes = [note(10, "placed", "0.0", "A"), note(10, "placed", "0.1", "A"), note(10, "placed", "0.2", "A")];
  const timeline = timelineOf(notes, 40, {
    runs: [run("0.0", "accepted", 5_000), run("0.1", "failed", 90_000)],
    isOver: false,
  });
  expect(barsOf(timeline).map(({ task, to, end }) => [task, to, end])).toEqual([
    ["0.0", 15, "accepted"],
    ["0.1", 40, "failed"],
    ["0.2", 40, "open"],
  ]);
});

test("nothing runs once the job is over", () => {
  const notes = ["0.0", "0.1", "0.2"].map((task) => note(10, "placed", task, "A"));
  const timeline = timelineOf([...notes, note(30, "done")], 40, { runs: [run("0.1", "undecided", 5_000), run("0.2", "rejected", 6_000)], isOver: true });
  expect(barsOf(timeline).map(({ task, to, end }) => [task, to, end])).toEqual([
    ["0.0", 40, "stopped"],
    ["0.1", 15, "stopped"],
    ["0.2", 16, "failed"],
  ]);
});

test("a task that fails for good in a stage that may fail ends as failed", () => {
  const placed = [note(10, "placed", "0.0", "A"), note(10, "placed", "0.0", "B"), note(12, "placed", "0.1", "A")];
  const noted = timelineOf([...placed, note(20, "failed", "0.0", "A")], 40, { isOver: false });
  const ends = (timeline: Timeline) => barsOf(timeline).map(({ task, node, to, end }) => `${task} ${node} ${to} ${end}`).sort();
  expect(ends(noted)).toEqual(["0.0 A 20 failed", "0.0 B 20 failed", "0.1 A 40 open"]);

  // Without a note its runs tell: the one that was accepted, and one that agreed with it.
  const runs = [{ ...run("0.0", "accepted", 5_000), failed: true }, { ...run("0.0", "agreed", 6_000), node: "B" }, run("0.1", "accepted", 7_000)];
  expect(ends(timelineOf(placed, 40, { runs, isOver: true }))).toEqual(["0.0 A 15 failed", "0.0 B 16 failed", "0.1 A 19 accepted"]);
});

test("what was cancelled ended then, also if its owner tries it again", () => {
  const notes = [note(10, "placed", "0.0", "A"), note(20, "cancelled"), note(30, "retried-by-owner"), note(31, "placed", "0.0", "A")];
  const ends = (runs: ReturnType<typeof run>[]) => barsOf(timelineOf(notes, 40, { runs, isOver: false })).map(({ from, to, end }) => [from, to, end]);
  expect(ends([])).toEqual([
    [10, 20, "stopped"],
    [31, 40, "open"],
  ]);
  expect(ends([run("0.0", "accepted", 2_000)])).toEqual([
    [10, 20, "stopped"],
    [31, 33, "accepted"],
  ]);
});

test("notes that tell of no try need no runs", () => {
  expect(hasTries([note(1, "waiting"), note(2, "done")])).toBe(false);
  expect(hasTries([note(1, "hedged", "0.0", "A")])).toBe(true);
});

/** A node that has so many runs; says what it was asked for. */
function nodeWith(runs: { count: number }) {
  const asked: string[] = [];
  vi.stubGlobal("fetch", async (url: string) => {
    const { searchParams } = new URL(url, "http://node");
    const [from, limit] = [Number(searchParams.get("after") ?? 0), Number(searchParams.get("limit"))];
    asked.push(`${from}+${limit}`);
    const to = Math.min(runs.count, from + limit);
    const page = Array.from({ length: to - from }, (_, at) => ({ ...run(`0.${from + at}`, "accepted", 1), failed: from + at === 1, stdout: "much" }));
    return Response.json({ runs: page, ...(to < runs.count ? { next: String(to) } : {}) } as unknown as Runs);
  });
  return asked;
}

afterEach(() => vi.unstubAllGlobals());

test("all runs are read page by page, and on from there", async () => {
  const runs = { count: 2_500 };
  const asked = nodeWith(runs);
  const { signal } = new AbortController();
  const first = await readOn("job", undefined, signal);
  expect([first.runs.length, first.isCut]).toEqual([2_500, false]);
  expect(first.runs.slice(0, 2)).toEqual([0, 1].map((at) => ({ ...run(`0.${at}`, "accepted", 1), failed: at === 1 })));
  runs.count = 3_200;
  const second = await readOn("job", first, signal);
  expect(second.runs.map(({ task }) => task)).toEqual(Array.from({ length: 3_200 }, (_, at) => `0.${at}`));
  expect(asked).toEqual(["0+1000", "1000+1000", "2000+1000", "2000+1000", "3000+1000"]);
});

test("of very many runs the first are read, and it is told", async () => {
  const asked = nodeWith({ count: 50_000 });
  const { signal } = new AbortController();
  const first = await readOn("job", undefined, signal);
  expect([first.runs.length, first.isCut, asked.length]).toEqual([10_000, true, 10]);
  const second = await readOn("job", first, signal);
  expect([second.runs.length, second.isCut, asked.length]).toEqual([10_000, true, 11]);
});
