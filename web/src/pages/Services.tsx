// Services of the sky: what stays up, and where.

import { Group, Modal, NumberInput, Select, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { ask } from "../api/client";
import * as queries from "../api/queries";
import type { ServiceRequest, ServiceView } from "../api/types";
import { clean } from "../lib/format";
import { nameProblem, portsOf, reference, standing } from "../lib/services";
import { splitWords } from "../lib/words";
import { Word } from "../parts/Badges";
import { type Column, DataTable } from "../parts/DataTable";
import { Id } from "../parts/Id";
import { Page, Panel } from "../parts/Page";
import { Empty, Shown } from "../parts/Standing";
import { useAct } from "../parts/acting";
import { ActButton } from "../parts/may";

const CLOSE = { "aria-label": "Close" };

const COLUMNS: Column<ServiceView>[] = [
  {
    title: "Service",
    cell: (service) => (
      <Link to="/services/$service" params={{ service: reference(service) }} className="link">
        {clean(service.name)}
      </Link>
    ),
  },
  { title: "State", cell: (service) => <Word word={service.state} /> },
  { title: "Replicas", isNumber: true, cell: standing },
  { title: "Revision", isNumber: true, isExtra: true, cell: (service) => service.wanted },
  {
    title: "Reached at",
    cell: (service) => service.open_ports.map((open) => open.listen).join(", ") || "—",
  },
  {
    title: "Owner",
    isExtra: true,
    cell: (service) => (service.own ? "this node" : <Id id={service.owner} what="owner" />),
  },
];

export function ServicesPage() {
  const services = useQuery(queries.services);
  const [isOpen, form] = useDisclosure();
  return (
    <Page
      title="Services"
      actions={
        <ActButton needs="operator" leftSection={<IconPlus size={16} />} onClick={form.open}>
          New service
        </ActButton>
      }
    >
      <Modal opened={isOpen} onClose={form.close} title="New service" closeButtonProps={CLOSE}>
        <StartForm />
      </Modal>
      <Panel>
        <Shown read={services} what="services">
          {(data) =>
            data.services.length === 0 ? (
              <Empty title="Nothing stays up yet">
                Start a service here, or run{" "}
                <span className="mono">opensky service run docker:NAME --port 80</span>. The sky keeps it running,
                whichever node goes away.
              </Empty>
            ) : (
              <DataTable label="Services" rows={data.services} columns={COLUMNS} rowKey={(service) => service.service} />
            )
          }
        </Shown>
      </Panel>
    </Page>
  );
}

function StartForm() {
  const images = useQuery(queries.images);
  const navigate = useNavigate();
  const [image, setImage] = useState<string | null>(null);
  const [name, setName] = useState("");
  const [ports, setPorts] = useState("80");
  const [line, setLine] = useState("");
  const [replicas, setReplicas] = useState<number | string>(1);
  const kept = images.data?.images ?? [];
  const chosen = kept.find((one) => one.name === image);
  const args = splitWords(line);
  const numbers = portsOf(ports);
  const problem = nameProblem(name);
  const start = useAct({
    does: (request: ServiceRequest) => ask<ServiceView>("/v1/services", { method: "POST", json: request }),
    done: (service) => `Declared: ${clean(service.name)}.`,
    changes: [queries.services.queryKey],
    then: (service) => void navigate({ to: "/services/$service", params: { service: service.name } }),
  });
  const isReady = chosen && args && numbers && !problem && Number(replicas) >= 1;
  const submit = () => {
    if (!isReady) return;
    const health = numbers[0] && {
      probe: { kind: "tcp" as const, port: numbers[0] },
      interval_ms: 2_000,
      timeout_ms: 1_000,
      failures_max: 3,
      start_ms: 30_000,
    };
    start.mutate({
      name,
      image: chosen.hash,
      image_size_bytes: chosen.size_bytes,
      args,
      ports: numbers,
      replicas: Number(replicas),
      ...(health ? { health } : {}),
    });
  };
  return (
    <Stack>
      {images.data && kept.length === 0 ? (
        <Text size="sm">
          This node keeps no images. <Link to="/node" className="link">Keep one</Link> first, or run{" "}
          <span className="mono">opensky service run docker:NAME</span>.
        </Text>
      ) : (
        <Select
          label="Image"
          placeholder="one that this node keeps"
          data={kept.map((one) => one.name)}
          value={image}
          onChange={setImage}
          comboboxProps={{ withinPortal: false }}
        />
      )}
      <TextInput
        label="Name"
        description="small letters, digits and dashes"
        value={name}
        error={name !== "" && problem}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <TextInput
        label="Ports"
        description="what members may reach; the first one has to answer"
        value={ports}
        error={numbers === undefined && "numbers from 1 to 65535, with spaces between them"}
        onChange={(event) => setPorts(event.currentTarget.value)}
      />
      <TextInput
        label="Arguments"
        description="after the image's entry point; empty for its usual command"
        value={line}
        error={args === undefined && "a quote is open"}
        onChange={(event) => setLine(event.currentTarget.value)}
      />
      <NumberInput label="Replicas" min={1} max={64} value={replicas} onChange={setReplicas} />
      <Group>
        <ActButton needs="operator" disabled={!isReady} loading={start.isPending} onClick={submit}>
          Start
        </ActButton>
      </Group>
    </Stack>
  );
}
