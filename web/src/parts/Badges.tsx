import { Badge, Group, Progress, Text } from "@mantine/core";
import type { JobState, TaskCounts } from "../api/types";
import { count } from "../lib/format";

const COLORS: Record<string, string> = {
  waiting: "gray",
  running: "blue",
  succeeded: "green",
  failed: "red",
  cancelled: "gray",
  accepted: "green",
  agreed: "teal",
  rejected: "red",
  undecided: "gray",
  claimed: "yellow",
  ok: "green",
  warning: "yellow",
  broken: "red",
  skipped: "gray",
};

/** A word with the color of its meaning. */
export function Word({ word }: { word: string }) {
  return (
    <Badge variant="outline" color={COLORS[word] ?? "gray"} className={`word word-${COLORS[word] ?? "gray"}`}>
      {word}
    </Badge>
  );
}

/** A job's tasks as a bar and in numbers. */
export function TaskBar({ tasks, state }: { tasks: TaskCounts; state: JobState }) {
  const total = Math.max(1, tasks.waiting + tasks.running + tasks.done + tasks.failed);
  const part = (value: number) => (100 * value) / total;
  return (
    <Group gap="xs" wrap="nowrap">
      <Progress.Root size="md" flex={1} miw={60}>
        <Progress.Section value={part(tasks.done)} color="green" aria-label={`${tasks.done} done`} />
        <Progress.Section
          value={part(tasks.running)}
          color="blue"
          animated={state === "running"}
          aria-label={`${tasks.running} running`}
        />
        <Progress.Section value={part(tasks.failed)} color="red" aria-label={`${tasks.failed} failed`} />
      </Progress.Root>
      <Text size="sm" style={{ whiteSpace: "nowrap" }}>
        {count(tasks.done)} / {count(total)}
      </Text>
    </Group>
  );
}

/** Whether a page hears from the node by itself. */
export function Live({ open }: { open: boolean }) {
  return <Word word={open ? "live" : "not live"} />;
}
