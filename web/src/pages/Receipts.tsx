import { Alert, Button, Code, FileButton, Group, Stack, Text, TextInput } from "@mantine/core";
import { IconShieldCheck, IconShieldQuestion, IconShieldX } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { type ReactNode, useRef, useState } from "react";
import * as queries from "../api/queries";
import type { ReceiptView } from "../api/types";
import { credits } from "../lib/amount";
import { bytes, clean, count, duration, moment } from "../lib/format";
import { numberOf } from "../lib/identity";
import { parseReceipt } from "../lib/receipt-file";
import { Word } from "../parts/Badges";
import { Id } from "../parts/Id";
import { Facts, Page, Panel } from "../parts/Page";
import { Empty, ErrorPanel, Loading, Shown } from "../parts/Standing";

const route = getRouteApi("/receipts");

export function ReceiptsPage() {
  const { id } = route.useSearch();
  const navigate = route.useNavigate();
  const [text, setText] = useState(id ?? "");
  const [file, setFile] = useState<File>();
  const forget = useRef<() => void>(null);
  const isId = /^[0-9a-f]{64}$/.test(text.trim());
  return (
    <Page title="Receipts">
      <Panel>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            setFile(undefined);
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
            <FileButton
              accept=".json"
              resetRef={forget}
              onChange={(given) => {
                if (given) setFile(given);
                // So that the same file can be chosen again once it was written anew.
                forget.current?.();
              }}
              inputProps={{ "aria-label": "Receipt file" }}
            >
              {(props) => (
                <Button variant="default" {...props}>
                  Check a file
                </Button>
              )}
            </FileButton>
          </Group>
        </form>
      </Panel>
      <Panel>
        {file ? (
          <Given key={numberOf(file)} file={file} />
        ) : id ? (
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
        <Sheet receipt={receipt}>
          <Button variant="default" size="xs" onClick={() => save(receipt)}>
            Save as a file
          </Button>
        </Sheet>
      )}
    </Shown>
  );
}

/** A receipt from a file, wherever it is from: nothing of it is sent anywhere. */
function Given({ file }: { file: File }) {
  const read = useQuery({
    // Each choice is another file, whatever its name: it may have been written anew meanwhile.
    queryKey: ["receipts", "file", numberOf(file)],
    queryFn: async () => parseReceipt(await file.text()),
    // It says the same each time it is read.
    retry: false,
    staleTime: Number.POSITIVE_INFINITY,
  });
  return (
    <Shown read={read} what="the file">
      {(receipt) => (
        <Sheet receipt={receipt}>
          <Text size="sm" c="dimmed" className="break">
            from the file {clean(file.name)}
          </Text>
        </Sheet>
      )}
    </Shown>
  );
}

function Sheet({ receipt, children }: { receipt: ReceiptView; children: ReactNode }) {
  return (
    <Stack>
      <Check receipt={receipt} />
      <Group>
        <Word word={receipt.standing} />
        {children}
      </Group>
      <Facts rows={facts(receipt)} />
    </Stack>
  );
}

/** This page checks the proof itself, whatever the node says. */
function Check({ receipt }: { receipt: ReceiptView }) {
  const { data, error } = useQuery({
    queryKey: ["receipts", "checked", numberOf(receipt)],
    queryFn: async () => (await import("../lib/receipt")).checkReceipt(receipt),
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (error) return <ErrorPanel error={error} />;
  if (!data) return <Loading what="the proof" />;
  if (data.holds !== true) {
    const isUnknown = data.holds === "unknown";
    return (
      <Alert
        color={isUnknown ? "yellow" : "red"}
        icon={isUnknown ? <IconShieldQuestion aria-hidden /> : <IconShieldX aria-hidden />}
        title={isUnknown ? "This receipt cannot be checked here" : "This receipt does not hold"}
      >
        {data.reason}
      </Alert>
    );
  }
  return (
    <Alert color="green" variant="light" icon={<IconShieldCheck aria-hidden />} title={`Checked in this browser. ${VOUCHED[data.standing]}`}>
      Signatures, place in the batch and every line below were checked here; no word of the node was taken for it. The
      same without a browser: save the file and run <Code>opensky verify receipt-{receipt.id.slice(0, 8)}.json</Code>
    </Alert>
  );
}

function facts(receipt: ReceiptView): [string, ReactNode][] {
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
    ["Engine", clean(receipt.engine)],
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
