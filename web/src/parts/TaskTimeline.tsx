import { Group, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { memo, useMemo } from "react";
import * as queries from "../api/queries";
import type { JobDetail, NoteView } from "../api/types";
import { count, duration, plural } from "../lib/format";
import { type Bar, type End, hasTries, type Lane, timelineOf } from "../lib/timeline";
import { Id } from "./Id";
import { Empty } from "./Standing";

const WIDTH = 1_000;
const ROW = 12;
const GAP = 3;
/** Narrower ones could not be seen. */
const BAR_WIDTH_MIN = 2;

const WORDS: Record<End, string> = { accepted: "done", failed: "failed", lost: "node lost", stopped: "ended, not judged", open: "running" };
const SWATCHES: Record<End, string> = { accepted: "done", failed: "failed", lost: "lost", stopped: "waiting", open: "running" };

interface Props {
  detail: JobDetail;
  notes: NoteView[];
  onTask: (task: string) => void;
}

/** Each node a lane, each try of a task a bar in it. */
export function TaskTimeline({ detail, notes, onTask }: Props) {
  const isOver = queries.isFinal(detail);
  // While it runs, the newest note is the newest moment that is known.
  const now = isOver ? detail.changed_at : Math.max(detail.submitted_at, notes.at(-1)?.at ?? 0);
  const { data } = useQuery({ ...queries.allRuns(detail.job, isOver), enabled: hasTries(notes) });
  const { lanes, from, to, bars } = useMemo(() => timelineOf(notes, now, { runs: data?.runs, isOver }), [notes, now, data, isOver]);
  if (bars === 0) {
    return (
      <Empty title="No steps to draw">
        Jobs of many tasks keep no note of each step: their tasks are in the grid.
      </Empty>
    );
  }
  return (
    <Stack gap="md">
      <Group gap="md">
        {(Object.keys(WORDS) as End[]).map((end) => (
          <Text key={end} size="sm">
            <span className={`legend-swatch swatch-${SWATCHES[end]}`} aria-hidden />
            {WORDS[end]}
          </Text>
        ))}
        <Text size="sm" c="dimmed">
          {plural(bars, "try").replace("trys", "tries")} in {duration(to - from)}; the same in words under “Why”
        </Text>
      </Group>
      {data?.isCut && (
        <Text size="sm" role="status">
          The first {count(data.runs.length)} runs are read. Where a later one alone says how a try ended, it is drawn as{" "}
          {isOver ? "not judged" : "running"}.
        </Text>
      )}
      {lanes.map((lane) => (
        <section key={lane.node}>
          <Group justify="space-between" mb={2}>
            <Id id={lane.node} what="node id" />
            <Text size="sm" c="dimmed">
              {plural(lane.rows.length, "task")} side by side
            </Text>
          </Group>
          <LaneBars lane={lane} from={from} to={to} onTask={onTask} />
        </section>
      ))}
      <Group justify="space-between">
        <Text size="xs" c="dimmed">
          0 s
        </Text>
        <Text size="xs" c="dimmed">
          {duration(to - from)}
        </Text>
      </Group>
    </Stack>
  );
}

interface LaneProps {
  lane: Lane;
  from: number;
  to: number;
  onTask: (task: string) => void;
}

const LaneBars = memo(function LaneBars({ lane, from, to, onTask }: LaneProps) {
  const scale = WIDTH / Math.max(1, to - from);
  const height = lane.rows.length * (ROW + GAP);
  const width = (bar: Bar) => Math.max(BAR_WIDTH_MIN, (bar.to - bar.from) * scale);
  const tries = lane.rows.reduce((sum, row) => sum + row.length, 0);
  return (
    <svg
      className="lane"
      viewBox={`0 0 ${WIDTH} ${height}`}
      preserveAspectRatio="none"
      style={{ height }}
      role="img"
      aria-label={`${plural(tries, "bar")}, one for each try of a task on this node`}
    >
      {lane.rows.flatMap((row, at) =>
        row.map((bar) => (
          <rect
            key={`${at} ${bar.task} ${bar.from}`}
            x={Math.min(WIDTH - BAR_WIDTH_MIN, (bar.from - from) * scale)}
            y={at * (ROW + GAP)}
            width={width(bar)}
            height={ROW}
            className={`lane-${bar.end}`}
            onClick={() => onTask(bar.task)}
          >
            <title>{`${bar.task}: ${WORDS[bar.end]}, ${duration(bar.to - bar.from)}`}</title>
          </rect>
        )),
      )}
    </svg>
  );
});
