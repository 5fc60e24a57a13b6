import { SimpleGrid, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type LiveBlock, useBlocks } from "../api/live";
import * as queries from "../api/queries";
import type { HeadView, LedgerView, ValidatorView } from "../api/types";
import { credits } from "../lib/amount";
import { clean, count, duration, moment, plural } from "../lib/format";
import { Live, Word } from "../parts/Badges";
import { type Column, DataTable } from "../parts/DataTable";
import { Id } from "../parts/Id";
import { Facts, Figure, Page, Panel } from "../parts/Page";
import { Sentence, When } from "../parts/Sentence";
import { Empty, Shown } from "../parts/Standing";

export function LedgerPage() {
  const ledger = useQuery(queries.ledger);
  const { blocks, head, open } = useBlocks();
  return (
    <Page title="Ledger" actions={<Live open={open} />}>
      <Shown read={ledger} what="the ledger">
        {(data) => <Head ledger={data} head={newest(data.head, head)} />}
      </Shown>
      <Panel title="Latest blocks">
        {blocks.length === 0 ? (
          <Empty title="No block since this page was opened">
            Blocks are made when there is something to write, and now and then to show that all is well.
          </Empty>
        ) : (
          <DataTable label="Latest blocks" rows={blocks} columns={BLOCKS} rowKey={(block) => String(block.head.height)} />
        )}
      </Panel>
      <Validators />
    </Page>
  );
}

function newest(read: HeadView, told: HeadView | undefined): HeadView {
  return told && told.height > read.height ? told : read;
}

function Head({ ledger, head }: { ledger: LedgerView; head: HeadView }) {
  return (
    <>
      <Panel>
        <SimpleGrid cols={{ base: 2, md: 4 }}>
          <Figure name="Height" value={count(head.height)} note={moment(head.at)} />
          <Figure name="This node" value={ledger.role} note={clean(ledger.role_note)} />
          <Figure name="Waiting" value={plural(ledger.waiting, "transaction")} />
          <Figure name="Epoch" value={count(head.epoch)} note={`${plural(ledger.params.epoch_blocks, "block")} each`} />
        </SimpleGrid>
      </Panel>
      <SimpleGrid cols={{ base: 1, md: 2 }}>
        <Panel title="State">
          <Facts
            rows={[
              ["Root", <Id key="root" id={head.state} what="state root" />],
              ["Block", <Id key="block" id={head.block} what="block id" />],
              ["Entries", count(ledger.entries)],
              ["Sky", <Id key="sky" id={ledger.sky} what="sky id" />],
            ]}
          />
        </Panel>
        <Panel title="Rules">
          <Facts
            rows={[
              ["Version", String(ledger.rules)],
              ["Prices", ledger.economy_free ? "none" : "yes"],
              ["Transactions of a block", `at most ${count(ledger.params.transactions_max)}`],
              ["Stake on its way out", duration(ledger.params.unbonding_ms)],
            ]}
          />
        </Panel>
      </SimpleGrid>
    </>
  );
}

const BLOCKS: Column<LiveBlock>[] = [
  { title: "Height", isNumber: true, cell: ({ head }) => count(head.height) },
  { title: "Time", cell: ({ head }) => <When at={head.at} /> },
  { title: "Transactions", isNumber: true, cell: ({ transactions }) => count(transactions.length) },
  {
    title: "Income",
    isNumber: true,
    cell: ({ income_micros }) => (income_micros > 0 ? credits(income_micros) : ""),
  },
  {
    title: "What happened",
    cell: ({ sentences }) => (
      <Text size="sm" lineClamp={2} component="div">
        <Sentence text={sentences.join("; ")} />
      </Text>
    ),
    isExtra: true,
  },
  { title: "State", cell: ({ head }) => <Id id={head.state} what="state root" />, isExtra: true },
];

const VALIDATORS: Column<ValidatorView>[] = [
  {
    title: "Node",
    cell: (validator) => (
      <>
        <Id id={validator.node} what="node id" />{" "}
        {validator.is_own && <Word word="this node" />}
      </>
    ),
  },
  { title: "Votes", cell: (validator) => (validator.votes_now ? "now" : "not now") },
  { title: "Next epoch", cell: (validator) => (validator.is_candidate ? "candidate" : "no"), isExtra: true },
  { title: "Stake", isNumber: true, cell: (validator) => credits(validator.staked_micros), isExtra: true },
  {
    title: "Reputation",
    cell: ({ reputation }) => `${reputation.score}, ${reputation.tier}`,
    isExtra: true,
  },
];

function Validators() {
  const validators = useQuery(queries.validators);
  return (
    <Panel title="Validators">
      <Shown read={validators} what="validators">
        {(data) => (
          <DataTable label="Validators" rows={data.validators} columns={VALIDATORS} rowKey={({ node }) => node} />
        )}
      </Shown>
    </Panel>
  );
}
