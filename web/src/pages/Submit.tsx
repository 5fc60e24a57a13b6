import {
  Alert,
  Button,
  Code,
  FileButton,
  Group,
  NumberInput,
  SegmentedControl,
  Select,
  SimpleGrid,
  Stack,
  Switch,
  Text,
  Textarea,
  TextInput,
} from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { ask } from "../api/client";
import * as queries from "../api/queries";
import type { BlobRef, QuoteView, Submitted } from "../api/types";
import { credits } from "../lib/amount";
import { bytes, plural } from "../lib/format";
import { type Check, EMPTY, type Form, problemsOf, requestOf, type Shape, type Uploaded } from "../lib/submission";
import { Facts, Page, Panel } from "../parts/Page";
import { useAct } from "../parts/acting";

const upload = (body: Blob) => ask<BlobRef>("/v1/blobs", { method: "POST", body });

interface Chosen {
  program?: File;
  stdin: string;
  files: File[];
}

async function uploadAll(form: Form, { program, stdin, files }: Chosen): Promise<Uploaded> {
  if (!program) throw new Error("There is no program yet.");
  const uploaded: Uploaded = { program: await upload(program), files: [] };
  if (form.shape === "one" && stdin !== "") uploaded.stdin = await upload(new Blob([stdin]));
  if (form.shape === "files") {
    for (const file of files) uploaded.files.push({ name: file.name, ...(await upload(file)) });
  }
  return uploaded;
}

export function SubmitPage() {
  const [form, setForm] = useState(EMPTY);
  const [chosen, setChosen] = useState<Chosen>({ stdin: "", files: [] });
  const navigate = useNavigate();
  const status = useQuery(queries.status);
  const set = (change: Partial<Form>) => setForm((now) => ({ ...now, ...change }));
  const problems = problemsOf(form, chosen.files.length);
  const isReady = chosen.program !== undefined && Object.keys(problems).length === 0;
  const take = (program: File) => {
    setChosen((now) => ({ ...now, program }));
    if (form.name === "") set({ name: program.name.replace(/\.wasm$/, "").slice(0, 64) });
  };
  const run = useAct({
    does: async () => {
      const json = requestOf(form, await uploadAll(form, chosen));
      return ask<Submitted>("/v1/jobs", { method: "POST", json });
    },
    done: ({ tasks }) => `Submitted: ${plural(tasks, "task")}.`,
    changes: [queries.jobs.queryKey],
    then: ({ job }) => void navigate({ to: "/jobs/$job", params: { job } }),
  });
  const quote = useAct({
    does: async () => {
      const json = requestOf(form, await uploadAll(form, chosen));
      return ask<QuoteView>("/v1/jobs/quote", { method: "POST", json });
    },
  });
  return (
    <Page title="New job">
      <Panel>
        <Stack>
          <Drop file={chosen.program} onFile={take} />
          <What form={form} set={set} problems={problems} />
          <Inputs form={form} set={set} problems={problems} chosen={chosen} setChosen={setChosen} />
          <How form={form} set={set} problems={problems} hasPrices={status.data?.sky.economy_free === false} />
          {quote.data && <Quote quote={quote.data} />}
          <Group>
            <Button disabled={!isReady} loading={run.isPending} onClick={() => run.mutate()}>
              Run
            </Button>
            <Button variant="default" disabled={!isReady} loading={quote.isPending} onClick={() => quote.mutate()}>
              Who could run it?
            </Button>
          </Group>
          <Text size="sm" c="dimmed">
            Jobs of several stages are described by a file and run from a terminal: <Code>opensky run job.toml</Code>
          </Text>
        </Stack>
      </Panel>
    </Page>
  );
}

function Drop({ file, onFile }: { file?: File; onFile: (file: File) => void }) {
  const [isOver, setIsOver] = useState(false);
  const [error, setError] = useState<string>();
  const take = (given: File | null | undefined) => {
    if (!given) return;
    const isWasm = given.name.endsWith(".wasm");
    setError(isWasm ? undefined : `${given.name} is not a .wasm program`);
    if (isWasm) onFile(given);
  };
  return (
    <div
      className="drop"
      data-over={isOver}
      onDragOver={(event) => (event.preventDefault(), setIsOver(true))}
      onDragLeave={() => setIsOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setIsOver(false);
        take(event.dataTransfer.files[0]);
      }}
    >
      <Stack align="center" gap="xs">
        <IconUpload aria-hidden />
        <Text fw={600}>{file ? `${file.name}, ${bytes(file.size)}` : "Drop a .wasm program here"}</Text>
        <FileButton onChange={take} accept=".wasm" inputProps={{ "aria-label": "Program" }}>
          {(props) => (
            <Button variant="default" size="xs" {...props}>
              {file ? "Choose another" : "Choose a file"}
            </Button>
          )}
        </FileButton>
        {error && (
          <Text c="red" size="sm" role="alert">
            {error}
          </Text>
        )}
      </Stack>
    </div>
  );
}

interface PartProps {
  form: Form;
  set: (change: Partial<Form>) => void;
  problems: ReturnType<typeof problemsOf>;
}

function What({ form, set, problems }: PartProps) {
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }}>
      <TextInput
        label="Name"
        description="for people"
        value={form.name}
        error={form.name !== "" && problems.name}
        onChange={(event) => set({ name: event.currentTarget.value })}
      />
      <TextInput
        label="Arguments"
        description="{item} stands for the task's own number or file"
        value={form.args}
        error={problems.args}
        onChange={(event) => set({ args: event.currentTarget.value })}
      />
    </SimpleGrid>
  );
}

interface InputsProps extends PartProps {
  chosen: Chosen;
  setChosen: (change: (now: Chosen) => Chosen) => void;
}

function Inputs({ form, set, problems, chosen, setChosen }: InputsProps) {
  const forms: Record<Shape, ReactNode> = {
    one: (
      <Textarea
        label="Standard input"
        autosize
        minRows={2}
        maxRows={10}
        value={chosen.stdin}
        onChange={({ currentTarget: { value } }) => setChosen((now) => ({ ...now, stdin: value }))}
      />
    ),
    numbers: (
      <Group align="flex-start">
        <NumberInput label="From" allowDecimal={false} value={form.from} onChange={(from) => set({ from: Number(from) })} />
        <NumberInput
          label="Up to, without"
          allowDecimal={false}
          value={form.to}
          error={problems.to}
          onChange={(to) => set({ to: Number(to) })}
        />
      </Group>
    ),
    files: (
      <Group>
        <FileButton multiple onChange={(files) => setChosen((now) => ({ ...now, files }))}>
          {(props) => (
            <Button variant="default" {...props}>
              Choose files
            </Button>
          )}
        </FileButton>
        <Text size="sm">{chosen.files.length === 0 ? problems.files : plural(chosen.files.length, "file")}</Text>
      </Group>
    ),
  };
  return (
    <Stack gap="xs">
      <Text size="sm" fw={600} id="shape">
        Tasks
      </Text>
      <SegmentedControl
        aria-labelledby="shape"
        w="fit-content"
        value={form.shape}
        onChange={(shape) => set({ shape: shape as Shape })}
        data={[
          { value: "one", label: "One" },
          { value: "numbers", label: "One a number" },
          { value: "files", label: "One a file" },
        ]}
      />
      {forms[form.shape]}
    </Stack>
  );
}

const CHECKS: { value: Check; label: string }[] = [
  { value: "none", label: "Believe the first result" },
  { value: "sample", label: "Run 5% again elsewhere" },
  { value: "quorum", label: "Two nodes must agree" },
  { value: "reputation", label: "As often as the node's standing asks" },
];

function How({ form, set, problems, hasPrices }: PartProps & { hasPrices: boolean }) {
  return (
    <SimpleGrid cols={{ base: 1, sm: 2, lg: 4 }}>
      <Select
        label="Checking"
        data={CHECKS}
        value={form.check}
        allowDeselect={false}
        onChange={(check) => check && set({ check: check as Check })}
      />
      <NumberInput
        label="Memory of a task, MiB"
        min={1}
        max={4096}
        value={form.memory_mib}
        onChange={(value) => set({ memory_mib: Number(value) })}
      />
      <NumberInput
        label="Time of a task, seconds"
        min={1}
        value={form.wall_s}
        onChange={(value) => set({ wall_s: Number(value) })}
      />
      {hasPrices && (
        <TextInput
          label="Budget, credits"
          placeholder="none"
          value={form.budget}
          error={problems.budget}
          onChange={(event) => set({ budget: event.currentTarget.value })}
        />
      )}
      <Switch
        mt="lg"
        label="Deterministic"
        checked={form.deterministic}
        onChange={(event) => set({ deterministic: event.currentTarget.checked })}
      />
    </SimpleGrid>
  );
}

function Quote({ quote }: { quote: QuoteView }) {
  const stage = quote.stages[0];
  const rows: [string, ReactNode][] = [["Nodes that fit", stage?.nodes.fitting ?? 0]];
  for (const { constraint, offers } of stage?.nodes.excluded ?? []) rows.push([`Excluded: ${constraint}`, offers]);
  if (!quote.economy_free) {
    rows.push(["Costs at most", `${credits(quote.cost_max_micros)} credits`]);
    if (quote.cost_expected_micros !== undefined) {
      rows.push(["Expected", `${credits(quote.cost_expected_micros)} credits`]);
    }
    rows.push(["Available", `${credits(quote.available_micros)} credits`]);
  }
  return (
    <Alert variant="light" color="blue" title={plural(stage?.tasks ?? 0, "task")}>
      <Facts rows={rows} />
    </Alert>
  );
}
