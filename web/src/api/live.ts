// What the node tells by itself: the events of a job, the blocks of the ledger, logs.

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { TaskStates, total } from "../lib/tasks";
import { ask, query, send } from "./client";
import { isFinal, job as jobQuery } from "./queries";
import { follow } from "./sse";
import type { HeadView, JobDetail, JobEvent, LedgerEvent, NoteView, Runs, TaskCounts } from "./types";

const RUNS_PAGE = 1_000;
const BLOCKS_KEPT = 500;

const sum = (stages: TaskCounts[]): TaskCounts =>
  stages.reduce<Required<TaskCounts>>(
    (all, stage) => ({
      waiting: all.waiting + stage.waiting,
      running: all.running + stage.running,
      done: all.done + stage.done,
      failed: all.failed + stage.failed,
      skipped: all.skipped + (stage.skipped ?? 0),
    }),
    { waiting: 0, running: 0, done: 0, failed: 0, skipped: 0 },
  );

/** A job's detail with what an event says about it. */
export function withEvent(detail: JobDetail, event: JobEvent): JobDetail {
  if (event.event === "job") {
    return { ...detail, state: event.state, changed_at: event.at, reason: event.reason };
  }
  if (event.event === "progress" && event.stages.length === detail.stages.length) {
    const stages = detail.stages.map((stage, at) => ({ ...stage, tasks: event.stages[at] ?? stage.tasks }));
    return { ...detail, stages, tasks: sum(event.stages) };
  }
  return detail;
}

export interface LiveJob {
  open: boolean;
  notes: NoteView[];
}

/** Follows a job: its detail in the cache stays current, its notes gather. `isOver`: it has ended. */
export function useJobEvents(id: string, isOver: boolean): LiveJob {
  const client = useQueryClient();
  const [open, setOpen] = useState(false);
  const [notes, setNotes] = useState<NoteView[]>([]);
  useEffect(() => {
    const stop = new AbortController();
    let over = false;
    let waiting: NoteView[] = [];
    setNotes([]);
    // Thousands of notes may come at once; the page is told a few times a second.
    const flush = setInterval(() => {
      if (waiting.length === 0) return;
      const more = waiting;
      waiting = [];
      setNotes((before) => [...before, ...more]);
    }, 200);
    void follow(`/v1/jobs/${id}/events`, {
      signal: stop.signal,
      isOver: () => over,
      onOpen: setOpen,
      onEvent: ({ data }) => {
        const event = JSON.parse(data) as JobEvent;
        if (event.event === "note") waiting.push(event);
        const { queryKey } = jobQuery(id);
        client.setQueryData(queryKey, (detail) => detail && withEvent(detail, event));
        if (event.event === "job" && isFinal(event)) {
          over = true;
          void client.invalidateQueries({ queryKey });
        }
      },
    });
    return () => {
      stop.abort();
      clearInterval(flush);
    };
    // A job that its owner runs again has events again.
  }, [client, id, isOver]);
  return { open, notes };
}

/** What is known of a job's tasks, and how far its runs and notes were read. */
class Gathered {
  readonly states: TaskStates;
  #after?: string;
  #notes = 0;

  constructor(sizes: number[]) {
    this.states = new TaskStates(sizes);
  }

  /** Reads on; `told` after each page. The last page is read again the next time, for what came since. */
  async readRuns(job: string, signal: AbortSignal, told: () => void): Promise<void> {
    for (;;) {
      const page = query({ after: this.#after, limit: RUNS_PAGE });
      const runs = await ask<Runs>(`/v1/jobs/${job}/runs${page}`, { signal });
      for (const run of runs.runs) this.states.addRun(run);
      told();
      if (!runs.next) return;
      this.#after = runs.next;
    }
  }

  addNotes(notes: NoteView[]): void {
    const seen = this.#notes > notes.length ? 0 : this.#notes;
    for (const note of notes.slice(seen)) this.states.addNote(note);
    this.#notes = notes.length;
  }
}

/** Where each task is; `version` grows when that changes. */
export function useTaskStates(detail: JobDetail, notes: NoteView[]): { states: TaskStates; version: number } {
  const sizes = detail.stages.map(({ tasks }) => total(tasks)).join(" ");
  const gathered = useMemo(() => new Gathered(sizes.split(" ").map(Number)), [sizes]);
  const [version, setVersion] = useState(0);
  const judged = detail.tasks.done + detail.tasks.failed;
  const isOver = isFinal(detail);

  useEffect(() => {
    const stop = new AbortController();
    const told = () => {
      if (isOver) gathered.states.stop();
      setVersion((before) => before + 1);
    };
    // What a page lacks, the next one that is read makes up for.
    gathered.readRuns(detail.job, stop.signal, told).catch(() => undefined);
    return () => stop.abort();
  }, [detail.job, judged, gathered, isOver]);

  useEffect(() => {
    gathered.addNotes(notes);
    if (isOver) gathered.states.stop();
    setVersion((before) => before + 1);
  }, [notes, gathered, isOver]);

  // Counts and what was read come in any order; once more only if that told something.
  useEffect(() => {
    const counts = detail.stages.map(({ tasks }) => tasks);
    if (gathered.states.addCounts(counts)) setVersion((before) => before + 1);
  }, [detail.stages, gathered, version]);

  return { states: gathered.states, version };
}

export interface LiveBlock {
  head: HeadView;
  transactions: string[];
  sentences: string[];
  income_micros: number;
}

/** The newest final blocks, newest first, from the moment the page opened. */
export function useBlocks(): { blocks: LiveBlock[]; head?: HeadView; open: boolean } {
  const [open, setOpen] = useState(false);
  const [blocks, setBlocks] = useState<LiveBlock[]>([]);
  const [head, setHead] = useState<HeadView>();
  useEffect(() => {
    const stop = new AbortController();
    void follow("/v1/ledger/events", {
      signal: stop.signal,
      onOpen: setOpen,
      onEvent: ({ data }) => {
        const event = JSON.parse(data) as LedgerEvent;
        if (event.event === "head") setHead(event);
        if (event.event !== "block") return;
        setHead(event.head);
        const { head, transactions, income_micros } = event;
        const sentences = event.happenings.map((happening) => happening.sentence);
        const block = { head, transactions, sentences, income_micros };
        setBlocks((before) => [block, ...before].slice(0, BLOCKS_KEPT));
      },
    });
    return () => stop.abort();
  }, []);
  return { blocks, head, open };
}

const LOG_CHARS_MAX = 1024 * 1024;

export interface LiveText {
  text: string;
  isCut: boolean;
  state: "reading" | "ended" | "failed";
}

/** The text of a stream of bytes as it comes; the newest part of it if it is long. */
export function useText(path: string | undefined): LiveText {
  const [text, setText] = useState<LiveText>({ text: "", isCut: false, state: "reading" });
  useEffect(() => {
    if (!path) return undefined;
    const stop = new AbortController();
    let whole = "";
    let isCut = false;
    const show = (state: LiveText["state"]) => setText({ text: whole, isCut, state });
    show("reading");
    const timer = setInterval(() => show("reading"), 250);
    void read(path, stop.signal, (piece) => {
      whole += piece;
      if (whole.length > LOG_CHARS_MAX) {
        whole = whole.slice(-LOG_CHARS_MAX / 2);
        isCut = true;
      }
    })
      .then(() => show("ended"))
      .catch(() => stop.signal.aborted || show("failed"))
      .finally(() => clearInterval(timer));
    return () => {
      clearInterval(timer);
      stop.abort();
    };
  }, [path]);
  return text;
}

async function read(path: string, signal: AbortSignal, take: (piece: string) => void): Promise<void> {
  const answer = await send(path, { signal });
  if (!answer.body) return;
  const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    take(value);
  }
}
