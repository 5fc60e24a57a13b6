// Where each task of a job is, as far as its runs and notes tell.

import type { NoteView, RunView } from "../api/types";

export const WAITING = 0;
export const RUNNING = 1;
export const DONE = 2;
export const FAILED = 3;
export type TaskState = 0 | 1 | 2 | 3;

/** The states of one stage's tasks, by index. Kept in bytes: a job may have many. */
export type Stage = Uint8Array;

/** `0.17` as stage 0, task 17. */
export function parseTask(id: string): { stage: number; index: number } | undefined {
  const match = /^(\d+)\.(\d+)$/.exec(id);
  return match ? { stage: Number(match[1]), index: Number(match[2]) } : undefined;
}

export class TaskStates {
  readonly stages: Stage[];

  constructor(counts: number[]) {
    this.stages = counts.map((count) => new Uint8Array(count));
  }

  at(stage: number, index: number): TaskState {
    return (this.stages[stage]?.[index] ?? WAITING) as TaskState;
  }

  /** A judged run. A task that is done stays so; one that failed may still be. */
  addRun(run: Pick<RunView, "task" | "verdict">): void {
    if (run.verdict === "accepted") this.#set(run.task, DONE);
    else if (run.verdict === "failed" && this.#get(run.task) !== DONE) this.#set(run.task, FAILED);
    else if (run.verdict !== "undecided" && this.#get(run.task) === WAITING) this.#set(run.task, RUNNING);
  }

  /** A note; jobs of many tasks have none for each step. */
  addNote(note: Pick<NoteView, "task" | "kind">): void {
    if (!note.task || this.#get(note.task) === DONE) return;
    if (note.kind === "placed" || note.kind === "hedged") this.#set(note.task, RUNNING);
    else if (note.kind === "retried" || note.kind === "provider-lost") this.#set(note.task, WAITING);
    else if (note.kind === "poisoned") this.#set(note.task, FAILED);
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

  #set(id: string, state: TaskState): void {
    const task = parseTask(id);
    const stage = task && this.stages[task.stage];
    if (stage && task.index < stage.length) stage[task.index] = state;
  }
}
