import { Button, Group, Modal, NumberInput, Select, Stack, Switch, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconUserPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { ask } from "../api/client";
import * as queries from "../api/queries";
import type { InviteRequest, InviteView, Level, MemberView, OfferView, PeerView } from "../api/types";
import { credits } from "../lib/amount";
import { bytes, clean, count, moment, plural, roundTrip } from "../lib/format";
import { Word } from "../parts/Badges";
import { type Column, DataTable } from "../parts/DataTable";
import { Copy, Id } from "../parts/Id";
import { Page } from "../parts/Page";
import { Empty, Shown } from "../parts/Standing";
import { TabbedPanel } from "../parts/Tabs";
import { useAct } from "../parts/acting";

const route = getRouteApi("/sky");

export function SkyPage() {
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const [opened, invite] = useDisclosure();
  return (
    <Page
      title="Sky"
      actions={
        <Button leftSection={<IconUserPlus size={16} />} onClick={invite.open}>
          Invite a machine
        </Button>
      }
    >
      <Modal
        opened={opened}
        onClose={invite.close}
        title="Invite a machine"
        closeButtonProps={{ "aria-label": "Close" }}
      >
        <InviteForm />
      </Modal>
      <TabbedPanel
        tab={tab}
        onTab={(chosen) => void navigate({ search: { tab: chosen }, replace: true })}
        tabs={[
          { name: "peers", title: "Peers", shown: <Peers /> },
          { name: "offers", title: "Offers", shown: <Offers /> },
          { name: "members", title: "Members", shown: <Members /> },
          { name: "invites", title: "Invites", shown: <Invites /> },
        ]}
      />
    </Page>
  );
}

const PEER_COLUMNS: Column<PeerView>[] = [
  { title: "Node", cell: (peer) => <Id id={peer.node} what="node id" /> },
  {
    title: "Path",
    cell: (peer) => <Word word={peer.path} />,
  },
  {
    title: "Round trip",
    isNumber: true,
    cell: (peer) => (peer.rtt_us === undefined ? "not measured" : roundTrip(peer.rtt_us)),
  },
  { title: "Region", cell: (peer) => peer.region ?? "not known", isExtra: true },
  { title: "Address", cell: (peer) => <span className="mono break">{clean(peer.address)}</span>, isExtra: true },
  { title: "Software", cell: (peer) => clean(peer.agent), isExtra: true },
];

function Peers() {
  return (
    <Shown read={useQuery(queries.peers)} what="peers">
      {({ peers }) =>
        peers.length === 0 ? (
          <Empty title="No peers yet">
            Invite a machine, then run <span className="mono">opensky up --join TOKEN</span> there.
          </Empty>
        ) : (
          <DataTable label="Peers" rows={peers} columns={PEER_COLUMNS} rowKey={(peer) => peer.node} />
        )
      }
    </Shown>
  );
}

const LEVELS: Level[] = ["function", "vm", "container"];

const OFFER_COLUMNS: Column<OfferView>[] = [
  { title: "Node", cell: (offer) => <Id id={offer.node} what="node id" /> },
  { title: "Region", cell: (offer) => offer.region, isExtra: true },
  {
    title: "Slots free",
    isNumber: true,
    cell: (offer) => (offer.note ? clean(offer.note) : `${offer.slots_free} of ${offer.slots_total}`),
  },
  { title: "Levels", cell: (offer) => offer.levels.join(", "), isExtra: true },
  { title: "Price", isNumber: true, cell: (offer) => credits(offer.price_per_gfuel) },
  { title: "Kinds", cell: (offer) => offer.kinds.join(", "), isExtra: true },
  { title: "Cores", isNumber: true, cell: (offer) => offer.hardware.cpu_cores, isExtra: true },
  { title: "Score", isNumber: true, cell: (offer) => count(offer.hardware.score_per_core), isExtra: true },
  { title: "Memory", isNumber: true, cell: (offer) => bytes(offer.hardware.memory_bytes), isExtra: true },
  { title: "Processor", cell: (offer) => clean(offer.hardware.cpu_model), isExtra: true },
];

interface Wanted {
  region?: string;
  level?: string;
  find?: string;
}

function fits(offer: OfferView, { region, level, find }: Wanted): boolean {
  if (region && offer.region !== region) return false;
  if (level && !offer.levels.some((one) => one === level)) return false;
  const words = [offer.node, offer.region, offer.hardware.cpu_model, ...offer.kinds, ...offer.levels].join(" ").toLowerCase();
  return words.includes((find ?? "").toLowerCase());
}

function Offers() {
  const { region, level, find } = route.useSearch();
  const navigate = route.useNavigate();
  const filter = (change: Wanted) =>
    void navigate({ search: (now) => ({ ...now, ...change }), replace: true });
  return (
    <Shown read={useQuery(queries.offers)} what="offers">
      {({ offers }) => {
        const regions = [...new Set(offers.map((offer) => offer.region))].sort();
        const shown = offers.filter((offer) => fits(offer, { region, level, find }));
        return (
          <Stack gap="sm">
            <Group>
              <TextInput
                aria-label="Find offers"
                placeholder="Node, processor, kind"
                defaultValue={find}
                onChange={(event) => filter({ find: event.currentTarget.value || undefined })}
              />
              <Select
                aria-label="Region"
                placeholder="Any region"
                clearable
                clearButtonProps={{ "aria-label": "Any region" }}
                data={regions}
                value={region ?? null}
                onChange={(value) => filter({ region: value ?? undefined })}
              />
              <Select
                aria-label="Level"
                placeholder="Any level"
                clearable
                clearButtonProps={{ "aria-label": "Any level" }}
                data={LEVELS}
                value={level ?? null}
                onChange={(value) => filter({ level: value ?? undefined })}
              />
              <Text size="sm" c="dimmed" role="status">
                {shown.length} of {plural(offers.length, "offer")}
              </Text>
            </Group>
            {shown.length === 0 ? (
              <Empty title="No offer fits" />
            ) : (
              <DataTable label="Offers" rows={shown} columns={OFFER_COLUMNS} rowKey={(offer) => offer.node} />
            )}
          </Stack>
        );
      }}
    </Shown>
  );
}

const MEMBER_COLUMNS: Column<MemberView>[] = [
  { title: "Node", cell: (member) => <Id id={member.node} what="node id" /> },
  {
    title: "Now",
    cell: (member) => <Word word={member.connected ? "connected" : "away"} />,
  },
  { title: "Joined", cell: (member) => (member.joined_at === undefined ? "founder" : moment(member.joined_at)) },
  {
    title: "Invited by",
    cell: (member) => (member.invited_by ? <Id id={member.invited_by} what="node id" /> : "nobody"),
    isExtra: true,
  },
];

function Members() {
  return (
    <Shown read={useQuery(queries.members)} what="members">
      {({ members }) =>
        members.length === 0 ? (
          <Empty title="No other members are known yet" />
        ) : (
          <DataTable label="Members" rows={members} columns={MEMBER_COLUMNS} rowKey={(member) => member.node} />
        )
      }
    </Shown>
  );
}

const INVITE_COLUMNS: Column<InviteView>[] = [
  { title: "Token", cell: (invite) => <Id id={invite.token} what="token" /> },
  { title: "Used", isNumber: true, cell: (invite) => `${invite.used_by.length} of ${invite.uses_max}` },
  {
    title: "Works until",
    cell: (invite) => (invite.expires_at < Date.now() ? "over" : moment(invite.expires_at)),
  },
];

function Invites() {
  return (
    <Shown read={useQuery(queries.invites)} what="invites">
      {({ invites }) =>
        invites.length === 0 ? (
          <Empty title="No invites yet">An invite is a token that lets a machine into this sky.</Empty>
        ) : (
          <DataTable label="Invites" rows={invites} columns={INVITE_COLUMNS} rowKey={(invite) => invite.token} />
        )
      }
    </Shown>
  );
}

const HOUR_MS = 3_600_000;

function InviteForm() {
  const [uses, setUses] = useState(1);
  const [hours, setHours] = useState(1);
  const [lan, setLan] = useState(false);
  const make = useAct({
    does: (request: InviteRequest) => ask<InviteView>("/v1/invites", { method: "POST", json: request }),
    changes: [queries.invites.queryKey],
  });
  if (make.data) return <Token invite={make.data} />;
  return (
    <Stack>
      <NumberInput label="Machines" min={1} max={1000} value={uses} onChange={(value) => setUses(Number(value))} />
      <NumberInput label="Hours" min={1} max={8760} value={hours} onChange={(value) => setHours(Number(value))} />
      <Switch
        label="Also let in machines on this network without a token"
        checked={lan}
        onChange={(event) => setLan(event.currentTarget.checked)}
      />
      <Button
        loading={make.isPending}
        disabled={uses < 1 || hours < 1}
        onClick={() => make.mutate({ uses_max: uses, valid_ms: hours * HOUR_MS, lan })}
      >
        Make an invite
      </Button>
    </Stack>
  );
}

function Token({ invite }: { invite: InviteView }) {
  const command = `opensky up --join ${invite.token}`;
  return (
    <Stack gap="xs">
      <Text size="sm">
        Whoever has this can join, until {moment(invite.expires_at)}. Run it on the other machine:
      </Text>
      <pre className="text-block" tabIndex={0} aria-label="Command to join">
        {command}
      </pre>
      <Group gap="xs">
        <Copy text={command} what="command" />
        <Text size="sm">Copy the command</Text>
        <Copy text={invite.token} what="token" />
        <Text size="sm">Copy the token</Text>
      </Group>
    </Stack>
  );
}
