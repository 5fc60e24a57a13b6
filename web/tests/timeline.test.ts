import { expect, test } from "vitest";
import type { NoteView } from "../src/api/types";
import { timelineOf } from "../src/lib/timeline";

const note = (at: number, kind: string, task?: string, node?: string): NoteView => ({ at, kind, task, node, sentence: kind });

test("a task that runs is a bar until it is judged", () => {
  const { lanes, from, to, bars } = timelineOf(
    [note(10, "placed", "0.0", "A"), note(12, "placed", "0.1", "A"), note(15, "placed", "0.2", "B"), note(20, "accepted", "0.0"), note(30, "placed", "0.3", "A")],
    50,
  );
  expect({ from, to, bars }).toEqual({ from: 10, to: 50, bars: 4 });
  expect(lanes.map(({ node, rows }) => [node, rows.map((row) => row.map(({ task, to: until, end }) => [task, until, end]))])).toEqual([
    ["A", [[["0.0", 20, "accepted"], ["0.3", 50, "open"]], [["0.1", 50, "open"]]]],
    ["B", [[["0.2", 50, "open"]]]],
  ]);
});

test("what fails or is lost ends there and goes on elsewhere", () => {
  const { lanes } = timelineOf(
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
  );
  const ends = lanes.flatMap(({ rows }) => rows.flat()).map(({ task, node, from, to, end }) => `${task} ${node} ${from}-${to} ${end}`);
  expect(ends.sort()).toEqual(["0.0 A 0-5 failed", "0.0 B 5-8 lost", "0.0 C 9-15 accepted", "0.0 D 11-15 accepted", "0.1 B 6-8 lost"]);
});

test("a job without notes of its steps has no bars", () => {
  expect(timelineOf([note(1, "done")], 9)).toEqual({ lanes: [], from: 9, to: 9, bars: 0 });
});

test("a result that nobody compares ends when its run did", () => {
  const notes = [note(10, "placed", "0.0", "A"), note(10, "placed", "0.1", "A"), note(10, "placed", "0.2", "A")];
  const run = (task: string, verdict: "accepted" | "failed", wall_us: number) => ({ task, node: "A", verdict, usage: { wall_us } });
  const { lanes } = timelineOf(notes, 40, [run("0.0", "accepted", 5_000), run("0.1", "failed", 90_000)]);
  expect(lanes.flatMap(({ rows }) => rows.flat()).map(({ task, to, end }) => [task, to, end])).toEqual([
    ["0.0", 15, "accepted"],
    ["0.1", 40, "failed"],
    ["0.2", 40, "open"],
  ]);
});
