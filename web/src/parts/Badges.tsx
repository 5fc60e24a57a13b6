import { Group, Progress, Text } from "@mantine/core";
import type { StateView, TaskCounts } from "../api/types";
import { count } from "../lib/format";
import { total } from "../lib/tasks";

type Tone = "good" | "busy" | "warn" | "bad" | "plain";

const TONES: Record<string, Tone> = {
  running: "busy",
  succeeded: "good",
  failed: "bad",
  accepted: "good",
  agreed: "good",
  rejected: "bad",
  claimed: "warn",
  ok: "good",
  warning: "warn",
  broken: "bad",
  direct: "good",
  relayed: "warn",
  connected: "good",
  live: "good",
  well: "good",
  "not sharing": "warn",
  stopped: "bad",
  unreachable: "bad",
  healthy: "good",
  ended: "good",
  starting: "busy",
  preparing: "busy",
  updating: "busy",
  degraded: "warn",
  moving: "warn",
  leaving: "warn",
  ending: "warn",
  unhealthy: "bad",
  down: "bad",
  lost: "bad",
};

/** A word with the color of its meaning. */
export function Word({ word }: { word: string }) {
  return <span className={`word word-${TONES[word] ?? "plain"}`}>{word}</span>;
}

/** A job's tasks as a bar and in numbers; in a table on a phone, in numbers. */
export function TaskBar({ tasks, state, isInTable }: { tasks: TaskCounts; state: StateView; isInTable?: boolean }) {
  const all = Math.max(1, total(tasks));
  const skipped = tasks.skipped ?? 0;
  const part = (value: number) => (100 * value) / all;
  return (
    <Group gap="xs" wrap="nowrap">
      <Progress.Root size="md" flex={1} miw={60} visibleFrom={isInTable ? "sm" : undefined}>
        <Progress.Section value={part(tasks.done)} color="green" aria-label={`${tasks.done} done`} />
        <Progress.Section
          value={part(tasks.running)}
          color="blue"
          animated={state === "running"}
          aria-label={`${tasks.running} running`}
        />
        <Progress.Section value={part(tasks.failed)} color="red" aria-label={`${tasks.failed} failed`} />
        {skipped > 0 && <Progress.Section value={part(skipped)} color="violet" aria-label={`${skipped} skipped`} />}
      </Progress.Root>
      <Text size="sm" style={{ whiteSpace: "nowrap" }}>
        {count(tasks.done)} / {count(all)}
      </Text>
    </Group>
  );
}

/** Whether a page hears from the node by itself. */
export function Live({ open }: { open: boolean }) {
  return <Word word={open ? "live" : "not live"} />;
}
