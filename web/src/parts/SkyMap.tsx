// All nodes that this one knows, as a picture or as a table.

import { Group, SegmentedControl, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import * as queries from "../api/queries";
import { clean, plural, roundTrip } from "../lib/format";
import { layoutGraph, nodesOf, type SkyNode } from "../lib/graph";
import { Word } from "./Badges";
import { type Column, DataTable } from "./DataTable";
import { Id } from "./Id";
import { Facts } from "./Page";
import { GraphLegend, SkyGraph } from "./SkyGraph";
import { Empty, Shown } from "./Standing";

const route = getRouteApi("/sky");

const WORDS = { direct: "direct", relayed: "relayed", known: "not connected" };

export function SkyMap() {
  const status = useQuery(queries.status);
  const peers = useQuery(queries.peers);
  const offers = useQuery(queries.offers);
  const members = useQuery(queries.members);
  const own = status.data?.node;
  const nodes = useMemo(
    () =>
      own && peers.data && offers.data && members.data
        ? nodesOf(own, peers.data.peers, offers.data.offers, members.data.members)
        : undefined,
    [own, peers.data, offers.data, members.data],
  );
  const parts = [status, peers, offers, members];
  const error = parts.find((part) => part.error)?.error;
  const refetch = () => parts.forEach((part) => void part.refetch());
  return (
    <Shown read={{ data: nodes, error, refetch }} what="the sky">
      {(known) =>
        known.length === 0 ? (
          <Empty title="This node is alone">
            Invite a machine, then run <span className="mono">opensky up --join TOKEN</span> there.
          </Empty>
        ) : (
          <Known nodes={known} />
        )
      }
    </Shown>
  );
}

function Known({ nodes }: { nodes: SkyNode[] }) {
  const { view, node: selected } = route.useSearch();
  const navigate = route.useNavigate();
  const graph = useMemo(() => layoutGraph(nodes), [nodes]);
  const select = useCallback(
    (node: string | undefined) => void navigate({ search: (now) => ({ ...now, node }), replace: true }),
    [navigate],
  );
  const chosen = nodes.find(({ id }) => id === selected);
  const connected = nodes.filter(({ way }) => way !== "known").length;
  return (
    <Stack gap="sm">
      <Group justify="space-between">
        <Text size="sm">
          {plural(nodes.length, "other node")}, {connected} connected
        </Text>
        <SegmentedControl
          size="xs"
          aria-label="How nodes are shown"
          value={view ?? "graph"}
          onChange={(next) => void navigate({ search: (now) => ({ ...now, view: next }), replace: true })}
          data={[
            { value: "graph", label: "Picture" },
            { value: "table", label: "Table" },
          ]}
        />
      </Group>
      {view === "table" ? (
        <DataTable label="Nodes" rows={nodes} columns={COLUMNS} rowKey={({ id }) => id} />
      ) : (
        <>
          <SkyGraph graph={graph} selected={selected} onSelect={select} />
          <GraphLegend />
        </>
      )}
      {view !== "table" && (
        <div role="status">
          {chosen ? <About node={chosen} /> : <Text size="sm" c="dimmed">Choose a node to see more of it.</Text>}
        </div>
      )}
    </Stack>
  );
}

function About({ node }: { node: SkyNode }) {
  return (
    <Facts
      rows={[
        ["Node", <Id key="id" id={node.id} what="node id" />],
        ["Path", <Word key="way" word={WORDS[node.way]} />],
        ["Round trip", node.rtt_us === undefined ? "not measured" : roundTrip(node.rtt_us)],
        ["Region", node.region],
        ["Slots free", slots(node)],
        ["Address", node.address ? clean(node.address) : "not connected"],
        ["Software", node.agent ? clean(node.agent) : "not known"],
      ]}
    />
  );
}

const slots = ({ slots_free, slots_total }: SkyNode) =>
  slots_total === undefined ? "offers nothing" : `${slots_free} of ${slots_total}`;

const COLUMNS: Column<SkyNode>[] = [
  { title: "Node", cell: (node) => <Id id={node.id} what="node id" /> },
  { title: "Region", cell: (node) => node.region },
  { title: "Path", cell: (node) => <Word word={WORDS[node.way]} /> },
  {
    title: "Round trip",
    isNumber: true,
    cell: (node) => (node.rtt_us === undefined ? "" : roundTrip(node.rtt_us)),
    isExtra: true,
  },
  { title: "Slots free", isNumber: true, cell: slots, isExtra: true },
];
