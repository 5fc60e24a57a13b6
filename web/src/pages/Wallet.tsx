import { Alert, Button, Group, Modal, SimpleGrid, Stack, Table, Text, TextInput } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { ask } from "../api/client";
import * as queries from "../api/queries";
import type { AutoTransfers, AutoTransferView, HistoryLine, TransactionView, Wallet } from "../api/types";
import { credits, parseCredits } from "../lib/amount";
import { clean, duration, moment } from "../lib/format";
import { Word } from "../parts/Badges";
import { type Column, DataTable } from "../parts/DataTable";
import { Id } from "../parts/Id";
import { MoneyCharts } from "../parts/MoneyCharts";
import { Facts, Figure, Page, Panel } from "../parts/Page";
import { Sentence, When } from "../parts/Sentence";
import { Empty, Shown } from "../parts/Standing";
import { TabbedPanel } from "../parts/Tabs";
import { useAct } from "../parts/acting";
import { ActButton } from "../parts/may";

const route = getRouteApi("/wallet");
const CHANGES = [queries.wallet.queryKey, queries.history.queryKey];

export function WalletPage() {
  const { tab } = route.useSearch();
  const navigate = route.useNavigate();
  const wallet = useQuery(queries.wallet);
  return (
    <Page title="Wallet">
      <Shown read={wallet} what="the wallet">
        {(data) => (
          <>
            <Money wallet={data} />
            {data.economy_free ? (
              <Panel>
                <Empty title="Work in this sky is free">
                  There is no money to move. A sky with prices is founded with{" "}
                  <span className="mono">opensky up --economy paid</span>.
                </Empty>
              </Panel>
            ) : (
              <TabbedPanel
                tab={tab}
                onTab={(chosen) => void navigate({ search: { tab: chosen }, replace: true })}
                tabs={[
                  { name: "history", title: "History", shown: <History /> },
                  { name: "charts", title: "Charts", shown: <MoneyCharts wallet={data} /> },
                  { name: "transfer", title: "Transfer", shown: <Transfer /> },
                  { name: "stake", title: "Stake", shown: <Stake wallet={data} /> },
                  { name: "automatic", title: "Automatic", shown: <Automatic /> },
                ]}
              />
            )}
          </>
        )}
      </Shown>
    </Page>
  );
}

function Money({ wallet }: { wallet: Wallet }) {
  const { total } = wallet;
  const own = wallet.accounts.find((account) => account.is_own);
  return (
    <Panel>
      <SimpleGrid cols={{ base: 1, xs: 2, md: 4 }} mb="md">
        <Figure
          name="Available"
          value={credits(total.free_micros + total.granted_micros)}
          note={total.granted_micros > 0 ? `${credits(total.granted_micros)} of it granted` : "credits"}
        />
        <Figure
          name="Put aside for work"
          value={total.escrow_micros === undefined ? "not known" : credits(total.escrow_micros)}
        />
        <Figure
          name="At stake"
          value={credits(total.staked_micros)}
          note={total.unbonding_micros > 0 ? `${credits(total.unbonding_micros)} on its way out` : undefined}
        />
        <Figure name="Owed" value={credits(total.debt_micros)} />
      </SimpleGrid>
      <Facts
        rows={[
          ["Account", <Id key="id" id={wallet.account} what="account id" />],
          ["Reputation", own ? `${own.reputation.score} of 1000, ${own.reputation.tier}` : "none"],
          ["Read after block", String(wallet.head.height)],
          ...(wallet.accounts.length > 1 ? [["Accounts", String(wallet.accounts.length)] as [string, string]] : []),
        ]}
      />
    </Panel>
  );
}

const SIGNS = { in: "+", out: "−", none: "" };

const COLUMNS: Column<HistoryLine>[] = [
  { title: "When", cell: (line) => <When at={line.at} /> },
  {
    title: "What",
    cell: (line) => <Word word={line.kind} />,
  },
  {
    title: "Credits",
    isNumber: true,
    cell: (line) => (line.amount_micros === undefined ? "" : SIGNS[line.direction] + credits(line.amount_micros)),
  },
  { title: "With", cell: (line) => line.other && <Id id={line.other} what="account id" />, isExtra: true },
  {
    title: "In words",
    cell: (line) => <Sentence text={line.memo ? `${line.sentence} (${line.memo})` : line.sentence} />,
    isExtra: true,
  },
];

function History() {
  const history = useInfiniteQuery(queries.history);
  return (
    <Shown read={history} what="the history">
      {({ pages }) => {
        const lines = pages.flatMap((page) => page.lines);
        if (lines.length === 0) return <Empty title="Nothing has happened yet" />;
        return (
          <>
            <DataTable label="History" rows={lines} columns={COLUMNS} rowKey={(line) => `${line.place} ${line.kind}`} />
            {history.hasNextPage && (
              <Button variant="default" mt="sm" onClick={() => void history.fetchNextPage()}>
                Older
              </Button>
            )}
          </>
        );
      }}
    </Shown>
  );
}

interface Moving {
  /** The route. */
  path: string;
  fields: object;
}

/** Tries a transaction out, shows what it would do, and sends it once confirmed. */
function useMove(done: () => void) {
  const [asked, setAsked] = useState<Moving>();
  const call = ({ path, fields }: Moving, dry_run: boolean) =>
    ask<TransactionView>(path, { method: "POST", json: { ...fields, dry_run } });
  const preview = useAct({ does: (moving: Moving) => (setAsked(undefined), call(moving, true)) });
  const send = useAct({
    does: (moving: Moving) => call(moving, false),
    done: ({ sentence }) => `Sent: ${clean(sentence ?? "")}`,
    changes: CHANGES,
    then: () => (setAsked(undefined), done()),
  });
  const start = (moving: Moving) => preview.mutate(moving, { onSuccess: () => setAsked(moving) });
  const modal = (
    <Modal
      opened={asked !== undefined}
      onClose={() => setAsked(undefined)}
      title="Do this?"
      closeButtonProps={{ "aria-label": "Close" }}
    >
      <Stack>
        {/* Ids in full: two accounts may look alike when shortened. */}
        <Text className="break">{clean(preview.data?.sentence ?? "")}</Text>
        <Text size="sm" c="dimmed">
          The rules of the ledger allow it now. It cannot be undone.
        </Text>
        {preview.data?.happenings?.map(({ sentence }) => (
          <Text key={sentence} size="sm">
            <Sentence text={sentence} />
          </Text>
        ))}
        <Group justify="flex-end">
          <Button variant="default" onClick={() => setAsked(undefined)}>
            No
          </Button>
          <Button loading={send.isPending} onClick={() => asked && send.mutate(asked)}>
            Yes, send
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
  return { start, modal, isPending: preview.isPending };
}

const AMOUNT_ERROR = "an amount such as 1.5, with six decimals at most";
const isPayee = (text: string) => /^(osk1[a-z0-9]+|12D3KooW[A-Za-z0-9]+)$/.test(text.trim());

function Transfer() {
  const [form, setForm] = useState({ to: "", amount: "", memo: "" });
  const move = useMove(() => setForm({ to: "", amount: "", memo: "" }));
  const amount = parseCredits(form.amount);
  const isReady = isPayee(form.to) && amount !== undefined && amount > 0;
  const set = (change: Partial<typeof form>) => setForm((now) => ({ ...now, ...change }));
  return (
    <Stack maw={560}>
      <TextInput
        label="To"
        description="an account (osk1…) or a node (12D3KooW…)"
        value={form.to}
        error={form.to !== "" && !isPayee(form.to) && "neither an account nor a node"}
        onChange={(event) => set({ to: event.currentTarget.value })}
      />
      <TextInput
        label="Credits"
        inputMode="decimal"
        value={form.amount}
        error={form.amount !== "" && amount === undefined && AMOUNT_ERROR}
        onChange={(event) => set({ amount: event.currentTarget.value })}
      />
      <TextInput
        label="Memo"
        description="anyone can read it"
        maxLength={64}
        value={form.memo}
        onChange={(event) => set({ memo: event.currentTarget.value })}
      />
      <ActButton
        needs="owner"
        w="fit-content"
        disabled={!isReady}
        loading={move.isPending}
        onClick={() =>
          move.start({
            path: "/v1/wallet/transfer",
            fields: { to: form.to.trim(), amount_micros: amount, memo: form.memo },
          })
        }
      >
        Preview
      </ActButton>
      {move.modal}
    </Stack>
  );
}

function Stake({ wallet }: { wallet: Wallet }) {
  const [text, setText] = useState("");
  const move = useMove(() => setText(""));
  const amount = parseCredits(text);
  const isReady = amount !== undefined && amount > 0;
  const own = wallet.accounts.find((account) => account.is_own);
  const start = (path: string) => move.start({ path, fields: { amount_micros: amount } });
  return (
    <Stack maw={560}>
      <Text size="sm">
        Stake answers for a validator. {credits(own?.money.staked_micros ?? 0)} credits of this node are at stake.
      </Text>
      {own?.unbonding.map((part) => (
        <Text key={part.free_at} size="sm">
          {credits(part.amount_micros)} credits are free on {moment(part.free_at)}.
        </Text>
      ))}
      <TextInput
        label="Credits"
        inputMode="decimal"
        value={text}
        error={text !== "" && amount === undefined && AMOUNT_ERROR}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Group>
        <ActButton
          needs="owner"
          disabled={!isReady}
          loading={move.isPending}
          onClick={() => start("/v1/wallet/stake")}
        >
          Preview stake
        </ActButton>
        <ActButton
          needs="owner"
          variant="default"
          disabled={!isReady}
          loading={move.isPending}
          onClick={() => start("/v1/wallet/unstake")}
        >
          Preview unstake
        </ActButton>
      </Group>
      {move.modal}
    </Stack>
  );
}

function inWords({ when }: AutoTransferView): string {
  if (when.kind === "received") return `${when.percent}% of what is received`;
  if (when.kind === "above") return `what is above ${credits(when.threshold_micros)} credits`;
  return `${credits(when.amount_micros)} credits every ${duration(when.interval_ms)}`;
}

function Automatic() {
  const read = useQuery(queries.autoTransfers);
  const save = useAct({
    does: (json: AutoTransfers) => ask<AutoTransfers>("/v1/wallet/auto-transfers", { method: "PUT", json }),
    done: () => "Removed.",
    changes: [queries.autoTransfers.queryKey],
  });
  return (
    <Shown read={read} what="automatic transfers">
      {({ transfers }) => (
        <Stack>
          {transfers.length === 0 ? (
            <Empty title="No money moves by itself" />
          ) : (
            <Table>
              <Table.Thead>
                <Table.Tr>
                  <Table.Th>To</Table.Th>
                  <Table.Th>What</Table.Th>
                  <Table.Th>Stays</Table.Th>
                  <Table.Th>
                    <Text span size="sm" className="mantine-visually-hidden">
                      Change
                    </Text>
                  </Table.Th>
                </Table.Tr>
              </Table.Thead>
              <Table.Tbody>
                {transfers.map((transfer, at) => (
                  <Table.Tr key={`${transfer.to} ${inWords(transfer)}`}>
                    <Table.Td>
                      <Id id={transfer.to} what="account id" />
                    </Table.Td>
                    <Table.Td>{inWords(transfer)}</Table.Td>
                    <Table.Td>{credits(transfer.keep_micros ?? 0)}</Table.Td>
                    <Table.Td>
                      <ActButton
                        needs="owner"
                        size="xs"
                        variant="default"
                        onClick={() => save.mutate({ transfers: transfers.filter((_, other) => other !== at) })}
                      >
                        Remove
                      </ActButton>
                    </Table.Td>
                  </Table.Tr>
                ))}
              </Table.Tbody>
            </Table>
          )}
          <Alert color="gray" variant="light">
            <Text size="sm">
              New ones are made in a terminal: <span className="mono">opensky wallet auto-transfer add --help</span>
            </Text>
          </Alert>
        </Stack>
      )}
    </Shown>
  );
}
