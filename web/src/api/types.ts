// The JSON of the local API, as `crates/api` has it: one interface per Rust struct, in the order of its
// files. `e2e/shapes.mjs` compares them with the answers of a real node.
//
// A moment (`…_at`) is milliseconds since 1970. Ids and hashes are text. Amounts are micros: 1 credit is
// 1,000,000. Whole numbers stay below 2^53.

// problem.rs

export interface ProblemBody {
  title: string;
  status: number;
  code: string;
  detail: string;
  next?: string;
}

// session.rs

export interface SessionView {
  expires_at?: number;
}

// status.rs

export type Role = "follower" | "validator" | "stopped";

export interface Status {
  node: string;
  name: string;
  version: string;
  started_at: number;
  now: number;
  sky: SkyView;
  data_dir: string;
  network: NetworkSummary;
  offers: number;
  sharing: SharingView;
  jobs_open: number;
  ledger: LedgerSummary;
  storage: StorageView;
  resident_bytes: number;
}

export interface SkyView {
  sky: string;
  name: string;
  founder: string;
  founded_at: number;
  economy_free: boolean;
}

export interface NetworkSummary {
  peers: number;
  peers_relayed: number;
  listening: string[];
  external: string[];
  reachability: string;
  sent_bytes: number;
  received_bytes: number;
}

export interface SharingView {
  slots_total: number;
  slots_busy: number;
  closed_reason: string;
  tasks_done: number;
}

export interface StorageView {
  used_bytes: number;
  cap_bytes: number;
}

export interface NodeView {
  node: string;
  name: string;
  hardware: HardwareView;
  readings: ReadingsView;
  limits: Limits;
  offer?: OfferView;
}

export interface ReadingsView {
  cpu_busy_percent: number;
  memory_available_bytes: number;
  disk_free_bytes: number;
  temperature_celsius?: number;
  idle_ms?: number;
}

// limits.rs

export interface Limits {
  share: boolean;
  cpu_percent: number;
  memory_bytes: number;
  disk_bytes: number;
  hours?: HoursView;
  only_when_idle: boolean;
  temperature_warning: number;
  temperature_critical: number;
  price_per_gfuel: number;
}

export interface HoursView {
  from_minute: number;
  to_minute: number;
}

export interface LimitsView {
  limits: Limits;
  slots_total: number;
  closed_reason: string;
}

// offer.rs

export interface HardwareView {
  cpu_model: string;
  cpu_arch: string;
  cpu_cores: number;
  memory_bytes: number;
  disk_free_bytes: number;
  disk_write_mb_s: number;
  gpus: GpuView[];
  score_per_core: number;
}

export interface GpuView {
  model: string;
  vendor: string;
  memory_bytes?: number;
}

export interface Offers {
  offers: OfferView[];
}

/** How tasks run. */
export type Level = "function" | "vm" | "container";

export interface OfferView {
  node: string;
  made_at: number;
  expires_at: number;
  region: string;
  kinds: string[];
  levels: Level[];
  hardware: HardwareView;
  slots_total: number;
  slots_free: number;
  task_limits_max: TaskLimits;
  engine: string;
  price_per_gfuel: number;
  note: string;
}

export interface Clusters {
  clusters: ClusterView[];
}

export interface ClusterView {
  name: string;
  members: number;
  slots_total: number;
  slots_free: number;
  heartbeat_at: number;
}

// network.rs, membership.rs

export interface Peers {
  peers: PeerView[];
}

export interface PeerView {
  node: string;
  path: "direct" | "relayed";
  address: string;
  rtt_us?: number;
  agent: string;
  region?: string;
}

export interface InviteRequest {
  uses_max: number;
  valid_ms: number;
  lan: boolean;
}

export interface InviteView {
  token: string;
  expires_at: number;
  uses_max: number;
  used_by: string[];
  addresses: string[];
  lan: boolean;
}

export interface Invites {
  invites: InviteView[];
}

export interface MemberView {
  node: string;
  invited_by?: string;
  joined_at?: number;
  connected: boolean;
  addresses: string[];
}

export interface Members {
  members: MemberView[];
}

// config.rs, doctor.rs

export interface ConfigView {
  settings: SettingView[];
}

export interface SettingView {
  key: string;
  value: string;
  source: "flag" | "environment" | "file" | "default";
  origin?: string;
}

export interface DoctorReport {
  checks: Check[];
}

export interface Check {
  name: string;
  standing: "ok" | "skipped" | "warning" | "broken";
  found: string;
  next?: string;
}

// image.rs

export interface Images {
  images: ImageView[];
}

export interface ImageView {
  name: string;
  hash: string;
  size_bytes: number;
  kept_at: number;
}

export interface KeepImageRequest {
  name: string;
  hash: string;
}

// content.rs, usage.rs

export interface BlobRef {
  hash: string;
  size_bytes: number;
}

export interface ContentView {
  hash: string;
  size_bytes: number;
  text?: string;
  hex?: string;
}

export interface UsageView {
  fuel: number;
  memory_peak_bytes: number;
  wall_us: number;
  cpu_us: number;
  input_bytes: number;
  output_bytes: number;
}

// job.rs

export interface TaskLimits {
  memory_bytes: number;
  fuel: number;
  wall_ms: number;
  scratch_bytes: number;
  output_bytes: number;
}

export type VerifyView =
  | { mode: "none" }
  | { mode: "sample"; per_mille: number }
  | { mode: "quorum"; agree: number; replicas: number; replicas_max: number }
  | { mode: "reputation" };

export type InputsRequest =
  | { kind: "one"; stdin?: BlobRef }
  | { kind: "numbers"; from: number; to: number; step?: number }
  | { kind: "blobs"; blobs: NamedBlob[] | BlobRef };

export interface NamedBlob {
  name: string;
  hash: string;
  size_bytes: number;
}

export interface ProgramRequest {
  hash: string;
  size_bytes: number;
  level: Level;
  function?: string;
  args: string[];
  env: [string, string][];
  deterministic: boolean;
}

export interface StageRequest {
  name: string;
  program: ProgramRequest;
  inputs: InputsRequest;
  limits?: Partial<TaskLimits>;
  verify?: VerifyView;
  failures_max?: number;
  accept_any_exit?: boolean;
}

export interface JobRequest {
  name: string;
  stages: StageRequest[];
  wait_ms?: number;
  deadline_ms?: number;
  budget_micros?: number;
}

// progress.rs

export type JobState = "waiting" | "running" | "succeeded" | "failed" | "cancelled";

export interface Submitted {
  job: string;
  tasks: number;
}

export interface TaskCounts {
  waiting: number;
  running: number;
  done: number;
  failed: number;
}

export interface JobSummary {
  job: string;
  name: string;
  state: JobState;
  submitted_at: number;
  changed_at: number;
  tasks: TaskCounts;
  reason: string;
}

export interface Jobs {
  jobs: JobSummary[];
}

export interface JobDetail extends JobSummary {
  seed: number;
  wait_ms: number;
  deadline_ms?: number;
  stages: StageView[];
  nodes: JobNodeView[];
  usage: UsageView;
  cost_micros: number;
  budget_micros?: number;
}

export interface StageView {
  name: string;
  program: string;
  level: Level;
  verify: VerifyView;
  tasks: TaskCounts;
  is_last: boolean;
  waiting_for?: MisfitCountsView;
}

export interface MisfitCountsView {
  offers: number;
  fitting: number;
  excluded: { constraint: string; offers: number }[];
  sentence: string;
}

export interface JobNodeView {
  node: string;
  accepted: number;
  agreed: number;
  failed: number;
  rejected: number;
  usage: UsageView;
  cost_micros: number;
}

export type Verdict = "accepted" | "agreed" | "failed" | "rejected" | "undecided";

export interface Runs {
  runs: RunView[];
  next?: string;
}

export interface RunView {
  task: string;
  attempt: number;
  node: string;
  verdict: Verdict;
  exit_code?: number;
  failure?: string;
  output: string;
  stdout: ContentView;
  stderr: ContentView;
  files: FileView[];
  usage: UsageView;
  receipt?: string;
}

export interface FileView extends ContentView {
  path: string;
}

export interface Notes {
  notes: NoteView[];
}

export interface NoteView {
  at: number;
  task?: string;
  kind: string;
  sentence: string;
  node?: string;
}

// event.rs

export type JobEvent =
  | { event: "job"; state: JobState; at: number; reason: string }
  | { event: "progress"; stages: TaskCounts[] }
  | ({ event: "note" } & NoteView);

// quote.rs

export interface QuoteView {
  economy_free: boolean;
  stages: StageQuoteView[];
  cost_max_micros: number;
  cost_expected_micros?: number;
  budget_micros?: number;
  available_micros: number;
}

export interface StageQuoteView {
  name: string;
  tasks: number;
  runs: number;
  nodes: MisfitCountsView;
  cost_max_micros: number;
}

// receipt.rs

export interface ReceiptView {
  id: string;
  standing: "claimed" | "rejected" | "accepted";
  provider: string;
  consumer: string;
  agreement: string;
  job: string;
  task: string;
  attempt: number;
  program: string;
  input: string;
  output: string;
  exited: boolean;
  usage: UsageView;
  price: number;
  engine: string;
  engine_config: string;
  started_at: number;
  ended_at: number;
  proof: string;
}

// ledger.rs, happening.rs

export interface HeadView {
  height: number;
  block: string;
  state: string;
  at: number;
  epoch: number;
}

export interface LedgerView {
  sky: string;
  genesis: string;
  head: HeadView;
  validators: string[];
  role: Role;
  role_note: string;
  validator_address?: string;
  waiting: number;
  entries: number;
  economy_free: boolean;
  params: ParamsView;
  rules: number;
}

export interface ParamsView {
  authority?: string;
  new_account_min_micros: number;
  validator_stake_min_micros: number;
  unbonding_ms: number;
  epoch_blocks: number;
  transactions_max: number;
  escrow_ms_max: number;
  claim_window_ms_min: number;
  claim_window_ms_max: number;
}

export interface LedgerSummary {
  height: number;
  at: number;
  role: Role;
  role_note: string;
  available_micros?: number;
}

export interface HappeningView {
  kind: string;
  sentence: string;
  account?: string;
  other?: string;
  agreement?: string;
  amount_micros?: number;
}

export type LedgerEvent =
  | ({ event: "head" } & HeadView)
  | {
      event: "block";
      head: HeadView;
      transactions: string[];
      happenings: HappeningView[];
      income_micros: number;
    };

// wallet.rs, history.rs, transaction.rs

export interface Wallet {
  account: string;
  head: HeadView;
  economy_free: boolean;
  accounts: AccountView[];
  total: MoneyView;
}

export interface MoneyView {
  free_micros: number;
  granted_micros: number;
  escrow_micros?: number;
  staked_micros: number;
  unbonding_micros: number;
  debt_micros: number;
}

export interface AccountView {
  account: string;
  is_own: boolean;
  exists: boolean;
  owner?: string;
  money: MoneyView;
  grant_locked_until?: number;
  unbonding: { amount_micros: number; free_at: number }[];
  reputation: ReputationView;
  next_number: number;
}

export interface ReputationView {
  score: number;
  tier: string;
  frozen_until?: number;
  is_banned: boolean;
}

export interface History {
  account: string;
  lines: HistoryLine[];
  next?: string;
}

export interface HistoryLine {
  place: string;
  at: number;
  kind: string;
  direction: "in" | "out" | "none";
  amount_micros?: number;
  other?: string;
  agreement?: string;
  memo?: string;
  transaction?: string;
  sentence: string;
}

export interface TransferRequest {
  to: string;
  amount_micros: number;
  memo: string;
  dry_run: boolean;
}

export interface StakeRequest {
  amount_micros: number;
  dry_run: boolean;
}

export interface TransactionView {
  id?: string;
  standing: "dry-run" | "waiting" | "final" | "unknown";
  height?: number;
  at?: number;
  sentence?: string;
  happenings?: HappeningView[];
}

export interface AutoTransfers {
  transfers: AutoTransferView[];
}

export interface AutoTransferView {
  to: string;
  when:
    | { kind: "received"; percent: number }
    | { kind: "above"; threshold_micros: number }
    | { kind: "every"; interval_ms: number; amount_micros: number; last_at?: number };
  keep_micros: number;
}

// validators.rs

export interface Validators {
  head: HeadView;
  epoch_blocks: number;
  authority?: string;
  validators: ValidatorView[];
}

export interface ValidatorView {
  node: string;
  account: string;
  is_own: boolean;
  votes_now: boolean;
  is_candidate: boolean;
  staked_micros: number;
  reputation: ReputationView;
}
