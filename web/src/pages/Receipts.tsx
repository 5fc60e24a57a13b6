import { Alert, Button, Code, Group, Stack, TextInput } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import * as queries from "../api/queries";
import type { ReceiptView } from "../api/types";
import { credits } from "../lib/amount";
import { bytes, count, duration, moment } from "../lib/format";
import { Word } from "../parts/Badges";
import { Id } from "../parts/Id";
import { Facts, Page, Panel } from "../parts/Page";
import { Empty, Shown } from "../parts/Standing";

const route = getRouteApi("/receipts");

export function ReceiptsPage() {
  const { id } = route.useSearch();
  const navigate = route.useNavigate();
  const [text, setText] = useState(id ?? "");
  const isId = /^[0-9a-f]{64}$/.test(text.trim());
  return (
    <Page title="Receipts">
      <Panel>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            if (isId) void navigate({ search: { id: text.trim() } });
          }}
        >
          <Group align="flex-end">
            <TextInput
              label="Receipt"
              description="its id, as the runs of a job show it"
              flex={1}
              miw={220}
              value={text}
              error={text !== "" && !isId && "64 hexadecimal digits"}
              onChange={(event) => setText(event.currentTarget.value)}
            />
            <Button type="submit" disabled={!isId}>
              Show
            </Button>
          </Group>
        </form>
      </Panel>
      <Panel>
        {id ? (
          <Receipt key={id} id={id} />
        ) : (
          <Empty title="Every run leaves a receipt">
            Open a <Link to="/jobs" className="link">job</Link>, choose a task, and follow its receipt.
          </Empty>
        )}
      </Panel>
    </Page>
  );
}

const VOUCHED = {
  claimed: "The provider alone vouches for it.",
  rejected: "The provider vouches for it; the consumer saw it and did not accept it.",
  accepted: "Provider and consumer both signed it.",
};

function Receipt({ id }: { id: string }) {
  return (
    <Shown read={useQuery(queries.receipt(id))} what="the receipt">
      {(receipt) => (
        <Stack>
          <Group>
            <Word word={receipt.standing} />
            <Button variant="default" size="xs" onClick={() => save(receipt)}>
              Save as a file
            </Button>
          </Group>
          <Facts rows={facts(receipt)} />
          <Alert color="blue" variant="light" title={VOUCHED[receipt.standing]}>
            The node checked its proof. To check it yourself, offline and without this node, save the file and run{" "}
            <Code>opensky verify receipt-{receipt.id.slice(0, 8)}.json</Code>
          </Alert>
        </Stack>
      )}
    </Shown>
  );
}

function facts(receipt: ReceiptView): [string, React.ReactNode][] {
  const { usage } = receipt;
  return [
    ["Receipt", <Id key="id" id={receipt.id} what="receipt id" />],
    [
      "Job",
      <Link key="job" to="/jobs/$job" params={{ job: receipt.job }} search={{ task: receipt.task }} className="link">
        {receipt.job}, task {receipt.task}
      </Link>,
    ],
    ["Provider", <Id key="provider" id={receipt.provider} what="node id" />],
    ["Consumer", <Id key="consumer" id={receipt.consumer} what="node id" />],
    ["Program", <Id key="program" id={receipt.program} what="hash" />],
    ["Input", <Id key="input" id={receipt.input} what="hash" />],
    ["Result", <Id key="output" id={receipt.output} what="hash" />],
    ["Ran to its end", receipt.exited ? "yes" : "no"],
    ["Fuel", count(usage.fuel)],
    ["Memory", bytes(usage.memory_peak_bytes)],
    ["Time", duration(usage.wall_us / 1000)],
    ["Price", `${credits(receipt.price)} credits`],
    ["Engine", receipt.engine],
    ["From", moment(receipt.started_at)],
    ["To", moment(receipt.ended_at)],
  ];
}

function save(receipt: ReceiptView) {
  const url = URL.createObjectURL(new Blob([JSON.stringify(receipt, null, 2)], { type: "application/json" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `receipt-${receipt.id.slice(0, 8)}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
