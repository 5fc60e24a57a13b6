// When tasks ran and where, from the notes of a job: all on the clock of the node that owns it.

import type { NoteView, RunView } from "../api/types";

export type End = "accepted" | "failed" | "lost" | "open";

/** One try of a task, from when it was placed until its result was judged. */
export interface Bar {
  task: string;
  node: string;
  from: number;
  to: number;
  end: End;
}

/** Bars of one node that run side by side are in rows of their own. */
export interface Lane {
  node: string;
  rows: Bar[][];
}

export interface Timeline {
  lanes: Lane[];
  from: number;
  to: number;
  bars: number;
}

const PLACES = ["placed", "hedged"];
const FAILS = ["retried", "outvoted", "broken-commitment"];
const ENDS = ["accepted", "poisoned", "no-quorum"];

type Judged = Pick<RunView, "task" | "node" | "verdict"> & { usage: Pick<RunView["usage"], "wall_us"> };

/**
 * Reads notes, oldest first. Results that nobody compares leave no note: their runs say how long they took. What is
 * open then lasts until `now`.
 */
export function timelineOf(notes: NoteView[], now: number, runs: Judged[] = []): Timeline {
  const bars: Bar[] = [];
  let open: Bar[] = [];
  const close = (at: number, end: End, isMeant: (bar: Bar) => boolean) => {
    for (const bar of open.filter(isMeant)) [bar.to, bar.end] = [Math.max(bar.from, at), end];
    open = open.filter((bar) => !isMeant(bar));
  };
  for (const { kind, task, node, at } of notes) {
    if (PLACES.includes(kind) && task && node) {
      const bar: Bar = { task, node, from: at, to: at, end: "open" };
      bars.push(bar);
      open.push(bar);
    } else if (FAILS.includes(kind) && task && node) close(at, "failed", (bar) => bar.task === task && bar.node === node);
    else if (kind === "provider-lost" && node) close(at, "lost", (bar) => bar.node === node);
    else if (ENDS.includes(kind) && task) close(at, kind === "accepted" ? "accepted" : "failed", (bar) => bar.task === task);
  }
  const judged = new Map(runs.map((run) => [`${run.task} ${run.node}`, run]));
  for (const bar of open) {
    const run = judged.get(`${bar.task} ${bar.node}`);
    bar.to = Math.max(bar.from, run ? Math.min(now, bar.from + run.usage.wall_us / 1000) : now);
    if (run) bar.end = run.verdict === "accepted" || run.verdict === "agreed" ? "accepted" : "failed";
  }
  const from = Math.min(...bars.map((bar) => bar.from));
  const to = Math.max(...bars.map((bar) => bar.to));
  return { lanes: lanesOf(bars), bars: bars.length, ...(bars.length === 0 ? { from: now, to: now } : { from, to }) };
}

function lanesOf(bars: Bar[]): Lane[] {
  const lanes = new Map<string, Lane>();
  for (const bar of bars.toSorted((one, other) => one.from - other.from)) {
    const lane = lanes.get(bar.node) ?? { node: bar.node, rows: [] };
    lanes.set(bar.node, lane);
    const row = lane.rows.find((one) => (one.at(-1)?.to ?? 0) <= bar.from);
    if (row) row.push(bar);
    else lane.rows.push([bar]);
  }
  return [...lanes.values()];
}
