import { Modal } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconUserPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import * as queries from "../api/queries";
import type { InviteView, MemberView, PeerView } from "../api/types";
import { clean, moment, roundTrip } from "../lib/format";
import { Word } from "../parts/Badges";
import { type Column, DataTable } from "../parts/DataTable";
import { Id } from "../parts/Id";
import { InviteForm } from "../parts/Invite";
import { Page } from "../parts/Page";
import { SkyMap } from "../parts/SkyMap";
import { Empty, Shown } from "../parts/Standing";
import { TabbedPanel } from "../parts/Tabs";
import { ActButton } from "../parts/may";

const route = getRouteApi("/sky");

export function SkyPage() {
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const [opened, invite] = useDisclosure();
  return (
    <Page
      title="Sky"
      actions={
        <ActButton needs="owner" leftSection={<IconUserPlus size={16} />} onClick={invite.open}>
          Invite a machine
        </ActButton>
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
          { name: "nodes", title: "Nodes", shown: <SkyMap /> },
          { name: "peers", title: "Peers", shown: <Peers /> },
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
