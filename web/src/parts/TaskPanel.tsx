import { Button, Group, Stack, Text, Title } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useEffect } from "react";
import { useText } from "../api/live";
import * as queries from "../api/queries";
import type { JobDetail, RunView } from "../api/types";
import { bytes, clean, duration, short } from "../lib/format";
import { Word } from "./Badges";
import { Id } from "./Id";
import { Output, TextBlock } from "./Output";
import { Facts } from "./Page";
import { Sentence } from "./Sentence";
import { Empty, Shown } from "./Standing";

/** One task: its runs, what they wrote, and what was noted about it. */
export function TaskPanel({ detail, task }: { detail: JobDetail; task: string }) {
  const runs = useInfiniteQuery(queries.runs(detail.job, { task }));
  const judged = detail.tasks.done + detail.tasks.failed;
  const { refetch } = runs;
  useEffect(() => void (judged > 0 && refetch()), [judged, refetch]);
  return (
    <Stack gap="md">
      <Title order={3} size="h5">
        Task {task}
      </Title>
      <Shown read={runs} what="runs">
        {({ pages }) => {
          const all = pages.flatMap((page) => page.runs);
          if (all.length > 0) return all.map((run) => <Run key={`${run.node} ${run.attempt}`} run={run} />);
          if (queries.isFinal(detail)) return <Empty title="This task never ran to an end" />;
          return <Running job={detail.job} task={task} />;
        }}
      </Shown>
      {runs.hasNextPage && (
        <Button variant="default" onClick={() => void runs.fetchNextPage()}>
          More runs
        </Button>
      )}
      <TaskNotes job={detail.job} task={task} judged={judged} />
    </Stack>
  );
}

function Run({ run }: { run: RunView }) {
  return (
    <Stack gap="sm">
      <Group gap="sm">
        <Word word={run.verdict} />
        <Text size="sm">
          {run.exit_code === undefined ? clean(run.failure ?? "did not end") : `exit code ${run.exit_code}`}
        </Text>
        <Text size="sm" c="dimmed">
          try {run.attempt}, {duration(run.usage.wall_us / 1000)}, {short(run.usage.fuel)} fuel,{" "}
          {bytes(run.usage.memory_peak_bytes)} memory
        </Text>
      </Group>
      <Output name="stdout" content={run.stdout} />
      {run.stderr.size_bytes > 0 && <Output name="stderr" content={run.stderr} />}
      {run.files.map((file) => (
        <Output key={file.path} name={file.path} content={file} />
      ))}
      <Facts
        rows={[
          ["Node", <Id key="node" id={run.node} what="node id" />],
          [
            "Receipt",
            run.receipt ? (
              <Link key="receipt" to="/receipts" search={{ id: run.receipt }} className="link">
                show and check
              </Link>
            ) : (
              "none"
            ),
          ],
        ]}
      />
    </Stack>
  );
}

function Running({ job, task }: { job: string; task: string }) {
  const path = (stream: string) => `/v1/jobs/${job}/tasks/${task}/log?stream=${stream}&follow=true`;
  const stdout = useText(path("stdout"));
  const stderr = useText(path("stderr"));
  return (
    <Stack gap="xs">
      <Text size="sm" c="dimmed" role="status">
        {stdout.state === "failed" ? "The output cannot be followed." : "Output as it comes:"}
      </Text>
      {stdout.isCut && <Text size="sm">Earlier output is left out.</Text>}
      <TextBlock text={stdout.text || "(nothing yet)"} label="stdout" />
      {stderr.text && <TextBlock text={stderr.text} label="stderr" />}
    </Stack>
  );
}

function TaskNotes({ job, task, judged }: { job: string; task: string; judged: number }) {
  const { data, refetch } = useQuery(queries.notes(job, task));
  useEffect(() => void (judged > 0 && refetch()), [judged, refetch]);
  if (!data || data.notes.length === 0) return null;
  return (
    <div>
      <Text size="sm" fw={600} mb={4}>
        Why
      </Text>
      <Stack gap={2}>
        {data.notes.map((note) => (
          <Text key={`${note.at} ${note.sentence}`} size="sm">
            <Sentence text={note.sentence} />
          </Text>
        ))}
      </Stack>
    </div>
  );
}
