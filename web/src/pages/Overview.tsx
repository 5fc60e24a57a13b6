import { Box, Group, Progress, SimpleGrid, Stack, Text } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, Navigate } from "@tanstack/react-router";
import * as queries from "../api/queries";
import type { JobSummary, Status } from "../api/types";
import { credits } from "../lib/amount";
import { ago, bytes, clean, count, duration, plural } from "../lib/format";
import { isSetUp } from "../lib/setup";
import { TaskBar, Word } from "../parts/Badges";
import { Id } from "../parts/Id";
import { Facts, Figure, Page, Panel } from "../parts/Page";
import { Spark, useRecent } from "../parts/Spark";
import { Empty, Loading, Shown } from "../parts/Standing";

export function Overview() {
  const status = useQuery(queries.status);
  const isFirst = useIsFirst(status);
  if (isFirst) return <Navigate to="/welcome" replace />;
  if (isFirst === undefined) return <Loading what="the node" />;
  return (
    <Page title="Overview">
      <Shown read={status} what="the node">
        {(data) => <Cards status={data} />}
      </Shown>
      <RecentJobs />
    </Page>
  );
}

/** Whether an owner opens a node that has done nothing yet; `undefined` while that is not known. */
function useIsFirst({ data: status, error }: { data?: Status; error: unknown }): boolean | undefined {
  const session = useQuery(queries.session);
  const jobs = useInfiniteQuery(queries.jobs);
  if (error || session.error || jobs.error || (status && isSetUp(status.node))) return false;
  if (session.data && session.data.role !== "owner") return false;
  if (!status || !session.data || !jobs.data) return undefined;
  return jobs.data.pages.every((page) => page.jobs.length === 0);
}

function Cards({ status }: { status: Status }) {
  const { network, ledger, sharing, storage } = status;
  return (
    <>
      <SimpleGrid cols={{ base: 1, xs: 2, lg: 4 }}>
        <Panel>
          <Figure name="Node" value={<Health status={status} />} note={`up for ${duration(status.now - status.started_at)}`} />
        </Panel>
        <Panel>
          <Figure
            name="Peers"
            value={
              <Link to="/sky" className="plain-link">
                {count(network.peers)}
              </Link>
            }
            note={`${plural(status.offers, "offer")}, ${count(network.peers_relayed)} relayed`}
          />
        </Panel>
        {ledger.available_micros === undefined ? (
          <Panel>
            <Figure name="Prices" value="None" note="work in this sky is free" />
          </Panel>
        ) : (
          <Panel>
            <Figure name="Credits" value={credits(ledger.available_micros)} note={<Link to="/wallet" className="link">open the wallet</Link>} />
          </Panel>
        )}
        <Panel>
          <Figure
            name="Ledger"
            value={`Height ${count(ledger.height)}`}
            note={`${ledger.role}, last block ${ago(ledger.at, status.now)}`}
          />
        </Panel>
      </SimpleGrid>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Given status={status} />
        <Taken status={status} />
      </SimpleGrid>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Panel title="Who and where">
          <Facts
            rows={[
              ["Name", clean(status.name)],
              ["Node", <Id key="id" id={status.node} what="node id" />],
              ["Sky", clean(status.sky.name)],
              ["Version", status.version],
              ["Data folder", status.data_dir],
              ["Reachability", network.reachability],
            ]}
          />
        </Panel>
        <Panel title="Store">
          <Stack gap="sm">
            <Progress
              value={storage.cap_bytes === 0 ? 0 : Math.round((100 * storage.used_bytes) / storage.cap_bytes)}
              aria-label="Store in use"
              size="lg"
            />
            <Facts
              rows={[
                ["Content", `${bytes(storage.used_bytes)} of ${bytes(storage.cap_bytes)}`],
                ["Memory of the node", bytes(status.resident_bytes)],
                ["Sent", bytes(network.sent_bytes)],
                ["Received", bytes(network.received_bytes)],
                ["Slots busy", `${sharing.slots_busy} of ${sharing.slots_total}`],
              ]}
            />
          </Stack>
        </Panel>
      </SimpleGrid>
    </>
  );
}

function Health({ status }: { status: Status }) {
  const { sharing, ledger } = status;
  if (ledger.role === "stopped") return <Word word="stopped" />;
  return <Word word={sharing.closed_reason ? "not sharing" : "well"} />;
}

function Given({ status: { sharing, now } }: { status: Status }) {
  const recent = useRecent(sharing.slots_busy, now);
  return (
    <Panel title="Work given" actions={<Link to="/node" className="link small">limits</Link>}>
      <Group grow align="flex-start" mb="xs">
        <Figure name="Tasks done for others" value={count(sharing.tasks_done)} note="since the node started" />
        <Figure
          name="Slots busy"
          value={`${sharing.slots_busy} of ${sharing.slots_total}`}
          note={sharing.closed_reason ? `nothing is shared: ${sharing.closed_reason}` : "sharing"}
        />
      </Group>
      <Spark values={recent} label="Slots busy in the last two minutes" />
    </Panel>
  );
}

function Taken({ status }: { status: Status }) {
  const { data } = useInfiniteQuery(queries.jobs);
  const jobs = data?.pages[0]?.jobs ?? [];
  const running = jobs.reduce((sum, job) => sum + job.tasks.running, 0);
  const done = jobs.reduce((sum, job) => sum + job.tasks.done, 0);
  const recent = useRecent(running, status.now);
  return (
    <Panel title="Work taken" actions={<Link to="/jobs/new" className="link small">run something</Link>}>
      <Group grow align="flex-start" mb="xs">
        <Figure name="Own jobs open" value={count(status.jobs_open)} note={`${plural(running, "task")} running elsewhere`} />
        <Figure name="Own tasks done" value={count(done)} note={`in the last ${plural(jobs.length, "job")}`} />
      </Group>
      <Spark values={recent} label="Own tasks running in the last two minutes" />
    </Panel>
  );
}

function RecentJobs() {
  const jobs = useInfiniteQuery(queries.jobs);
  return (
    <Panel title="Latest jobs" actions={<Link to="/jobs" className="link small">all jobs</Link>}>
      <Shown read={jobs} what="jobs">
        {({ pages }) => {
          const latest = pages[0]?.jobs.slice(0, 5) ?? [];
          if (latest.length === 0) return <NoJobs />;
          return (
            <Stack gap="sm">
              {latest.map((job) => (
                <JobLine key={job.job} job={job} />
              ))}
            </Stack>
          );
        }}
      </Shown>
    </Panel>
  );
}

export function NoJobs() {
  return (
    <Empty title="No jobs yet">
      <Link to="/jobs/new">Drop a .wasm program</Link> to run it somewhere on the sky, or try <span className="mono">opensky run</span> in a terminal.
    </Empty>
  );
}

function JobLine({ job }: { job: JobSummary }) {
  return (
    <div className="job-line">
      <Link to="/jobs/$job" params={{ job: job.job }} className="link">
        <Text truncate>{clean(job.name)}</Text>
      </Link>
      <div>
        <Word word={job.state} />
      </div>
      <Box visibleFrom="xs">
        <TaskBar tasks={job.tasks} state={job.state} />
      </Box>
    </div>
  );
}
