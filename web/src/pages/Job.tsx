import { Alert, Group, Select, SimpleGrid, Stack, Text } from "@mantine/core";
import { IconPlayerStop, IconRefresh, IconTrash } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { ask, send } from "../api/client";
import { useJobEvents, useTaskStates } from "../api/live";
import * as queries from "../api/queries";
import type { JobDetail, JobNodeView, NoteView } from "../api/types";
import { credits } from "../lib/amount";
import { bytes, clean, count, duration, moment, plural, short } from "../lib/format";
import { parseTask } from "../lib/tasks";
import { Live, TaskBar, Word } from "../parts/Badges";
import { type Column, DataTable } from "../parts/DataTable";
import { Id } from "../parts/Id";
import { Outputs } from "../parts/Outputs";
import { Facts, Figure, Page, Panel } from "../parts/Page";
import { Sentence, When } from "../parts/Sentence";
import { Empty, Shown } from "../parts/Standing";
import { Legend, TaskGrid } from "../parts/TaskGrid";
import { TaskTimeline } from "../parts/TaskTimeline";
import { TaskPanel } from "../parts/TaskPanel";
import { TabbedPanel } from "../parts/Tabs";
import { useAct } from "../parts/acting";
import { ActButton } from "../parts/may";

const route = getRouteApi("/jobs/$job");

export function JobPage() {
  const { job } = route.useParams();
  const read = useQuery(queries.job(job));
  return (
    <Page title={read.data ? clean(read.data.name) : "Job"} actions={read.data && <Actions detail={read.data} />}>
      <Shown read={read} what="the job">
        {(detail) => <Detail key={job} detail={detail} />}
      </Shown>
    </Page>
  );
}

function Actions({ detail }: { detail: JobDetail }) {
  const navigate = useNavigate();
  const changes = [queries.jobs.queryKey];
  const path = `/v1/jobs/${detail.job}`;
  const cancel = useAct({ does: () => ask(`${path}/cancel`, { method: "POST" }), done: () => "Cancelled.", changes });
  const retry = useAct({ does: () => ask(`${path}/retry`, { method: "POST" }), done: () => "It runs again.", changes });
  const remove = useAct({
    does: () => send(path, { method: "DELETE" }),
    done: () => "Removed.",
    changes: [["jobs"]],
    then: () => void navigate({ to: "/jobs" }),
  });
  if (!queries.isFinal(detail)) {
    return (
      <ActButton
        needs="operator"
        color="red"
        variant="outline"
        leftSection={<IconPlayerStop size={16} />}
        loading={cancel.isPending}
        onClick={() => cancel.mutate()}
      >
        Cancel
      </ActButton>
    );
  }
  return (
    <Group gap="xs">
      {detail.state !== "succeeded" && (
        <ActButton needs="operator" leftSection={<IconRefresh size={16} />} loading={retry.isPending} onClick={() => retry.mutate()}>
          Retry
        </ActButton>
      )}
      <ActButton
        needs="operator"
        variant="default"
        leftSection={<IconTrash size={16} />}
        loading={remove.isPending}
        onClick={() => window.confirm("Remove the job and its outputs from this node?") && remove.mutate()}
      >
        Remove
      </ActButton>
    </Group>
  );
}

function Detail({ detail }: { detail: JobDetail }) {
  const isOver = queries.isFinal(detail);
  const live = useJobEvents(detail.job, isOver);
  const { tab, task } = route.useSearch();
  const navigate = route.useNavigate();
  return (
    <>
      <Head detail={detail} open={live.open} />
      <TabbedPanel
        tab={tab}
        onTab={(chosen) => void navigate({ search: { tab: chosen }, replace: true })}
        tabs={[
          {
            name: "tasks",
            title: "Tasks",
            shown: (
              <Tasks
                detail={detail}
                notes={live.notes}
                task={task}
                onTask={(chosen) => void navigate({ search: { tab, task: chosen }, replace: true })}
              />
            ),
          },
          {
            name: "timeline",
            title: "Timeline",
            shown: (
              <TaskTimeline
                detail={detail}
                notes={live.notes}
                onTask={(chosen) => void navigate({ search: { task: chosen }, replace: true })}
              />
            ),
          },
          { name: "outputs", title: "Outputs", shown: <Outputs detail={detail} /> },
          { name: "why", title: "Why", shown: <Why notes={live.notes} /> },
          { name: "nodes", title: "Nodes", shown: <Nodes nodes={detail.nodes} /> },
        ]}
      />
    </>
  );
}

function Head({ detail, open }: { detail: JobDetail; open: boolean }) {
  const isOver = queries.isFinal(detail);
  const took = detail.changed_at - detail.submitted_at;
  return (
    <Panel>
      <Stack gap="md">
        <SimpleGrid cols={{ base: 1, xs: 2, sm: 4 }}>
          <Figure
            name="State"
            value={
              <Group gap={6}>
                <Word word={detail.state} />
                {!isOver && <Live open={open} />}
              </Group>
            }
          />
          <Figure
            name={isOver ? "Took" : "Submitted"}
            value={isOver ? duration(took) : moment(detail.submitted_at).split(", ").at(-1)}
            note={moment(detail.submitted_at)}
          />
          <Figure name="Fuel" value={short(detail.usage.fuel)} note={`${bytes(detail.usage.output_bytes)} written`} />
          <Figure
            name="Cost"
            value={credits(detail.cost_micros)}
            note={detail.budget_micros === undefined ? "credits" : `of at most ${credits(detail.budget_micros)} credits`}
          />
        </SimpleGrid>
        <TaskBar tasks={detail.tasks} state={detail.state} />
        {detail.reason && (
          <Text size="sm" role="status">
            <Sentence text={detail.reason} />
          </Text>
        )}
        {detail.stages.map(
          ({ name, waiting_for }) =>
            waiting_for && (
              <Alert key={name} color="yellow" title={`${clean(name)} waits for a node`}>
                <Sentence text={waiting_for.sentence} />
              </Alert>
            ),
        )}
        <Text size="sm" c="dimmed" component="div">
          Job <Id id={detail.job} what="job id" />
        </Text>
      </Stack>
    </Panel>
  );
}

interface TasksProps {
  detail: JobDetail;
  notes: NoteView[];
  task?: string;
  onTask: (task: string) => void;
}

function Tasks({ detail, notes, task, onTask }: TasksProps) {
  const { states, version } = useTaskStates(detail, notes);
  const chosen = parseTask(task ?? "");
  const only = detail.stages.length === 1 && states.stages[0]?.length === 1;
  return (
    <Stack gap="lg">
      <Legend counts={detail.tasks} />
      {detail.stages.map((stage, at) => (
        <div key={stage.name}>
          <Text size="sm" mb={6}>
            <b>{clean(stage.name)}</b>: {plural(states.stages[at]?.length ?? 0, "task")}
          </Text>
          <TaskGrid
            stage={at}
            states={states.stages[at] ?? new Uint8Array()}
            version={version}
            selected={chosen?.stage === at ? chosen.index : undefined}
            onSelect={(index) => onTask(`${at}.${index}`)}
          />
        </div>
      ))}
      {task || only ? (
        <TaskPanel key={task ?? "0.0"} detail={detail} task={task ?? "0.0"} />
      ) : (
        <Text size="sm" c="dimmed">
          Choose a task to see its runs, its output and its receipt.
        </Text>
      )}
    </Stack>
  );
}

const NOTE_COLUMNS: Column<NoteView>[] = [
  { title: "When", cell: (note) => <When at={note.at} /> },
  { title: "Task", cell: (note) => note.task ?? "" },
  { title: "What", cell: (note) => <span className="id">{note.kind}</span>, isExtra: true },
  { title: "Why", cell: (note) => <Sentence text={note.sentence} /> },
];

function Why({ notes }: { notes: NoteView[] }) {
  const kinds = [...new Set(notes.map((note) => note.kind))].sort();
  const [kind, setKind] = useState<string | null>(null);
  const shown = kind === null ? notes : notes.filter((note) => note.kind === kind);
  if (notes.length === 0) return <Empty title="Nothing to explain yet" />;
  return (
    <Stack gap="sm">
      <Group>
        <Select
          aria-label="Kind of step"
          placeholder="Every step"
          clearable
          clearButtonProps={{ "aria-label": "Every step" }}
          data={kinds}
          value={kind}
          onChange={setKind}
        />
        <Text size="sm" c="dimmed">
          {plural(shown.length, "step")}
        </Text>
      </Group>
      <DataTable
        label="Why"
        rows={shown}
        columns={NOTE_COLUMNS}
        rowKey={(note) => `${note.at} ${note.task ?? ""} ${note.sentence}`}
      />
    </Stack>
  );
}

const NODE_COLUMNS: Column<JobNodeView>[] = [
  { title: "Node", cell: (node) => <Id id={node.node} what="node id" /> },
  { title: "Accepted", isNumber: true, cell: (node) => count(node.accepted) },
  { title: "Agreed", isNumber: true, cell: (node) => count(node.agreed), isExtra: true },
  { title: "Failed", isNumber: true, cell: (node) => count(node.failed) },
  { title: "Rejected", isNumber: true, cell: (node) => count(node.rejected), isExtra: true },
  { title: "Fuel", isNumber: true, cell: (node) => short(node.usage.fuel), isExtra: true },
  { title: "Cost", isNumber: true, cell: (node) => credits(node.cost_micros) },
];

function Nodes({ nodes }: { nodes: JobNodeView[] }) {
  if (nodes.length === 0) return <Empty title="No node has run anything yet" />;
  return (
    <Stack>
      <DataTable label="Nodes" rows={nodes} columns={NODE_COLUMNS} rowKey={(node) => node.node} />
      <Facts rows={[["Nodes", plural(nodes.length, "node")]]} />
    </Stack>
  );
}
