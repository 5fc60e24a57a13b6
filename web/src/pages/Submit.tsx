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
import { IconInfoCircle } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { ask, upload } from "../api/client";
import * as queries from "../api/queries";
import type { ImageView, QuoteView, Submitted } from "../api/types";
import { credits } from "../lib/amount";
import { bytes, clean, plural } from "../lib/format";
import {
  type Check,
  EMPTY,
  type Form,
  isOffered,
  MEMORY_MIN_MIB,
  problemsOf,
  requestOf,
  type Shape,
  type Uploaded,
  withDeterministic,
  withLevel,
} from "../lib/submission";
import { Drop, type Taken } from "../parts/Drop";
import { Facts, Page, Panel } from "../parts/Page";
import { useAct } from "../parts/acting";
import { ActButton } from "../parts/may";

interface Chosen {
  /** A file, or an image that the node keeps. */
  program?: File | ImageView;
  stdin: string;
  files: File[];
}

async function uploadAll(form: Form, { program, stdin, files }: Chosen): Promise<Uploaded> {
  if (!program) throw new Error("There is no program yet.");
  const { hash, size_bytes } = program instanceof File ? await upload(program) : program;
  const uploaded: Uploaded = { program: { hash, size_bytes }, files: [] };
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
  const take = (program: File | ImageView, kind: Taken) => {
    setChosen((now) => ({ ...now, program }));
    setForm((now) => ({
      ...withLevel(now, kind === "image" ? "container" : "vm"),
      name: now.name || nameFor(program),
    }));
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
    does: async (asked: { form: Form; chosen: Chosen }) => {
      const json = requestOf(asked.form, await uploadAll(asked.form, asked.chosen));
      return ask<QuoteView>("/v1/jobs/quote", { method: "POST", json });
    },
  });
  const isQuoted = quote.variables?.form === form && quote.variables.chosen === chosen;
  return (
    <Page title="New job">
      <Panel>
        <Stack>
          <Drop
            label="Program"
            takes={["program", "image"]}
            file={chosen.program instanceof File ? chosen.program : undefined}
            onFile={take}
          />
          <Kept
            chosen={chosen.program instanceof File ? undefined : chosen.program}
            onImage={(image) => take(image, "image")}
          />
          {form.level === "container" && <Unoffered form={form} />}
          <What form={form} set={set} problems={problems} />
          <Inputs form={form} set={set} problems={problems} chosen={chosen} setChosen={setChosen} />
          <How form={form} set={set} setForm={setForm} problems={problems} hasPrices={status.data?.sky.economy_free === false} />
          {quote.data && isQuoted && <Quote quote={quote.data} />}
          <Group>
            <ActButton needs="operator" disabled={!isReady} loading={run.isPending} onClick={() => run.mutate()}>
              Run
            </ActButton>
            <ActButton
              needs="operator"
              variant="default"
              disabled={!isReady}
              loading={quote.isPending}
              onClick={() => quote.mutate({ form, chosen })}
            >
              Who could run it?
            </ActButton>
          </Group>
          <Text size="sm" c="dimmed">
            Jobs of several stages are described by a file and run from a terminal: <Code>opensky run job.toml</Code>
          </Text>
        </Stack>
      </Panel>
    </Page>
  );
}

/** A job's name from what it runs. */
function nameFor({ name }: { name: string }): string {
  return [...name.replace(/\.(wasm|tar)$/, "")].slice(0, 64).join("");
}

function Kept({ chosen, onImage }: { chosen?: ImageView; onImage: (image: ImageView) => void }) {
  const { data, error } = useQuery(queries.images);
  const images = data?.images ?? [];
  const placeholder = error ? "They cannot be read" : data ? "None is kept" : "Reading…";
  return (
    <Select
      label="Or an image that this node keeps"
      description={
        <>
          Kept and removed on the page{" "}
          <Link to="/node" className="link-in-text">
            Node
          </Link>
        </>
      }
      placeholder={images.length === 0 ? placeholder : "Choose one"}
      disabled={images.length === 0}
      searchable
      allowDeselect={false}
      data={images.map((image) => ({ value: image.name, label: `${clean(image.name)}, ${bytes(image.size_bytes)}` }))}
      value={chosen?.name ?? null}
      onChange={(name) => {
        const image = images.find((one) => one.name === name);
        if (image) onImage(image);
      }}
    />
  );
}

function Unoffered({ form }: { form: Form }) {
  const { data } = useQuery(queries.offers);
  if (!data || isOffered(form, data.offers)) return null;
  return (
    <Alert variant="light" color="blue" icon={<IconInfoCircle aria-hidden />} title="No node runs images now">
      The job would wait for one: a node whose machine has Docker or Podman and whose setting{" "}
      <Code>containers</Code> is on.
    </Alert>
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

interface HowProps extends PartProps {
  setForm: (change: (now: Form) => Form) => void;
  hasPrices: boolean;
}

function How({ form, set, setForm, problems, hasPrices }: HowProps) {
  const isImage = form.level === "container";
  const same = isImage ? "Always writes the same" : "Deterministic";
  return (
    <>
      <Switch
        label={same}
        description={isImage ? "for the same input; results are compared byte by byte" : "fixed clock and randomness"}
        checked={form.deterministic}
        onChange={({ currentTarget: { checked } }) => setForm((now) => withDeterministic(now, checked))}
      />
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 4 }}>
        <Select
          label="Checking"
          description={form.deterministic ? "how results are verified" : `needs “${same}”`}
          data={CHECKS.map((check) => ({ ...check, disabled: !form.deterministic && check.value !== "none" }))}
          value={form.check}
          allowDeselect={false}
          onChange={(check) => check && set({ check: check as Check })}
        />
        <NumberInput
          label="Memory of a task, MiB"
          description={`at least ${MEMORY_MIN_MIB[form.level]}`}
          min={MEMORY_MIN_MIB[form.level]}
          max={isImage ? undefined : 4096}
          value={form.memory_mib}
          error={problems.memory}
          onChange={(value) => set({ memory_mib: Number(value) })}
        />
        <NumberInput
          label="Time of a task, seconds"
          description="then it is ended"
          min={1}
          value={form.wall_s}
          onChange={(value) => set({ wall_s: Number(value) })}
        />
        {hasPrices && (
          <TextInput
            label="Budget, credits"
            description="most that the job may cost"
            placeholder="none"
            value={form.budget}
            error={problems.budget}
            onChange={(event) => set({ budget: event.currentTarget.value })}
          />
        )}
      </SimpleGrid>
    </>
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
