// What the pages read, and how often it is read again.

import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { logText } from "../lib/services";
import type { Judged } from "../lib/timeline";
import { ask, query, send } from "./client";
import type {
  AutoTransfers,
  Clusters,
  ConfigView,
  DoctorReport,
  History,
  HistoryLine,
  Images,
  Invites,
  JobDetail,
  JobSummary,
  Jobs,
  Keys,
  LedgerView,
  LimitsView,
  Members,
  NodeView,
  Notes,
  Offers,
  OpenSessions,
  Peers,
  PriceHistory,
  ReceiptView,
  Runs,
  ServiceView,
  Services,
  SessionView,
  Status,
  Validators,
  VerdictView,
  Wallet,
} from "./types";

const OFTEN_MS = 2_000;
const NOW_AND_THEN_MS = 5_000;
const JOBS_PAGE = 50;
const RUNS_PAGE = 50;
const HISTORY_PAGE = 50;

export const isFinal = (job: Pick<JobSummary, "state">) => job.state !== "waiting" && job.state !== "running";

function polled<T>(key: readonly string[], path: string, refetchInterval: number | false) {
  return queryOptions({ queryKey: key, queryFn: ({ signal }) => ask<T>(path, { signal }), refetchInterval });
}

export const status = polled<Status>(["status"], "/v1/status", OFTEN_MS);
export const node = polled<NodeView>(["node"], "/v1/node", OFTEN_MS);
export const limits = polled<LimitsView>(["limits"], "/v1/limits", NOW_AND_THEN_MS);
export const peers = polled<Peers>(["peers"], "/v1/peers", NOW_AND_THEN_MS);
export const offers = polled<Offers>(["offers"], "/v1/offers", NOW_AND_THEN_MS);
export const prices = polled<PriceHistory>(["offers", "history"], "/v1/offers/history", 30_000);
export const clusters = polled<Clusters>(["clusters"], "/v1/clusters", NOW_AND_THEN_MS);
export const members = polled<Members>(["members"], "/v1/members", NOW_AND_THEN_MS);
export const invites = polled<Invites>(["invites"], "/v1/invites", NOW_AND_THEN_MS);
export const images = polled<Images>(["images"], "/v1/images", NOW_AND_THEN_MS);
export const services = polled<Services>(["services"], "/v1/services", OFTEN_MS);
export const service = (name: string) => polled<ServiceView>(["services", name], `/v1/services/${name}`, OFTEN_MS);

/** What replicas have written lately. */
export const serviceLog = (name: string, slot?: number) =>
  queryOptions({
    queryKey: ["services", name, "log", slot ?? "all"],
    queryFn: async ({ signal }) => logText(await (await send(`/v1/services/${name}/log${query({ slot })}`, { signal })).text()),
    refetchInterval: NOW_AND_THEN_MS,
  });

/** Who looks at the page, and what they may do. */
export const session = polled<SessionView>(["session"], "/v1/session", false);
export const sessions = polled<OpenSessions>(["sessions"], "/v1/sessions", NOW_AND_THEN_MS);
export const keys = polled<Keys>(["keys"], "/v1/keys", NOW_AND_THEN_MS);
export const config = polled<ConfigView>(["config"], "/v1/config", false);
export const doctor = polled<DoctorReport>(["doctor"], "/v1/doctor", false);
export const ledger = polled<LedgerView>(["ledger"], "/v1/ledger", NOW_AND_THEN_MS);
export const validators = polled<Validators>(["validators"], "/v1/validators", NOW_AND_THEN_MS);
export const wallet = polled<Wallet>(["wallet"], "/v1/wallet", OFTEN_MS);
export const autoTransfers = polled<AutoTransfers>(["auto-transfers"], "/v1/wallet/auto-transfers", NOW_AND_THEN_MS);

/** Jobs, newest first, a page at a time; the cursor is when the last of a page was submitted. */
export const jobs = infiniteQueryOptions({
  queryKey: ["jobs"],
  queryFn: ({ pageParam, signal }) =>
    ask<Jobs>(`/v1/jobs${query({ limit: JOBS_PAGE, before: pageParam })}`, { signal }),
  initialPageParam: undefined as number | undefined,
  getNextPageParam: (last: Jobs) => (last.jobs.length < JOBS_PAGE ? undefined : last.jobs.at(-1)?.submitted_at),
  refetchInterval: ({ state }) => {
    const isOpen = state.data?.pages.some((page) => page.jobs.some((job) => !isFinal(job)));
    return isOpen ? OFTEN_MS : NOW_AND_THEN_MS;
  },
});

export const job = (id: string) =>
  queryOptions({
    queryKey: ["jobs", id],
    queryFn: ({ signal }) => ask<JobDetail>(`/v1/jobs/${id}`, { signal }),
    refetchInterval: ({ state }) => (state.data && isFinal(state.data) ? false : OFTEN_MS),
  });

export const notes = (id: string, task?: string) =>
  queryOptions({
    queryKey: ["jobs", id, "notes", task ?? ""],
    queryFn: ({ signal }) => ask<Notes>(`/v1/jobs/${id}/notes${query({ task })}`, { signal }),
  });

export interface RunsFilter {
  task?: string;
  stage?: number;
  state?: VerdictView;
}

export const runs = (id: string, filter: RunsFilter) =>
  infiniteQueryOptions({
    queryKey: ["jobs", id, "runs", filter],
    queryFn: ({ pageParam, signal }) =>
      ask<Runs>(`/v1/jobs/${id}/runs${query({ ...filter, after: pageParam, limit: RUNS_PAGE })}`, { signal }),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last: Runs) => last.next,
  });

const ALL_RUNS_PAGE = 1_000;
const ALL_RUNS_MAX = 10_000;

export interface AllRuns {
  runs: Judged[];
  /** There are more, which are not read. */
  isCut: boolean;
  /** Where the last page began, and how many runs are before it. */
  after?: string;
  before: number;
}

/** The runs of a job from where `known` of them end; its last page is read anew, for what came since. */
export async function readOn(id: string, known: AllRuns | undefined, signal: AbortSignal): Promise<AllRuns> {
  const runs = known?.runs.slice(0, known.before) ?? [];
  let after = known?.after;
  for (;;) {
    const page = await ask<Runs>(`/v1/jobs/${id}/runs${query({ after, limit: ALL_RUNS_PAGE })}`, { signal });
    const before = runs.length;
    // Without what they wrote, which may be much.
    runs.push(...page.runs.map(({ task, node, verdict, failed, usage: { wall_us } }) => ({ task, node, verdict, failed, usage: { wall_us } })));
    if (page.next === undefined || runs.length >= ALL_RUNS_MAX) return { runs, isCut: page.next !== undefined, after, before };
    after = page.next;
  }
}

/** How all runs of a job were judged. Once it is over, they are read from the start: verdicts may have changed. */
export const allRuns = (id: string, isOver: boolean) =>
  queryOptions({
    queryKey: ["jobs", id, "all runs", isOver],
    queryFn: ({ client, queryKey, signal }) => readOn(id, client.getQueryData<AllRuns>(queryKey), signal),
    refetchInterval: isOver ? false : OFTEN_MS,
    placeholderData: (before) => before,
  });

export const receipt = (id: string) =>
  queryOptions({
    queryKey: ["receipts", id],
    queryFn: ({ signal }) => ask<ReceiptView>(`/v1/receipts/${encodeURIComponent(id)}`, { signal }),
    staleTime: Number.POSITIVE_INFINITY,
  });

export const history = infiniteQueryOptions({
  queryKey: ["wallet", "history"],
  queryFn: ({ pageParam, signal }) =>
    ask<History>(`/v1/wallet/history${query({ limit: HISTORY_PAGE, before: pageParam })}`, { signal }),
  initialPageParam: undefined as string | undefined,
  getNextPageParam: (last: History) => last.next,
  refetchInterval: NOW_AND_THEN_MS,
});

const LONG_PAGE = 1_000;
const LONG_PAGES_MAX = 5;

/** The newest lines of the history, many of them, read again when there is a newer one. */
export const longHistory = (newest: string | undefined) =>
  queryOptions({
    queryKey: ["wallet", "history", "long", newest ?? ""],
    queryFn: async ({ signal }) => {
      const lines: HistoryLine[] = [];
      let before: string | undefined;
      for (let page = 0; page < LONG_PAGES_MAX; page += 1) {
        const read = await ask<History>(`/v1/wallet/history${query({ limit: LONG_PAGE, before })}`, { signal });
        lines.push(...read.lines);
        before = read.next;
        if (before === undefined) break;
      }
      return { lines, isCut: before !== undefined };
    },
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: (before) => before,
  });
