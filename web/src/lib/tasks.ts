// Where each task of a job is, as far as its runs and notes tell.

import type { NoteView, RunView, TaskCounts } from "../api/types";

export const WAITING = 0;
export const RUNNING = 1;
export const DONE = 2;
export const FAILED = 3;
export const SKIPPED = 4;
export type TaskState = 0 | 1 | 2 | 3 | 4;

/** The states of one stage's tasks, by index. Kept in bytes: a job may have many. */
export type Stage = Uint8Array;

/** `0.17` as stage 0, task 17. */
export function parseTask(id: string): { stage: number; index: number } | undefined {
  const match = /^(\d+)\.(\d+)$/.exec(id);
  return match ? { stage: Number(match[1]), index: Number(match[2]) } : undefined;
}

/** How many tasks there are in all. Skipped ones count: else a stage would shrink with each. */
export const total = ({ waiting, running, done, failed, skipped = 0 }: TaskCounts) =>
  waiting + running + done + failed + skipped;

export class TaskStates {
  readonly stages: Stage[];
  /** 1 where a task has its result: no older note or run says more about it. */
  readonly #settled: Uint8Array[];

  constructor(counts: number[]) {
    this.stages = counts.map((count) => new Uint8Array(count));
    this.#settled = counts.map((count) => new Uint8Array(count));
  }

  at(stage: number, index: number): TaskState {
    return (this.stages[stage]?.[index] ?? WAITING) as TaskState;
  }

  /** A judged run. What is accepted stays, also a failure where a stage may fail; else a failed task may still be done. */
  addRun(run: Pick<RunView, "task" | "verdict" | "failed">): void {
    if (run.verdict === "accepted") this.#settle(run.task, run.failed ? FAILED : DONE);
    else if (this.#isSettled(run.task)) return;
    else if (run.verdict === "failed") this.#set(run.task, FAILED);
    else if (run.verdict !== "undecided" && this.#get(run.task) === WAITING) this.#set(run.task, RUNNING);
  }

  /** A note; jobs of many tasks have none for each step. */
  addNote(note: Pick<NoteView, "task" | "kind">): void {
    if (!note.task) return;
    if (note.kind === "failed") this.#settle(note.task, FAILED);
    if (this.#isSettled(note.task)) return;
    if (note.kind === "placed" || note.kind === "hedged") this.#set(note.task, RUNNING);
    else if (note.kind === "retried" || note.kind === "provider-lost") this.#set(note.task, WAITING);
    else if (note.kind === "poisoned") this.#set(note.task, FAILED);
    else if (note.kind === "skipped") this.#set(note.task, SKIPPED);
  }

  /**
   * What the node counts of each stage. Not every skip has a note of its task: where nothing is left to run and all
   * results are known, the rest was skipped. Returns whether that told anything.
   */
  addCounts(counts: TaskCounts[]): boolean {
    let isNews = false;
    for (const [at, { waiting, running, done, failed, skipped = 0 }] of counts.entries()) {
      const stage = this.stages[at];
      if (!stage || skipped === 0 || waiting + running > 0) continue;
      const known = stage.reduce((sum, state) => sum + Number(state === DONE || state === FAILED), 0);
      if (known !== done + failed) continue;
      for (let index = 0; index < stage.length; index += 1) {
        if (stage[index] !== WAITING && stage[index] !== RUNNING) continue;
        stage[index] = SKIPPED;
        isNews = true;
      }
    }
    return isNews;
  }

  /** The job is over: nothing runs any more. */
  stop(): void {
    for (const stage of this.stages) {
      for (let index = 0; index < stage.length; index += 1) if (stage[index] === RUNNING) stage[index] = WAITING;
    }
  }

  #get(id: string): TaskState {
    const task = parseTask(id);
    return task ? this.at(task.stage, task.index) : WAITING;
  }

  #isSettled(id: string): boolean {
    const task = parseTask(id);
    return task !== undefined && this.#settled[task.stage]?.[task.index] === 1;
  }

  #settle(id: string, state: TaskState): void {
    this.#set(id, state);
    const task = parseTask(id);
    const settled = task && this.#settled[task.stage];
    if (settled && task.index < settled.length) settled[task.index] = 1;
  }

  #set(id: string, state: TaskState): void {
    const task = parseTask(id);
    const stage = task && this.stages[task.stage];
    if (stage && task.index < stage.length) stage[task.index] = state;
  }
}
