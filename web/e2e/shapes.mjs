// Whether src/api/types.ts says what the node says: each answer is put into a TypeScript file as a value
// of its type. The compiler then finds fields that are missing and fields that are not known.

import path from "node:path";
import ts from "typescript";

const TYPES = path.resolve(import.meta.dirname, "../src/api/types.ts");

const ROUTES = [
  ["Status", "/v1/status"],
  ["NodeView", "/v1/node"],
  ["LimitsView", "/v1/limits"],
  ["Peers", "/v1/peers"],
  ["Offers", "/v1/offers"],
  ["PriceHistory", "/v1/offers/history"],
  ["Clusters", "/v1/clusters"],
  ["Members", "/v1/members"],
  ["Invites", "/v1/invites"],
  ["Images", "/v1/images"],
  ["Keys", "/v1/keys"],
  ["OpenSessions", "/v1/sessions"],
  ["SessionView", "/v1/session"],
  ["ConfigView", "/v1/config"],
  ["DoctorReport", "/v1/doctor"],
  ["Jobs", "/v1/jobs"],
  ["LedgerView", "/v1/ledger"],
  ["Validators", "/v1/validators"],
  ["Wallet", "/v1/wallet"],
  ["History", "/v1/wallet/history"],
  ["AutoTransfers", "/v1/wallet/auto-transfers"],
];

/** Answers of a node by the name of their type. */
async function answers(ask) {
  const found = [];
  for (const [type, route] of ROUTES) found.push([type, await ask(route)]);
  const jobs = found.find(([type]) => type === "Jobs")[1].jobs;
  let receipt;
  for (const { job } of jobs) {
    const runs = await ask(`/v1/jobs/${job}/runs`);
    found.push(["JobDetail", await ask(`/v1/jobs/${job}`)], ["Runs", runs], ["Notes", await ask(`/v1/jobs/${job}/notes`)]);
    receipt ??= runs.runs.find((run) => run.receipt)?.receipt;
  }
  if (receipt) found.push(["ReceiptView", await ask(`/v1/receipts/${receipt}`)]);
  return found;
}

/** What is wrong with the types, a line each. */
export async function wrongShapes(ask) {
  const found = await answers(ask);
  const names = [...new Set(found.map(([type]) => type))];
  const values = found.map(([type, value], at) => `export const v${at}: ${type} = ${JSON.stringify(value, null, 1)};`);
  const source = `import type { ${names.join(", ")} } from ${JSON.stringify(TYPES.replace(/\.ts$/, ""))};\n${values.join("\n")}`;
  const file = path.join(path.dirname(TYPES), "answers-of-a-node.ts");
  const options = { strict: true, noEmit: true, moduleResolution: ts.ModuleResolutionKind.Bundler, module: ts.ModuleKind.ESNext, types: [] };
  const host = ts.createCompilerHost(options);
  const [readFile, fileExists, getSourceFile] = [host.readFile, host.fileExists, host.getSourceFile];
  host.fileExists = (name) => name === file || fileExists(name);
  host.readFile = (name) => (name === file ? source : readFile(name));
  host.getSourceFile = (name, version) =>
    name === file ? ts.createSourceFile(name, source, version) : getSourceFile(name, version);
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map((problem) => {
    const text = ts.flattenDiagnosticMessageText(problem.messageText, " ");
    const line = problem.file?.getLineAndCharacterOfPosition(problem.start ?? 0).line ?? 0;
    return `${text} at ${source.split("\n")[line]?.trim().slice(0, 120)}`;
  });
}
