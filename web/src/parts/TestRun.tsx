// A job that shows that the node works: the smallest of the examples, and what became of it.

import { Alert, Group, Loader, Stack, Text } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ask, upload } from "../api/client";
import * as queries from "../api/queries";
import type { JobDetail, Submitted } from "../api/types";
import { credits } from "../lib/amount";
import { clean, duration } from "../lib/format";
import { EMPTY, requestOf } from "../lib/submission";
import program from "../../../examples/programs/hello.wasm?url";
import { Id } from "./Id";
import { Output } from "./Output";
import { Facts } from "./Page";
import { Sentence } from "./Sentence";
import { ErrorPanel } from "./Standing";
import { useAct } from "./acting";
import { ActButton } from "./may";

const FORM = { ...EMPTY, name: "first test", args: "sky", wall_s: 60 };

async function start(): Promise<Submitted> {
  const answer = await fetch(program);
  if (!answer.ok) throw new Error("The test program cannot be read.");
  const uploaded = { program: await upload(await answer.blob()), files: [] };
  return ask<Submitted>("/v1/jobs", { method: "POST", json: requestOf(FORM, uploaded) });
}

export function TestRun({ isPaid }: { isPaid: boolean }) {
  const run = useAct({ does: start, changes: [queries.jobs.queryKey] });
  return (
    <Stack>
      <Group>
        <ActButton
          needs="operator"
          variant={run.data ? "default" : "filled"}
          loading={run.isPending}
          onClick={() => run.mutate()}
        >
          {run.data ? "Run it again" : "Run the test"}
        </ActButton>
        {isPaid && (
          <Text size="sm" c="dimmed">
            costs a fraction of a credit if another node runs it
          </Text>
        )}
      </Group>
      {run.data && <Result key={run.data.job} job={run.data.job} />}
    </Stack>
  );
}

function Result({ job }: { job: string }) {
  const { data, error, refetch } = useQuery(queries.job(job));
  if (error) return <ErrorPanel error={error} onRetry={() => void refetch()} />;
  if (!data || !queries.isFinal(data)) return <Waiting detail={data} />;
  if (data.state !== "succeeded") {
    return (
      <Alert color="red" title={`The test ${data.state}`}>
        <Sentence text={data.reason} />{" "}
        <Link to="/jobs/$job" params={{ job }} search={{ tab: "why" }} className="link-in-text">
          See why
        </Link>
      </Alert>
    );
  }
  return <Succeeded detail={data} />;
}

function Waiting({ detail }: { detail?: JobDetail }) {
  const waits = detail?.stages.find((stage) => stage.waiting_for)?.waiting_for;
  return (
    <Group gap="sm" role="status">
      <Loader size="sm" aria-hidden />
      <Text size="sm">{waits ? <Sentence text={`Waiting for a node: ${waits.sentence}`} /> : "Running…"}</Text>
    </Group>
  );
}

function Succeeded({ detail }: { detail: JobDetail }) {
  const { data } = useInfiniteQuery(queries.runs(detail.job, { state: "accepted" }));
  const { data: status } = useQuery(queries.status);
  const run = data?.pages[0]?.runs[0];
  const took = duration(detail.changed_at - detail.submitted_at);
  return (
    <Alert color="green" variant="light" title={`It works: ${took}`}>
      {run && (
        <Stack gap="sm">
          <Output name="What it wrote" content={run.stdout} />
          <Facts
            rows={[
              ["Ran on", run.node === status?.node ? "this node" : <Id key="node" id={run.node} what="node id" />],
              ["Time in the program", duration(run.usage.wall_us / 1000)],
              ["Cost", detail.cost_micros === 0 ? "nothing" : `${credits(detail.cost_micros)} credits`],
              [
                "More",
                <Link key="job" to="/jobs/$job" params={{ job: detail.job }} className="link-in-text">
                  the job {clean(detail.name)}
                </Link>,
              ],
            ]}
          />
        </Stack>
      )}
    </Alert>
  );
}
