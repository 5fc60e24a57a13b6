// Who else may use this node: API keys, browsers that are logged in, and what all of them did.

import { Alert, Group, Modal, Select, Stack, Text, TextInput } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { type ReactNode, useMemo, useState } from "react";
import { ask, query } from "../api/client";
import { useText } from "../api/live";
import * as queries from "../api/queries";
import type { KeyRequest, Keys, KeyView, NewKey, OpenSessions, OpenSessionView, Role } from "../api/types";
import { type Audit, auditOf, noneWords } from "../lib/audit";
import { ago, clean, moment, plural } from "../lib/format";
import { MEANING, openerOf, ROLES, spendWords } from "../lib/roles";
import { Live, Word } from "../parts/Badges";
import { type Column, DataTable } from "../parts/DataTable";
import { Copy } from "../parts/Id";
import { Page, Panel } from "../parts/Page";
import { When } from "../parts/Sentence";
import { Empty, ErrorPanel, Shown } from "../parts/Standing";
import { TabbedPanel } from "../parts/Tabs";
import { useAct } from "../parts/acting";
import { ActButton, useWhyNot } from "../parts/may";

const route = getRouteApi("/keys");
const CLOSE = { "aria-label": "Close" };

export function KeysPage() {
  const reason = useWhyNot("owner");
  if (reason) {
    return (
      <Page title="Keys">
        <Panel>
          <Empty title="Only owners see this page">It {reason}.</Empty>
        </Panel>
      </Page>
    );
  }
  return <OwnersPage />;
}

function OwnersPage() {
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const [isMaking, making] = useDisclosure();
  return (
    <Page
      title="Keys"
      actions={
        <ActButton needs="owner" leftSection={<IconPlus size={16} />} onClick={making.open}>
          New key
        </ActButton>
      }
    >
      {/* A press beside it would lose the secret, which is shown this once */}
      <Modal opened={isMaking} onClose={making.close} title="New key" closeButtonProps={CLOSE} closeOnClickOutside={false}>
        <KeyForm />
      </Modal>
      <TabbedPanel
        tab={tab}
        onTab={(chosen) => void navigate({ search: { tab: chosen }, replace: true })}
        tabs={[
          { name: "keys", title: "API keys", shown: <KeyList /> },
          { name: "sessions", title: "Browsers", shown: <SessionList /> },
          { name: "audit", title: "Who did what", shown: <AuditLog /> },
        ]}
      />
    </Page>
  );
}

/** Shown if a key has one. */
const SPENDING: Column<KeyView> = { title: "Spent", cell: ({ spend }) => spendWords(spend) };

const isOver = ({ expires_at }: KeyView) => expires_at !== undefined && expires_at <= Date.now();

function keyColumns(onRevoke: (key: KeyView) => void): Column<KeyView>[] {
  return [
    { title: "Name", cell: (key) => <span className="break">{clean(key.name)}</span> },
    { title: "Role", cell: ({ role }) => role },
    { title: "Made", cell: (key) => moment(key.created_at), isExtra: true },
    {
      title: "Works until",
      cell: (key) => (isOver(key) ? <Word word="over" /> : key.expires_at === undefined ? "you revoke it" : moment(key.expires_at)),
    },
    {
      title: "Revoke",
      isNumber: true,
      cell: (key) => (
        <ActButton
          needs="owner"
          size="xs"
          variant="default"
          aria-label={`Revoke ${clean(key.name)}`}
          onClick={() => onRevoke(key)}
        >
          Revoke
        </ActButton>
      ),
    },
  ];
}

/** What may be spent stands beside the role. */
const columnsFor = (keys: KeyView[], columns: Column<KeyView>[]) =>
  keys.some(({ spend }) => spend) ? [...columns.slice(0, 2), SPENDING, ...columns.slice(2)] : columns;

function KeyList() {
  const keys = useQuery(queries.keys);
  const [revoked, setRevoked] = useState<KeyView>();
  const columns = useMemo(() => keyColumns(setRevoked), []);
  return (
    <>
      <Modal
        opened={revoked !== undefined}
        onClose={() => setRevoked(undefined)}
        title="Revoke this key?"
        closeButtonProps={CLOSE}
      >
        {revoked && <Revocation keyView={revoked} onEnd={() => setRevoked(undefined)} />}
      </Modal>
      <Shown read={keys} what="keys">
        {({ keys: all }) =>
          all.length === 0 ? (
            <Empty title="No keys yet">
              A key lets a program, or somebody’s browser, use this node as far as its role goes.
            </Empty>
          ) : (
            <DataTable label="API keys" rows={all} columns={columnsFor(all, columns)} rowKey={(key) => key.name} />
          )
        }
      </Shown>
    </>
  );
}

function Revocation({ keyView, onEnd }: { keyView: KeyView; onEnd: () => void }) {
  const revoke = useAct({
    does: () => ask<Keys>(`/v1/keys${query({ name: keyView.name })}`, { method: "DELETE" }),
    done: () => `Revoked: ${clean(keyView.name)}.`,
    changes: [queries.keys.queryKey, queries.sessions.queryKey],
    then: onEnd,
  });
  return (
    <Stack>
      <Text size="sm" className="break">
        {clean(keyView.name)} ({keyView.role}) works no longer from now on, nor does a browser that was logged in with it.
      </Text>
      <Group>
        <ActButton needs="owner" color="red" loading={revoke.isPending} onClick={() => revoke.mutate()}>
          Revoke
        </ActButton>
      </Group>
    </Stack>
  );
}

const DAY_MS = 86_400_000;
const LIVES: { value: string; label: string }[] = [
  { value: "1", label: "A day" },
  { value: "30", label: "30 days" },
  { value: "90", label: "90 days" },
  { value: "365", label: "A year" },
  { value: "", label: "Until it is revoked" },
];
const NAME_BYTES_MAX = 64;

function nameProblem(name: string): string | undefined {
  const length = new TextEncoder().encode(name).length;
  const isGood = length > 0 && length <= NAME_BYTES_MAX && !/[\s\p{Cc}]/u.test(name);
  return isGood ? undefined : `1 to ${NAME_BYTES_MAX} bytes, without spaces`;
}

function KeyForm() {
  const [name, setName] = useState("");
  const [role, setRole] = useState<Role>("viewer");
  const [days, setDays] = useState("90");
  const problem = nameProblem(name);
  const make = useAct({
    does: (request: KeyRequest) => ask<NewKey>("/v1/keys", { method: "POST", json: request }),
    changes: [queries.keys.queryKey],
  });
  if (make.data) return <Secret made={make.data} />;
  const request = { name, role, ...(days === "" ? {} : { valid_ms: Number(days) * DAY_MS }) };
  return (
    <Stack>
      <TextInput
        label="Name"
        description="what it is for"
        value={name}
        error={name !== "" && problem}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Select
        label="Role"
        description={MEANING[role]}
        data={ROLES}
        value={role}
        allowDeselect={false}
        comboboxProps={{ withinPortal: false }}
        onChange={(next) => next && setRole(next as Role)}
      />
      <Select
        label="Works for"
        data={LIVES}
        value={days}
        allowDeselect={false}
        comboboxProps={{ withinPortal: false }}
        onChange={(next) => setDays(next ?? "")}
      />
      <ActButton needs="owner" disabled={problem !== undefined} loading={make.isPending} onClick={() => make.mutate(request)}>
        Make the key
      </ActButton>
    </Stack>
  );
}

function Secret({ made }: { made: NewKey }) {
  return (
    <Stack gap="xs">
      <Alert color="yellow" variant="light" title="Copy it now">
        It is shown this once: the node keeps only its hash.
      </Alert>
      <pre className="text-block" tabIndex={0} aria-label="The key">
        {made.secret}
      </pre>
      <Group gap="xs">
        <Copy text={made.secret} what="key" />
        <Text size="sm">Copy the key</Text>
      </Group>
      <Text size="sm" c="dimmed">
        Programs send it as <span className="mono">Authorization: Bearer …</span>; people paste it where this page asks
        them to log in.
      </Text>
    </Stack>
  );
}

function SessionList() {
  const end = useAct({
    does: (id: string) => ask<OpenSessions>(`/v1/sessions${query({ id })}`, { method: "DELETE" }),
    done: () => "That browser is logged out.",
    changes: [queries.sessions.queryKey],
  });
  const columns: Column<OpenSessionView>[] = [
    {
      title: "Opened by",
      cell: (session) => (
        <Group gap={6}>
          <span className="break">{openerOf(session)}</span>
          {session.is_own && <Word word="this browser" />}
        </Group>
      ),
    },
    { title: "Role", cell: ({ role }) => role },
    { title: "Since", cell: (session) => ago(session.opened_at, Date.now()), isExtra: true },
    { title: "Until", cell: (session) => moment(session.expires_at), isExtra: true },
    {
      title: "Log out",
      isNumber: true,
      cell: (session) => (
        <ActButton
          needs="owner"
          size="xs"
          variant="default"
          disabled={session.is_own}
          title={session.is_own ? "use the button at the top right" : undefined}
          onClick={() => end.mutate(session.id)}
        >
          Log out
        </ActButton>
      ),
    },
  ];
  return (
    <Shown read={useQuery(queries.sessions)} what="browsers">
      {({ sessions }) =>
        sessions.length === 0 ? (
          <Empty title="No browser is logged in" />
        ) : (
          <DataTable label="Browsers" rows={sessions} columns={columns} rowKey={({ id }) => id} />
        )
      }
    </Shown>
  );
}

const LINES = 10_000;

const AUDITS: Column<Audit>[] = [
  { title: "When", cell: ({ at }) => <When at={at} /> },
  { title: "Who", cell: ({ caller }) => <span className="break">{clean(caller ?? "")}</span> },
  { title: "What", cell: ({ what }) => <span className="mono break">{clean(what)}</span> },
  { title: "Answer", isNumber: true, cell: ({ status }): ReactNode => status ?? "" },
];

function AuditLog() {
  const log = useText(`/v1/logs?follow=true&lines=${LINES}`);
  const [find, setFind] = useState("");
  const all = useMemo(() => auditOf(log.text), [log.text]);
  const none = noneWords(find, { read: log.text.length, all: all.length });
  const shown = all.filter(({ caller, what }) => `${caller ?? ""} ${what}`.toLowerCase().includes(find.toLowerCase()));
  return (
    <Stack gap="sm">
      <Group>
        <TextInput
          aria-label="Find in the audit log"
          placeholder="Who or what"
          value={find}
          onChange={(event) => setFind(event.currentTarget.value)}
        />
        <Live open={log.state === "reading"} />
        <Text size="sm" c="dimmed">
          {plural(shown.length, "change")} in the newest part of the node’s log
        </Text>
      </Group>
      {log.state === "failed" && <ErrorPanel error={new Error("The log cannot be read.")} />}
      {shown.length === 0 ? (
        (log.state !== "failed" || all.length > 0) && <Empty title={none.title}>{none.text}</Empty>
      ) : (
        <DataTable label="Who did what" rows={shown} columns={AUDITS} rowKey={({ line }) => String(line)} />
      )}
    </Stack>
  );
}
