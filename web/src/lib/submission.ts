// The form of a new job as what the node takes.

import type { BlobRef, InputsRequest, JobRequest, Level, ListOfNamedBlob, OfferView, VerifyView } from "../api/types";
import { parseCredits } from "./amount";
import { splitWords } from "./words";

export type Shape = "one" | "numbers" | "files";
export type Check = "none" | "sample" | "quorum" | "reputation";

export interface Form {
  level: Extract<Level, "vm" | "container">;
  name: string;
  args: string;
  shape: Shape;
  from: number;
  to: number;
  check: Check;
  memory_mib: number;
  wall_s: number;
  deterministic: boolean;
  budget: string;
}

export const EMPTY: Form = {
  level: "vm",
  name: "",
  args: "",
  shape: "one",
  from: 0,
  to: 10,
  check: "none",
  memory_mib: 256,
  wall_s: 600,
  deterministic: true,
  budget: "",
};

const VERIFY: Record<Check, VerifyView> = {
  none: { mode: "none" },
  sample: { mode: "sample", per_mille: 50 },
  quorum: { mode: "quorum", agree: 2, replicas: 2, replicas_max: 4 },
  reputation: { mode: "reputation" },
};

/** The form for another kind of program; what images write is not the same each time unless somebody says so. */
export function withLevel(form: Form, level: Form["level"]): Form {
  return level === form.level ? form : withDeterministic({ ...form, level }, level !== "container");
}

/** Only results that are the same each time can be compared. */
export function withDeterministic(form: Form, deterministic: boolean): Form {
  return { ...form, deterministic, check: deterministic ? form.check : "none" };
}

/** Whether a node offers to run what the form is about. */
export function isOffered({ level }: Form, offers: OfferView[]): boolean {
  return offers.some((offer) => offer.levels.includes(level));
}

/** Least memory of a task, in MiB. */
export const MEMORY_MIN_MIB: Record<Form["level"], number> = { vm: 1, container: 16 };

const MIB = 1024 * 1024;
const NAME_CHARS_MAX = 64;

/** What is wrong with the form, in words; nothing if it can be sent. */
export function problemsOf(form: Form, files: number): Partial<Record<"name" | "args" | "to" | "files" | "memory" | "budget", string>> {
  const problems: ReturnType<typeof problemsOf> = {};
  if (form.name.trim() === "" || [...form.name].length > NAME_CHARS_MAX) problems.name = "1 to 64 characters";
  if (splitWords(form.args) === undefined) problems.args = "a quote is left open";
  if (form.shape === "numbers" && form.to <= form.from) problems.to = "must be after the first";
  if (form.shape === "files" && files === 0) problems.files = "choose at least one file";
  if (form.memory_mib < MEMORY_MIN_MIB[form.level]) problems.memory = `at least ${MEMORY_MIN_MIB[form.level]}`;
  if (form.budget !== "" && parseCredits(form.budget) === undefined) problems.budget = "an amount such as 0.5";
  return problems;
}

/** An input and its name. */
type NamedBlob = Exclude<ListOfNamedBlob, BlobRef>[number];

/** What was uploaded for a form. */
export interface Uploaded {
  program: BlobRef;
  stdin?: BlobRef;
  files: NamedBlob[];
}

function inputs(form: Form, uploaded: Uploaded): InputsRequest {
  if (form.shape === "numbers") return { kind: "numbers", from: form.from, to: form.to };
  if (form.shape === "files") return { kind: "blobs", blobs: uploaded.files };
  return uploaded.stdin ? { kind: "one", stdin: uploaded.stdin } : { kind: "one" };
}

/** The request; the form has no problems. */
export function requestOf(form: Form, uploaded: Uploaded): JobRequest {
  const budget = form.budget === "" ? undefined : parseCredits(form.budget);
  return {
    name: form.name.trim(),
    stages: [
      {
        name: "run",
        program: {
          ...uploaded.program,
          level: form.level,
          args: splitWords(form.args) ?? [],
          env: [],
          deterministic: form.deterministic,
        },
        inputs: inputs(form, uploaded),
        limits: { memory_bytes: form.memory_mib * MIB, wall_ms: form.wall_s * 1_000 },
        verify: VERIFY[form.check],
      },
    ],
    ...(budget === undefined ? {} : { budget_micros: budget }),
  };
}
