import { Button, Stack, Text } from "@mantine/core";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect } from "react";
import * as queries from "../api/queries";
import type { JobDetail, RunView } from "../api/types";
import { clean } from "../lib/format";
import { Output } from "./Output";
import { Empty, Shown } from "./Standing";

/** What the last stage wrote, a task at a time. */
export function Outputs({ detail }: { detail: JobDetail }) {
  const last = detail.stages.findLastIndex((stage) => stage.is_last);
  const stage = last < 0 ? detail.stages.length - 1 : last;
  const runs = useInfiniteQuery(queries.runs(detail.job, { stage, state: "accepted" }));
  const { done } = detail.tasks;
  const { refetch } = runs;
  useEffect(() => void (done > 0 && refetch()), [done, refetch]);
  return (
    <Shown read={runs} what="outputs">
      {({ pages }) => {
        const all = pages.flatMap((page) => page.runs);
        if (all.length === 0) return <Empty title="No results yet" />;
        return (
          <Stack gap="lg">
            <Text size="sm" c="dimmed">
              Accepted results of the stage “{clean(detail.stages[stage]?.name ?? "")}”.
            </Text>
            {all.map((run) => (
              <RunOutputs key={run.task} run={run} />
            ))}
            {runs.hasNextPage && (
              <Button variant="default" loading={runs.isFetchingNextPage} onClick={() => void runs.fetchNextPage()}>
                More outputs
              </Button>
            )}
          </Stack>
        );
      }}
    </Shown>
  );
}

function RunOutputs({ run }: { run: RunView }) {
  return (
    <Stack gap="sm">
      <Output name={`${run.task} stdout`} content={run.stdout} />
      {run.stderr.size_bytes > 0 && <Output name={`${run.task} stderr`} content={run.stderr} />}
      {run.files.map((file) => (
        <Output key={file.path} name={`${run.task} ${file.path}`} content={file} />
      ))}
    </Stack>
  );
}
