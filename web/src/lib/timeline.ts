// When tasks ran and where, from the notes of a job: all on the clock of the node that owns it.

import type { NoteView, RunView } from "../api/types";

/** `open`: it runs. `stopped`: it runs no more, and nothing says what became of it. */
export type End = "accepted" | "failed" | "lost" | "stopped" | "open";

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
const ENDS = ["accepted", "failed", "poisoned", "no-quorum"];
/** Notes of a whole job after which nothing of it runs. */
const STOPS = ["cancelled", "deadline", "retried-by-owner"];

/** What of a run counts here. */
export type Judged = Pick<RunView, "task" | "node" | "verdict" | "failed"> & { usage: Pick<RunView["usage"], "wall_us"> };

/** Whether notes tell of any try. */
export const hasTries = (notes: NoteView[]) => notes.some(({ kind }) => PLACES.includes(kind));

/**
 * Reads notes, oldest first. Results that nobody compares leave no note: their runs, in the order they were judged, say
 * how long they took. What neither ends lasts until `now`, and runs no more if the job is over.
 */
export function timelineOf(notes: NoteView[], now: number, { runs = [], isOver }: { runs?: Judged[]; isOver: boolean }): Timeline {
  const bars: Bar[] = [];
  let open: Bar[] = [];
  const unjudged: Bar[] = [];
  const close = (at: number, end: End, isMeant: (bar: Bar) => boolean) => {
    for (const bar of open.filter(isMeant)) {
      [bar.to, bar.end] = [Math.max(bar.from, at), end];
      if (end === "stopped" || end === "open") unjudged.push(bar);
    }
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
    else if (STOPS.includes(kind) && !task) close(at, "stopped", () => true);
  }
  close(now, isOver ? "stopped" : "open", () => true);
  judge(unjudged, runs);
  const from = Math.min(...bars.map((bar) => bar.from));
  const to = Math.max(...bars.map((bar) => bar.to));
  return { lanes: lanesOf(bars), bars: bars.length, ...(bars.length === 0 ? { from: now, to: now } : { from, to }) };
}

const VERDICTS: Record<Judged["verdict"], End> = {
  accepted: "accepted",
  agreed: "accepted",
  failed: "failed",
  rejected: "failed",
  undecided: "stopped",
};

/** How a run ended. What is accepted, and what agrees with it, may be that the task failed. */
const endOf = ({ task, verdict }: Judged, failed: Set<string>) =>
  VERDICTS[verdict] === "accepted" && failed.has(task) ? "failed" : VERDICTS[verdict];

/** Ends bars as their runs did. Where a node tried a task twice, the newest bar has the newest run. */
function judge(bars: Bar[], runs: Judged[]) {
  const failed = new Set(runs.filter((run) => run.failed).map(({ task }) => task));
  const left = new Map<string, Judged[]>();
  for (const run of runs) {
    const key = `${run.task} ${run.node}`;
    const known = left.get(key);
    if (known) known.push(run);
    else left.set(key, [run]);
  }
  for (const bar of bars.toReversed()) {
    const run = left.get(`${bar.task} ${bar.node}`)?.pop();
    if (!run) continue;
    [bar.to, bar.end] = [Math.min(bar.to, bar.from + run.usage.wall_us / 1000), endOf(run, failed)];
  }
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
