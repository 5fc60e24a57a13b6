import { Group, Text } from "@mantine/core";
import { useElementSize } from "@mantine/hooks";
import { type KeyboardEvent, type MouseEvent, useEffect, useRef, useState } from "react";
import type { TaskCounts } from "../api/types";
import { count } from "../lib/format";
import { DONE, FAILED, RUNNING, SKIPPED, type Stage, type TaskState, WAITING } from "../lib/tasks";

const NAMES: Record<TaskState, string> = {
  [WAITING]: "not finished",
  [RUNNING]: "running",
  [DONE]: "done",
  [FAILED]: "failed",
  [SKIPPED]: "skipped",
};
const VARIABLES: Record<TaskState, string> = {
  [WAITING]: "--task-waiting",
  [RUNNING]: "--task-running",
  [DONE]: "--task-done",
  [FAILED]: "--task-failed",
  [SKIPPED]: "--task-skipped",
};

interface Props {
  stage: number;
  states: Stage;
  /** Grows when states change. */
  version: number;
  selected?: number;
  onSelect: (index: number) => void;
}

export interface Layout {
  columns: number;
  rows: number;
  /** Of one cell with its gap, in pixels. */
  step: number;
}

/** Cells as large as fit, so that a few tasks are easy to hit and ten thousand still fit. */
export function layout(tasks: number, width: number): Layout {
  const step = tasks <= 100 ? 26 : tasks <= 1_000 ? 16 : tasks <= 4_000 ? 11 : 8;
  const columns = Math.max(1, Math.floor(width / step));
  return { columns, rows: Math.ceil(tasks / columns), step };
}

/** A stage's tasks, a cell each, drawn on one canvas: ten thousand elements would be slow. */
export function TaskGrid({ stage, states, version, selected, onSelect }: Props) {
  const { ref: box, width } = useElementSize();
  const canvas = useRef<HTMLCanvasElement>(null);
  const [cursor, setCursor] = useState(selected ?? 0);
  const [scheme, setScheme] = useState(0);
  const grid = layout(states.length, width);

  useEffect(() => {
    const watcher = new MutationObserver(() => setScheme((before) => before + 1));
    watcher.observe(document.documentElement, { attributeFilter: ["data-mantine-color-scheme"] });
    return () => watcher.disconnect();
  }, []);

  useEffect(() => {
    const frame = requestAnimationFrame(() => canvas.current && width && draw(canvas.current, states, grid, selected));
    return () => cancelAnimationFrame(frame);
  });
  void version;
  void scheme;

  const onClick = (event: MouseEvent<HTMLCanvasElement>) => {
    const place = event.currentTarget.getBoundingClientRect();
    const column = Math.floor((event.clientX - place.left) / grid.step);
    const index = Math.floor((event.clientY - place.top) / grid.step) * grid.columns + column;
    if (column < grid.columns && index < states.length) onSelect(index);
  };
  const onKey = (event: KeyboardEvent) => {
    const from = selected ?? cursor;
    const moves: Record<string, number> = {
      ArrowLeft: from - 1,
      ArrowRight: from + 1,
      ArrowUp: from - grid.columns,
      ArrowDown: from + grid.columns,
      Home: 0,
      End: states.length - 1,
    };
    const to = moves[event.key];
    if (to === undefined || to < 0 || to >= states.length) return;
    event.preventDefault();
    setCursor(to);
    onSelect(to);
  };

  const now = selected === undefined ? "" : `task ${stage}.${selected}: ${NAMES[states[selected] as TaskState]}`;
  return (
    <div
      ref={box}
      role="slider"
      tabIndex={0}
      aria-label={`Tasks of stage ${stage}; arrow keys choose one`}
      aria-valuemin={0}
      aria-valuemax={Math.max(0, states.length - 1)}
      aria-valuenow={selected ?? cursor}
      aria-valuetext={now || `${count(states.length)} tasks`}
      onKeyDown={onKey}
    >
      <canvas ref={canvas} className="grid-canvas" onClick={onClick} />
    </div>
  );
}

function draw(canvas: HTMLCanvasElement, states: Stage, { columns, rows, step }: Layout, selected?: number) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [columns * step, rows * step];
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  canvas.style.height = `${height}px`;
  canvas.style.width = `${width}px`;
  const pen = canvas.getContext("2d");
  if (!pen) return;
  pen.scale(ratio, ratio);
  const style = getComputedStyle(document.documentElement);
  const colors = ([WAITING, RUNNING, DONE, FAILED, SKIPPED] as const).map((state) => style.getPropertyValue(VARIABLES[state]));
  const size = step - (step > 12 ? 3 : 1);
  for (let index = 0; index < states.length; index += 1) {
    pen.fillStyle = colors[states[index] ?? WAITING] ?? "gray";
    pen.fillRect((index % columns) * step, Math.floor(index / columns) * step, size, size);
  }
  if (selected === undefined) return;
  pen.strokeStyle = style.getPropertyValue("--mantine-color-text");
  pen.lineWidth = 2;
  pen.strokeRect((selected % columns) * step + 1, Math.floor(selected / columns) * step + 1, size - 2, size - 2);
}

const LEGEND = ["waiting", "running", "done", "failed", "skipped"] as const;

/** What the colors mean. Few jobs skip anything: the others need no word for it. */
export function Legend({ counts }: { counts: TaskCounts }) {
  return (
    <Group gap="md">
      {LEGEND.filter((name) => name !== "skipped" || counts.skipped).map((name) => (
        <Text key={name} size="sm">
          <span className={`legend-swatch swatch-${name}`} aria-hidden />
          {count(counts[name] ?? 0)} {name}
        </Text>
      ))}
    </Group>
  );
}
