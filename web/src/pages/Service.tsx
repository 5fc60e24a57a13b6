// One service: its replicas, what happened to it, what it writes, and what can be done.

import { Button, Group, Modal, NumberInput, Select, Stack, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { ask, send } from "../api/client";
import * as queries from "../api/queries";
import type { OpenPortView, ReplicaView, SavedView, ServiceView } from "../api/types";
import { bytes, clean, duration } from "../lib/format";
import { reference, standing } from "../lib/services";
import { Word } from "../parts/Badges";
import { type Column, DataTable } from "../parts/DataTable";
import { Id } from "../parts/Id";
import { TextBlock } from "../parts/Output";
import { Facts, Page, Panel } from "../parts/Page";
import { When } from "../parts/Sentence";
import { Empty, Shown } from "../parts/Standing";
import { TabbedPanel } from "../parts/Tabs";
import { useAct } from "../parts/acting";
import { ActButton } from "../parts/may";

const CLOSE = { "aria-label": "Close" };

const REPLICAS: Column<ReplicaView>[] = [
  { title: "Replica", cell: (replica) => replica.slot },
  {
    title: "State",
    cell: (replica) => <Word word={replica.lost ? "lost" : replica.ending ? "ending" : replica.state} />,
  },
  { title: "Node", cell: (replica) => <Id id={replica.node} what="node id" /> },
  { title: "Revision", isNumber: true, isExtra: true, cell: (replica) => replica.revision },
  {
    title: "For",
    isNumber: true,
    isExtra: true,
    cell: (replica) => (replica.for_ms == null ? "—" : duration(replica.for_ms)),
  },
  { title: "Restarts", isNumber: true, cell: (replica) => replica.restarts ?? 0 },
  { title: "Connections", isNumber: true, isExtra: true, cell: (replica) => replica.connections ?? 0 },
  { title: "Volumes saved", isExtra: true, cell: (replica) => <Saved saved={replica.saved} /> },
  {
    title: "Problem",
    isExtra: true,
    cell: (replica) => (
      <Text size="sm" c="dimmed" lineClamp={2} maw={360}>
        {clean(replica.problem ?? "")}
      </Text>
    ),
  },
];

const withoutVolumes = REPLICAS.filter((column) => column.title !== "Volumes saved");

/** When the volumes of a replica were saved last, and whether anybody else has that. */
function Saved({ saved }: { saved?: SavedView | null }) {
  if (!saved) return "not yet";
  return (
    <>
      <When at={saved.at} />, {bytes(saved.size_bytes)}
      {!saved.held && ", held nowhere else yet"}
    </>
  );
}

export function ServicePage() {
  const { service: name } = useParams({ from: "/services/$service" });
  const service = useQuery(queries.service(name));
  return (
    <Page title={name.split("@")[0] ?? name} actions={service.data?.own && <Actions service={service.data} />}>
      <Shown read={service} what="the service">
        {(data) => (
          <>
            <About service={data} />
            <Parts service={data} />
          </>
        )}
      </Shown>
    </Page>
  );
}

function About({ service }: { service: ServiceView }) {
  return (
    <Panel>
      <Facts
        rows={[
          ["State", <Word key="state" word={service.state} />],
          ["Replicas that answer", standing(service)],
          ["Revision", service.wanted],
          ["Owner", service.own ? "this node" : <Id key="owner" id={service.owner} what="owner" />],
          ["Ports", service.ports.join(", ") || "none"],
          ["Reached at", <Reached key="reached" service={service} />],
          ...volumes(service),
          ...lastWord(service),
          ["Declared", <When key="declared" at={service.declared_at} />],
        ]}
      />
      {service.problem && (
        <Stack gap={4} mt="sm">
          <Text size="sm" fw={600}>
            Revision {service.revision} did not get healthy
          </Text>
          <TextBlock label="Why" text={clean(service.problem)} />
        </Stack>
      )}
    </Panel>
  );
}

/** Folders that stay when the program ends. */
function volumes(service: ServiceView): [string, string][] {
  const mounts = service.spec?.volumes?.mounts ?? [];
  const line = mounts.map((volume) => `${volume.name} at ${volume.path}, ${bytes(volume.size_bytes)}`);
  return line.length === 0 ? [] : [["Volumes", clean(line.join("; "))]];
}

/** What happened last, while not all is well. */
function lastWord(service: ServiceView): [string, string][] {
  const last = service.notes.at(-1);
  return service.state === "healthy" || !last ? [] : [["Last", clean(last.text)]];
}

/** Local addresses; whoever uses this page sits at the machine that has them. */
function Reached({ service }: { service: ServiceView }) {
  if (service.open_ports.length === 0) return "nowhere from this node";
  return service.open_ports.map((open) => (
    <div key={open.listen}>
      <span className="mono">{open.listen}</span> leads to port {open.port}
    </div>
  ));
}

function Parts({ service }: { service: ServiceView }) {
  const { tab } = useSearch({ from: "/services/$service" });
  const navigate = useNavigate({ from: "/services/$service" });
  const replicas = (
    <DataTable
      label="Replicas"
      rows={service.replicas}
      columns={service.spec?.volumes ? REPLICAS : withoutVolumes}
      rowKey={(replica) => replica.replica}
    />
  );
  const tabs = [
    {
      name: "replicas",
      title: "Replicas",
      shown: service.replicas.length === 0 ? <Empty title="None runs yet" /> : replicas,
    },
    { name: "lately", title: "Lately", shown: <Lately service={service} /> },
    { name: "log", title: "Log", shown: <Log service={service} /> },
  ];
  return <TabbedPanel tabs={tabs} tab={tab} onTab={(next) => void navigate({ search: { tab: next }, replace: true })} />;
}

function Lately({ service }: { service: ServiceView }) {
  if (service.notes.length === 0) return <Empty title="Only its keepers know">Ask its owner's node.</Empty>;
  const notes = service.notes.toReversed();
  return (
    <Stack gap={6} role="region" aria-label="Lately" tabIndex={0}>
      {notes.map((note, index) => (
        <Group key={`${note.at}-${index}`} gap="sm" wrap="nowrap" align="baseline">
          <When at={note.at} />
          <Text size="sm" className="break">
            {note.slot != null && `replica ${note.slot}: `}
            {clean(note.text)}
          </Text>
        </Group>
      ))}
    </Stack>
  );
}

function Log({ service }: { service: ServiceView }) {
  const [slot, setSlot] = useState<string | null>("all");
  const name = reference(service);
  const log = useQuery(queries.serviceLog(name, slot === "all" || slot === null ? undefined : Number(slot)));
  const slots = [...new Set(service.replicas.map((replica) => String(replica.slot)))].toSorted();
  return (
    <Stack>
      <Select
        label="Replica"
        data={["all", ...slots]}
        value={slot}
        onChange={setSlot}
        allowDeselect={false}
        maw={160}
        comboboxProps={{ withinPortal: false }}
      />
      <Shown read={log} what="the log">
        {(text) => (text === "" ? <Empty title="Nothing was written" /> : <TextBlock label="Log" text={clean(text)} />)}
      </Shown>
    </Stack>
  );
}

function Actions({ service }: { service: ServiceView }) {
  const [isScaling, scaling] = useDisclosure();
  const [isOpening, opening] = useDisclosure();
  const [isRemoving, removing] = useDisclosure();
  const path = `/v1/services/${service.name}`;
  const changes = [queries.services.queryKey];
  const rollBack = useAct({
    does: () => ask<ServiceView>(`${path}/rollback`, { method: "POST" }),
    done: () => "The revision before comes back.",
    changes,
  });
  return (
    <Group gap="xs">
      <ActButton needs="operator" variant="default" onClick={opening.open} disabled={service.ports.length === 0}>
        Open a port
      </ActButton>
      <ActButton needs="operator" variant="default" onClick={scaling.open}>
        Scale
      </ActButton>
      <ActButton needs="operator" variant="default" loading={rollBack.isPending} disabled={service.revision < 2} onClick={() => rollBack.mutate()}>
        Roll back
      </ActButton>
      <ActButton needs="operator" color="red" variant="light" onClick={removing.open}>
        Remove
      </ActButton>
      <Modal opened={isScaling} onClose={scaling.close} title="How many replicas?" closeButtonProps={CLOSE}>
        <ScaleForm service={service} onEnd={scaling.close} />
      </Modal>
      <Modal opened={isOpening} onClose={opening.close} title="Open a port of this machine" closeButtonProps={CLOSE}>
        <OpenForm service={service} onEnd={opening.close} />
      </Modal>
      <Modal opened={isRemoving} onClose={removing.close} title="Remove this service?" closeButtonProps={CLOSE}>
        <Removal service={service} onEnd={removing.close} />
      </Modal>
    </Group>
  );
}

interface FormProps {
  service: ServiceView;
  onEnd: () => void;
}

function ScaleForm({ service, onEnd }: FormProps) {
  const [replicas, setReplicas] = useState<number | string>(service.spec?.replicas ?? 1);
  const scale = useAct({
    does: () =>
      ask<ServiceView>(`/v1/services/${service.name}/scale`, { method: "POST", json: { replicas: Number(replicas) } }),
    done: () => `${replicas} replicas are to run.`,
    changes: [queries.services.queryKey],
    then: onEnd,
  });
  return (
    <Stack>
      <NumberInput label="Replicas" min={1} max={64} value={replicas} onChange={setReplicas} />
      <Button disabled={Number(replicas) < 1} loading={scale.isPending} onClick={() => scale.mutate()}>
        Scale
      </Button>
    </Stack>
  );
}

function OpenForm({ service, onEnd }: FormProps) {
  const [port, setPort] = useState<string | null>(String(service.ports[0] ?? ""));
  const open = useAct({
    does: () =>
      ask<OpenPortView>(`/v1/services/${service.name}/ports`, { method: "POST", json: { port: Number(port) } }),
    done: (opened) => `${opened.listen} leads there.`,
    changes: [queries.services.queryKey],
    then: onEnd,
  });
  return (
    <Stack>
      <Text size="sm">A free port of the node's machine leads to the service, for programs on that machine alone.</Text>
      <Select
        label="Port of the service"
        data={service.ports.map(String)}
        value={port}
        onChange={setPort}
        allowDeselect={false}
        comboboxProps={{ withinPortal: false }}
      />
      <Button loading={open.isPending} onClick={() => open.mutate()}>
        Open
      </Button>
    </Stack>
  );
}

function Removal({ service, onEnd }: FormProps) {
  const navigate = useNavigate();
  const remove = useAct({
    does: () => send(`/v1/services/${service.name}`, { method: "DELETE" }),
    done: () => `${clean(service.name)} is ending.`,
    changes: [queries.services.queryKey],
    then: () => {
      onEnd();
      void navigate({ to: "/services" });
    },
  });
  return (
    <Stack>
      <Text size="sm" className="break">
        All replicas of {clean(service.name)} end; what they wrote is lost
        {service.spec?.volumes && ", but for volumes: those are kept for 30 days, for a service of the same name"}.
      </Text>
      <Group>
        <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
          Remove
        </Button>
        <Button variant="default" onClick={onEnd}>
          Keep it
        </Button>
      </Group>
    </Stack>
  );
}
