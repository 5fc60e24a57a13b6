import { Button, Group, Text } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import * as queries from "../api/queries";
import type { JobSummary } from "../api/types";
import { ago, clean } from "../lib/format";
import { TaskBar, Word } from "../parts/Badges";
import { type Column, DataTable } from "../parts/DataTable";
import { Page, Panel } from "../parts/Page";
import { Shown } from "../parts/Standing";
import { ActButton } from "../parts/may";
import { NoJobs } from "./Overview";

const COLUMNS: Column<JobSummary>[] = [
  {
    title: "Job",
    cell: (job) => (
      <Link to="/jobs/$job" params={{ job: job.job }} className="link">
        {clean(job.name)}
      </Link>
    ),
  },
  { title: "State", cell: (job) => <Word word={job.state} /> },
  { title: "Tasks", cell: (job) => <TaskBar tasks={job.tasks} state={job.state} isInTable /> },
  { title: "Submitted", cell: (job) => ago(job.submitted_at, Date.now()), isExtra: true },
  {
    title: "Why",
    cell: (job) => (
      <Text size="sm" c="dimmed" lineClamp={1} maw={360}>
        {clean(job.reason)}
      </Text>
    ),
    isExtra: true,
  },
];

export function JobsPage() {
  const navigate = useNavigate();
  const jobs = useInfiniteQuery(queries.jobs);
  return (
    <Page
      title="Jobs"
      actions={
        <ActButton needs="operator" leftSection={<IconPlus size={16} />} onClick={() => void navigate({ to: "/jobs/new" })}>
          New job
        </ActButton>
      }
    >
      <Panel>
        <Shown read={jobs} what="jobs">
          {({ pages }) => {
            const all = pages.flatMap((page) => page.jobs);
            if (all.length === 0) return <NoJobs />;
            return (
              <>
                <DataTable label="Jobs" rows={all} columns={COLUMNS} rowKey={(job) => job.job} />
                {jobs.hasNextPage && (
                  <Group justify="center" mt="sm">
                    <Button
                      variant="default"
                      loading={jobs.isFetchingNextPage}
                      onClick={() => void jobs.fetchNextPage()}
                    >
                      Older jobs
                    </Button>
                  </Group>
                )}
              </>
            );
          }}
        </Shown>
      </Panel>
    </Page>
  );
}
