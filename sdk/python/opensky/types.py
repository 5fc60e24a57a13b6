# Made from docs/openapi.json by `python3 generate.py`; changes go to crates/api.
"""What goes into the local API and comes out of it, with the names of its description."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias, TypedDict, Union

#: An account.
AccountId: TypeAlias = str


class _AccountView(TypedDict):
    #: Which.
    account: AccountId
    #: Whether it has begun; one begins with its first income.
    exists: bool
    #: Whether it is this node's.
    is_own: bool
    #: Its money.
    money: MoneyView
    #: The number of its next transaction, after those that wait.
    next_number: int
    #: How far it is trusted.
    reputation: ReputationView
    #: What is on its way out of stake, first free first.
    unbonding: list[UnbondingView]


class AccountView(_AccountView, total=False):
    """One account."""

    #: Until when granted money may not be transferred, if that is still to come.
    grant_locked_until: Timestamp
    #: Who owns it, if another account does.
    owner: AccountId


#: An agreement: the hash of its terms.
AgreementId: TypeAlias = str


class _AutoTransferView(TypedDict):
    #: To whom.
    to: Payee
    #: When, and how much.
    when: WhenView


class AutoTransferView(_AutoTransferView, total=False):
    """Money that moves by itself."""

    #: What stays in the account whatever happens.
    keep_micros: Micros


class AutoTransfers(TypedDict):
    """The automatic transfers of this node's account, read and written whole."""

    #: They, at most `AUTO_TRANSFERS_MAX`.
    transfers: list[AutoTransferView]


class BlobRef(TypedDict):
    """Content by hash and size: what an upload answers and what a job names."""

    #: BLAKE3 of the content.
    hash: Hash
    #: Its size, in bytes.
    size_bytes: int


Blocks = TypedDict("Blocks", {"blocks": 'list[str]', "from": 'int', "head": 'HeadView'})


class ChallengeRequest(TypedDict):
    """Asks for a message that a wallet signs to log in."""

    #: The wallet's address.
    address: str
    #: The chain that the wallet is set to.
    chain_id: int


class ChallengeView(TypedDict):
    """A message for a wallet, which opens one session, once."""

    #: When it stops working.
    expires_at: Timestamp
    #: What to have signed by `personal_sign`: a message of EIP-4361.
    message: str


class _Check(TypedDict):
    #: What was found.
    found: str
    #: What was looked at, such as `sandbox` or `reachability`.
    name: str
    #: How it is.
    standing: Standing


class Check(_Check, total=False):
    """One check."""

    #: What to do about it, where something can be done.
    next: str


class _CheckViewProgram(TypedDict):
    #: Its hash.
    hash: Hash
    kind: Literal["program"]
    #: Its size, in bytes.
    size_bytes: int


class CheckViewProgram(_CheckViewProgram, total=False):
    """An uploaded WASI command program, which runs on this node. Exit code 0: right; 1: not;
    anything else decides nothing.
    """

    #: Its arguments; `{item}` stands for the task's own item.
    args: list[str]
    #: Limits of each run.
    limits: TaskLimitsView
    #: If given, the program writes a score, and this is the least that will do.
    score_min: Real


class _CheckViewTolerance(TypedDict):
    kind: Literal["tolerance"]


class CheckViewTolerance(_CheckViewTolerance, total=False):
    """Results are texts in which numbers may differ by one of the two."""

    #: By so much.
    absolute: Real
    #: By this part of the larger one.
    relative: Real


#: What checks results, for verification by a check.
CheckView: TypeAlias = Union['CheckViewProgram', 'CheckViewTolerance']


class CheckpointDomain(TypedDict):
    """The domain of a sky: whatever contract knows the sky may take what is signed in it."""

    #: Always `OpenSky`.
    name: str
    #: The sky.
    salt: str
    #: The format's version.
    version: str


class CheckpointMessage(TypedDict):
    """What a checkpoint says. Numbers beyond what JSON holds are decimal text."""

    #: The epoch that ended.
    epoch: int
    #: The struct hash of the checkpoint before; zero for the first.
    previous: str
    #: The root of all withdrawal claims.
    root: str
    #: The number of the set of validators that signs.
    setId: int
    #: Their sum, in micros.
    total: str


class CheckpointSignatureView(TypedDict):
    """A signature."""

    #: Whose key it is.
    address: str
    #: The validator.
    node: NodeId
    #: `r`, `s` and `v`: 65 bytes.
    signature: str


class _CheckpointSignerView(TypedDict):
    #: The validator.
    node: NodeId


class CheckpointSignerView(_CheckpointSignerView, total=False):
    """A validator of the epoch."""

    #: The address of the key that it had named when the epoch began; one that had none can't sign.
    address: str


class CheckpointView(TypedDict):
    """A checkpoint and who signed it. Words are `0x` and hex, as tools for Ethereum write them."""

    #: The hash that is signed.
    digest: str
    #: Whether there are so many.
    is_complete: bool
    #: How many signatures a contract asks for.
    quorum: int
    #: Who signed, in the order of addresses, so that a contract sees at a glance that none counts
    #: twice.
    signatures: list[CheckpointSignatureView]
    #: Who may sign, in the order of their nodes' keys.
    signers: list[CheckpointSignerView]
    #: What is signed, as EIP-712 has it: domain, type and message.
    typed_data: TypedCheckpoint


class ClusterView(TypedDict):
    """Nodes of one region with one capability."""

    #: When it was heard from last.
    heartbeat_at: Timestamp
    #: Nodes in it.
    members: int
    #: `region/capability`, such as `europe/function`.
    name: str
    #: Of those, how many are free.
    slots_free: int
    #: Tasks they run at a time.
    slots_total: int


class Clusters(TypedDict):
    """Clusters that live offers form, in order of name."""

    #: They.
    clusters: list[ClusterView]


#: What went wrong, for programs. A code never changes its meaning.
Code: TypeAlias = Literal["invalid-request", "invalid-job", "unauthorized", "no-such-route", "wrong-method", "job-not-found", "task-not-found", "blob-not-found", "receipt-not-found", "image-not-found", "service-not-found", "invalid-service", "key-not-found", "session-not-found", "account-not-found", "checkpoint-not-found", "wrong-state", "no-node-fits", "not-allowed", "spend-limit", "transaction-rejected", "not-approved", "ledger-not-ready", "too-large", "storage-full", "idempotency-mismatch", "idempotency-running", "rate-limited", "timed-out", "busy", "shutting-down", "internal"]


class _ConditionView(TypedDict):
    #: The earlier stage, by position.
    stage: int
    #: What must hold.
    test: TestView


class ConditionView(_ConditionView, total=False):
    """A condition on an earlier stage. A stage whose conditions do not all hold is skipped."""

    #: Whether it is the other way round. (`not` is a keyword in some of the languages that have a
    #: client.)
    negated: bool
    #: Of which of its tasks the test must hold.
    of: TasksMeantView


class ConfigView(TypedDict):
    """Every setting of a running node."""

    #: In order of key.
    settings: list[SettingView]


class ConstraintsView(TypedDict, total=False):
    """What providers must have. Absent or empty means any."""

    #: Processor architecture, such as `x86_64`.
    arch: str
    #: At least this many logical cores.
    cpu_cores_min: int
    #: At least this many GPUs.
    gpus_min: int
    #: Only nodes of one of these kinds.
    kinds: list[NodeKind]
    #: At least this much machine memory, in bytes.
    machine_memory_bytes_min: int
    #: Only these nodes.
    peers: list[NodeId]
    #: Never these nodes.
    peers_excluded: list[NodeId]
    #: At most this price of one billion fuel, in micros.
    price_per_gfuel_max: Micros
    #: Only these regions.
    regions: list[Region]
    #: At least this score of one core.
    score_min: int


class ContainerOfferView(TypedDict):
    """What containers find at a node beside a processor, memory and files."""

    #: GPUs that a program can have, by their places in the machine's list.
    gpus: list[int]
    #: Isolations that can be asked for.
    isolations: list[Isolation]
    #: Registries, or parts of them, that it takes images from.
    registries: list[str]


class _ContentView(TypedDict):
    #: BLAKE3 of the content.
    hash: Hash
    #: Its size, in bytes.
    size_bytes: int


class ContentView(_ContentView, total=False):
    """What a run wrote. Small content comes along, as `text` where it is UTF-8 and else as
    `hex`; other content is read from `crate::routes::BLOB` by its hash.
    """

    #: The content in hex, if it is small and not UTF-8.
    hex: str
    #: The content, if it is small and UTF-8.
    text: str


#: Which way money went, seen from what the account can spend.
Direction: TypeAlias = Literal["in", "out", "none"]


class DoctorReport(TypedDict):
    """All checks."""

    #: In the order they were made.
    checks: list[Check]


#: How a run failed.
FailureKind: TypeAlias = Literal["exit-code", "trap", "limit", "time", "loss", "check"]


class FileView(ContentView):
    """A file that a task left under `/out`."""

    #: Its path below `/out`, with `/` between parts. Chosen by the program: never trust it.
    path: str


class _GpuNeedView(TypedDict):
    #: How many, 1 to 16.
    count: int


class GpuNeedView(_GpuNeedView, total=False):
    """GPUs, all of one machine."""

    #: Memory of each, in bytes; 0: any.
    memory_bytes_min: int
    #: A part of their name, whatever its case; empty: any.
    model: str
    #: Who made them. Absent: anyone.
    vendor: GpuVendor


#: Who makes a GPU.
GpuVendor: TypeAlias = Literal["nvidia", "amd"]


class _GpuView(TypedDict):
    #: Marketing name.
    model: str
    #: `nvidia`, `amd`, …
    vendor: str


class GpuView(_GpuView, total=False):
    """One accelerator."""

    #: Its memory in bytes, where the driver says.
    memory_bytes: int


class GraphqlAnswer(TypedDict, total=False):
    """An answer: what was asked for, and what went wrong."""

    #: What was asked for; absent where nothing was done.
    data: dict[str, Any]
    #: What went wrong, each with a problem's `code` in its `extensions`.
    errors: list[dict[str, Any]]


class GraphqlRequest(TypedDict, total=False):
    """A request."""

    #: `persistedQuery` with `version` 1 and `sha256Hash`: keeps the query, or means one that is
    #: kept.
    extensions: dict[str, Any]
    #: Which of its operations, if it has several.
    operationName: str
    #: The document. May be left out where `extensions` names a query that was sent before.
    query: str
    #: Values of its variables.
    variables: dict[str, Any]


class _HappeningView(TypedDict):
    #: A word for it, such as `paid`.
    kind: str
    #: It in a sentence.
    sentence: str


class HappeningView(_HappeningView, total=False):
    """Something that followed from a transaction or from the passing of time."""

    #: Whom it befell.
    account: AccountId
    #: Under which agreement.
    agreement: AgreementId
    #: How much.
    amount_micros: Micros
    #: The other side.
    other: AccountId


class HardwareView(TypedDict):
    """A machine."""

    #: `x86_64`, `aarch64`, …
    cpu_arch: str
    #: Logical cores.
    cpu_cores: int
    #: Marketing name of the processor.
    cpu_model: str
    #: Free disk under the data folder, in bytes.
    disk_free_bytes: int
    #: Sequential write speed of that disk, in MB/s; 0 if not measured.
    disk_write_mb_s: int
    #: Accelerators.
    gpus: list[GpuView]
    #: Memory, in bytes.
    memory_bytes: int
    #: Compute score of one core: millions of fuel per second on the reference program.
    score_per_core: int


#: A BLAKE3 hash.
Hash: TypeAlias = str


class HeadView(TypedDict):
    """A final block."""

    #: Its time.
    at: Timestamp
    #: Its id.
    block: Hash
    #: Its epoch.
    epoch: int
    #: Distance from genesis.
    height: int
    #: The root of the state after it.
    state: Hash


class HealthView(TypedDict):
    """How the health of a replica is seen."""

    #: Failed tries in a row that make a replica unhealthy.
    failures_max: int
    #: Time between two tries, in milliseconds.
    interval_ms: int
    #: What is tried.
    probe: ProbeView
    #: Time after a start during which failed tries do not count, in milliseconds.
    start_ms: int
    #: Time for one try, in milliseconds.
    timeout_ms: int


class _History(TypedDict):
    #: Whose.
    account: AccountId
    #: The lines.
    lines: list[HistoryLine]


class History(_History, total=False):
    """A page of a history, newest first. Kept for this node's account and its owner's, from when
    the node began to follow block by block.
    """

    #: What `before` has to be for the next page; absent on the last.
    next: Place


class _HistoryLine(TypedDict):
    #: The block's time.
    at: Timestamp
    #: Which way money went.
    direction: Direction
    #: A word for it, such as `transfer` or `paid`.
    kind: str
    #: Where it stands.
    place: Place
    #: It in a sentence.
    sentence: str


class HistoryLine(_HistoryLine, total=False):
    """One line of a history."""

    #: Under which agreement.
    agreement: AgreementId
    #: How much.
    amount_micros: Micros
    #: The memo of a transfer.
    memo: str
    #: The other side.
    other: AccountId
    #: The transaction's id, where it is one.
    transaction: Hash


class HoursView(TypedDict):
    """Hours of the day, in minutes since local midnight (0 to 1440). `from` after `to` goes over
    midnight.
    """

    #: First minute.
    from_minute: int
    #: First minute no longer shared.
    to_minute: int


#: An image in a registry by its digest.
ImageRef: TypeAlias = str


class ImageView(TypedDict):
    """An image kept by name."""

    #: Its archive, by hash.
    hash: Hash
    #: Since when it is kept.
    kept_at: Timestamp
    #: What jobs call it, after `sky:`.
    name: str
    #: Size of the archive, in bytes.
    size_bytes: int


class Images(TypedDict):
    """The images of a node."""

    #: In order of name.
    images: list[ImageView]


class _InputsRequestOne(TypedDict):
    kind: Literal["one"]


class InputsRequestOne(_InputsRequestOne, total=False):
    """One task; its stdin is the blob, if any."""

    stdin: BlobRef


_InputsRequestNumbers = TypedDict("_InputsRequestNumbers", {"from": 'int', "kind": 'Literal["numbers"]', "to": 'int'})


class InputsRequestNumbers(_InputsRequestNumbers, total=False):
    """One task per number from `from` up to and without `to`."""

    step: int


class InputsRequestBlobs(TypedDict):
    """One task per blob, read as stdin."""

    blobs: ListOf_NamedBlob
    kind: Literal["blobs"]


class InputsRequestSlices(TypedDict):
    """One task per slice of one blob. Task i reads bytes `cuts[i]..cuts[i + 1]`."""

    blob: BlobRef
    cuts: ListOf_u64
    kind: Literal["slices"]


class InputsRequestEach(TypedDict):
    """One task per task of an earlier stage (by position), reading that task's stdout."""

    kind: Literal["each"]
    stage: int


class InputsRequestReduce(TypedDict):
    """Tasks that each read the stdout of up to `fan_in` tasks of an earlier stage, in order."""

    fan_in: int
    kind: Literal["reduce"]
    stage: int


#: Where a stage's tasks get their inputs.
InputsRequest: TypeAlias = Union['InputsRequestOne', 'InputsRequestNumbers', 'InputsRequestBlobs', 'InputsRequestSlices', 'InputsRequestEach', 'InputsRequestReduce']


class InviteRequest(TypedDict, total=False):
    """Asks for an invite."""

    #: Also opens the door to every node on the local network for as long as the invite works, so
    #: that these join without a token (`opensky up --lan`).
    lan: bool
    #: How many nodes may join with it.
    uses_max: int
    #: How long it works, in milliseconds from now.
    valid_ms: int


class InviteView(TypedDict):
    """An invite and what became of it."""

    #: Where joiners knock, as multiaddresses.
    addresses: list[str]
    #: When it stops working.
    expires_at: Timestamp
    #: Whether the local network's door is open with it.
    lan: bool
    #: The text to pass on. Whoever has it can join, so it is shown to the issuer's owner only.
    token: str
    #: Who did, oldest first.
    used_by: list[NodeId]
    #: How many nodes may join with it.
    uses_max: int


class Invites(TypedDict):
    """Invites of this node, newest first."""

    #: They.
    invites: list[InviteView]


#: What keeps a container from its host.
Isolation: TypeAlias = Literal["any", "gvisor"]


class JobSummary(TypedDict):
    """A job in a list."""

    #: When it reached its state.
    changed_at: Timestamp
    #: Its id.
    job: JobId
    #: Its name.
    name: str
    #: Why it waits or ended, in a sentence; empty if there is nothing to say.
    reason: str
    #: How it stands.
    state: StateView
    #: When it was submitted.
    submitted_at: Timestamp
    #: Its tasks.
    tasks: TaskCounts


class _JobDetail(JobSummary):
    #: What it cost so far, in micros.
    cost_micros: int
    #: Nodes that ran something, in order of id.
    nodes: list[JobNodeView]
    #: Seed of deterministic randomness and of the audit draw.
    seed: int
    #: Its stages, in order.
    stages: list[StageView]
    #: Everything that all runs used, replicas and failed runs with it.
    usage: UsageView
    #: Milliseconds that tasks wait for a node that fits.
    wait_ms: int


class JobDetail(_JobDetail, total=False):
    """A job in full."""

    #: Most that it may cost, in micros.
    budget_micros: Micros
    #: Milliseconds after which the job is stopped.
    deadline_ms: int


class JobEventJob(TypedDict):
    """The job's state changed."""

    at: Timestamp
    event: Literal["job"]
    #: Why, in a sentence; may be empty.
    reason: str
    state: StateView


class JobEventProgress(TypedDict):
    """Tasks moved. Sent at most a few times a second."""

    event: Literal["progress"]
    #: Per stage, in order.
    stages: list[TaskCounts]


class _NoteView(TypedDict):
    #: When.
    at: Timestamp
    #: What kind of step, for programs: `placed`, `retried`, `waiting`, …
    kind: str
    #: What happened and why, in a sentence.
    sentence: str


class NoteView(_NoteView, total=False):
    """A step worth explaining."""

    #: The node, where it is about one.
    node: NodeId
    #: The task, where it is about one.
    task: TaskId


class JobEventNote(NoteView):
    """A step worth explaining."""

    event: Literal["note"]


#: One server-sent event of a job: the SSE field `event` is the tag, `data` this JSON, and `id` a
#: number that grows. A client that reconnects with `Last-Event-ID` gets what it missed or, where
#: that is no longer kept, a fresh `job` and `progress`. The stream starts with these two and ends
#: after a `job` whose state is final.
JobEvent: TypeAlias = Union['JobEventJob', 'JobEventProgress', 'JobEventNote']


#: A job.
JobId: TypeAlias = str


class JobNodeView(TypedDict):
    """What one node did for a job."""

    #: Runs whose result was taken.
    accepted: int
    #: Runs that confirmed a result.
    agreed: int
    #: What they cost, in micros.
    cost_micros: int
    #: Runs that failed.
    failed: int
    #: Who.
    node: NodeId
    #: Runs that were outvoted.
    rejected: int
    #: What they used in all.
    usage: UsageView


class _JobRequest(TypedDict):
    #: A name for people, up to 64 characters.
    name: str
    #: In an order in which each stage depends on earlier ones only.
    stages: list[StageRequest]


class JobRequest(_JobRequest, total=False):
    """A job to run."""

    #: Most that the job may cost, in a sky with prices, in micros.
    budget_micros: Micros
    #: Milliseconds after which the whole job is stopped.
    deadline_ms: int
    #: Whether the job is on disk before the answer comes.
    durable: bool
    #: Seed of deterministic randomness and of the audit draw. Absent: drawn by the node, so that no
    #: provider can foresee which tasks are checked.
    seed: int
    #: Milliseconds that tasks wait for a node that fits before the job fails. 0: fail at once.
    wait_ms: int


class Jobs(TypedDict):
    """Jobs, newest first."""

    #: They.
    jobs: list[JobSummary]


class KeepImageRequest(TypedDict):
    """An image to keep."""

    #: Its archive, uploaded before.
    hash: Hash
    #: What to call it: 1 to 255 bytes, without spaces. One of the same name is replaced.
    name: str


class _KeyRequest(TypedDict):
    #: What to call it: 1 to 64 bytes, without spaces; no other key has the name.
    name: str
    #: What it may do.
    role: Role


class KeyRequest(_KeyRequest, total=False):
    """Asks for a key."""

    #: What it may spend; what its role may if absent.
    spend: SpendLimit
    #: How long it works, in milliseconds from now; without end if absent.
    valid_ms: int


class _KeyView(TypedDict):
    #: Since when it exists.
    created_at: Timestamp
    #: Its name.
    name: str
    #: What it may do.
    role: Role


class KeyView(_KeyView, total=False):
    """A key, without its secret, which the node does not keep."""

    #: When it stops working, if ever.
    expires_at: Timestamp
    #: What it may spend, if that is limited.
    spend: SpendView


class Keys(TypedDict):
    """The keys of a node."""

    #: In order of name, those that no longer work among them.
    keys: list[KeyView]


class LedgerEventHead(HeadView):
    """The newest final block; blocks before it may have been left out."""

    event: Literal["head"]


class LedgerEventBlock(TypedDict):
    """A block became final."""

    event: Literal["block"]
    #: What happened beside what transactions say.
    happenings: list[HappeningView]
    #: The block.
    head: HeadView
    #: What this node's account was paid and given in it.
    income_micros: Micros
    #: The ids of its transactions, in order.
    transactions: list[Hash]


#: One server-sent event of the ledger: the SSE field `event` is the tag, `data` this JSON, `id` the
#: height. The stream starts with `head`, and sends it again where a reader was too slow for blocks.
LedgerEvent: TypeAlias = Union['LedgerEventHead', 'LedgerEventBlock']


class _LedgerSummary(TypedDict):
    #: When it was made.
    at: Timestamp
    #: The newest final block that this node knows.
    height: int
    #: This node's part.
    role: RoleView
    #: Why it does not vote, where it should; else empty.
    role_note: str


class LedgerSummary(_LedgerSummary, total=False):
    """The ledger in the node's status."""

    #: What this node's account can spend; absent where the sky has no prices.
    available_micros: Micros


class _LedgerView(TypedDict):
    #: `true`: prices are zero.
    economy_free: bool
    #: Entries of the state.
    entries: int
    #: The sky's first facts, encoded, in hex: what `opensky ledger verify --genesis` takes.
    genesis: str
    #: The newest final block that this node knows.
    head: HeadView
    #: The numbers of the rules.
    params: ParamsView
    #: This node's part.
    role: RoleView
    #: Why it does not vote, where it should; else empty.
    role_note: str
    #: The rules in force.
    rules: int
    #: The sky.
    sky: Hash
    #: Who votes on the next block.
    validators: list[NodeId]
    #: Transactions that wait.
    waiting: int


class LedgerView(_LedgerView, total=False):
    """The ledger in one screen."""

    #: A switch of rules to come.
    rules_next: RulesSwitchView
    #: Where other validators reach it, if it votes.
    validator_address: str


#: How a task runs.
Level: TypeAlias = Literal["function", "vm", "container"]


#: Why a stage runs at its level.
LevelReason: TypeAlias = Literal["given", "only-program", "only-image", "function", "special-hardware", "little-io", "otherwise"]


class _Limits(TypedDict):
    #: Processor, in percent of all cores (0 to 100).
    cpu_percent: int
    #: Disk for others' content and scratch, in bytes.
    disk_bytes: int
    #: Memory for others' tasks, in bytes.
    memory_bytes: int
    #: Only while nobody uses the machine.
    only_when_idle: bool
    #: Price of one billion fuel, in micros; holds in a sky with prices.
    price_per_gfuel: Micros
    #: Whether the machine shares at all.
    share: bool
    #: Degrees Celsius at which running tasks are stopped.
    temperature_critical: int
    #: Degrees Celsius from which no new task starts.
    temperature_warning: int


class Limits(_Limits, total=False):
    """The owner's limits, read and written whole."""

    #: GPUs that programs of others can have, the first so many of those that the container engine
    #: can pass on.
    gpus: int
    #: Only in these hours; absent for always.
    hours: HoursView


class LimitsView(TypedDict):
    """The limits and what they come to now."""

    #: Why nothing is shared now, such as `outside-hours`; empty while sharing.
    closed_reason: str
    #: What the owner set.
    limits: Limits
    #: Tasks that may run at a time under them, on this machine, now.
    slots_total: int


class LinkView(TypedDict):
    """A link that opens one session, once."""

    #: The code.
    code: str
    #: When it stops working.
    expires_at: Timestamp
    #: The page that takes it, below the node's address.
    path: str


class ListOf_NamedBlobItem(TypedDict):
    """An input and its name, which is the task's item."""

    #: BLAKE3 of the content.
    hash: Hash
    #: What `{item}` stands for.
    name: str
    #: Its size, in bytes.
    size_bytes: int


#: A list, in place or, if long, uploaded first as a blob that holds the same JSON array.
ListOf_NamedBlob: TypeAlias = Union['list[ListOf_NamedBlobItem]', 'BlobRef']


#: A list, in place or, if long, uploaded first as a blob that holds the same JSON array.
ListOf_u64: TypeAlias = Union['list[int]', 'BlobRef']


class LoadViewConnections(TypedDict):
    """Connections that are open."""

    count: int
    kind: Literal["connections"]


class LoadViewCpu(TypedDict):
    """Processor time, in percent of its cores."""

    kind: Literal["cpu"]
    percent: int


#: The load of a replica.
LoadView: TypeAlias = Union['LoadViewConnections', 'LoadViewCpu']


class _MemberView(TypedDict):
    #: Where it was last reached, as multiaddresses.
    addresses: list[str]
    #: Whether it is connected now.
    connected: bool
    #: Who.
    node: NodeId


class MemberView(_MemberView, total=False):
    """A node known to belong."""

    #: Who let it in; absent for the founder.
    invited_by: NodeId
    #: When; absent for the founder.
    joined_at: Timestamp


class Members(TypedDict):
    """Members that this node knows, in order of id."""

    #: They.
    members: list[MemberView]


#: Money in micros: 1 credit is 1,000,000.
Micros: TypeAlias = int


class MisfitCountView(TypedDict):
    """Offers that one constraint excluded."""

    #: The constraint, in words.
    constraint: str
    #: How many offers.
    offers: int


class MisfitCountsView(TypedDict):
    """Why no node, or too few, could be used."""

    #: How many each constraint excluded.
    excluded: list[MisfitCountView]
    #: Offers that fit.
    fitting: int
    #: Offers looked at.
    offers: int
    #: All of it in a sentence.
    sentence: str


class _MoneyView(TypedDict):
    #: Owed; income pays it first.
    debt_micros: Micros
    #: Can be spent, staked and withdrawn.
    free_micros: Micros
    #: Can be spent only: it began as a grant or an overdraft.
    granted_micros: Micros
    #: At stake.
    staked_micros: Micros
    #: On its way out of stake.
    unbonding_micros: Micros


class MoneyView(_MoneyView, total=False):
    """Money by where it is."""

    #: Put aside for work, as far as the history that this node keeps tells; absent where it keeps
    #: none.
    escrow_micros: Micros


class NeedsView(TypedDict, total=False):
    """What a program in a container needs beside a processor, memory and files."""

    #: GPUs that are its own while it runs.
    gpus: GpuNeedView
    #: The image, where its host is to take it from a registry. Then its hash and size are left out.
    image: ImageRef
    #: What keeps it from its host.
    isolation: Isolation


class NetworkSummary(TypedDict):
    """The network in numbers."""

    #: Where others say that they reach it.
    external: list[str]
    #: Where this node listens, as multiaddresses.
    listening: list[str]
    #: Connected members.
    peers: int
    #: Of those, reached through another node.
    peers_relayed: int
    #: `public`, `private` or `unknown`.
    reachability: str
    #: See `sent_bytes`.
    received_bytes: int
    #: All traffic since start, in bytes.
    sent_bytes: int


class NewKey(KeyView):
    """A key that was just made."""

    #: What to send as `Authorization: Bearer …`. Shown this once.
    secret: str


#: A node.
NodeId: TypeAlias = str


#: What kind of work a node is meant for.
NodeKind: TypeAlias = Literal["general", "wasm", "ai", "simulation", "storage", "relay", "ingress"]


class _NodeView(TypedDict):
    #: The machine.
    hardware: HardwareView
    #: The owner's limits.
    limits: Limits
    #: Its name for people.
    name: str
    #: Who this is.
    node: NodeId
    #: How the machine is doing.
    readings: ReadingsView


class NodeView(_NodeView, total=False):
    """The node and its machine."""

    #: What it offers now; absent before the first offer.
    offer: OfferView


class Notes(TypedDict):
    """What was noted, oldest first."""

    #: They.
    notes: list[NoteView]


class _OfferView(TypedDict):
    #: Engine and version.
    engine: str
    #: When it stops counting.
    expires_at: Timestamp
    #: The machine.
    hardware: HardwareView
    #: What it is meant for.
    kinds: list[NodeKind]
    #: How it runs tasks.
    levels: list[Level]
    #: When it was made.
    made_at: Timestamp
    #: The provider.
    node: NodeId
    #: Why nothing is shared, if nothing is.
    note: str
    #: Price of one billion fuel, in micros.
    price_per_gfuel: Micros
    #: Where the node is.
    region: Region
    #: Of those, free.
    slots_free: int
    #: Most tasks at a time.
    slots_total: int
    #: The largest limits it accepts for one task.
    task_limits_max: TaskLimitsView


class OfferView(_OfferView, total=False):
    """One offer."""

    #: What containers find there beside a processor, memory and files.
    containers: ContainerOfferView


class Offers(TypedDict):
    """Offers that have not expired, in order of node."""

    #: They.
    offers: list[OfferView]


class _OpenPortRequest(TypedDict):
    #: The service's port.
    port: int


class OpenPortRequest(_OpenPortRequest, total=False):
    """A local address to lead to a port of a service."""

    #: Where to listen; port 0 takes a free one. Absent: a free port of this machine alone.
    listen: str


class OpenPortView(TypedDict):
    """A local address that leads to a service."""

    #: Where the node listens.
    listen: str
    #: The service's port.
    port: int


class _OpenSessionView(TypedDict):
    #: When it ends by itself.
    expires_at: Timestamp
    #: What it is called; opens nothing.
    id: str
    #: Whether it is the caller's own.
    is_own: bool
    #: Since when it is open.
    opened_at: Timestamp
    #: What it may do.
    role: Role


class OpenSessionView(_OpenSessionView, total=False):
    """An open session, as the owner sees it."""

    #: The key that opened it, if one did.
    key: str
    #: The wallet that opened it, if one did.
    wallet: str


class OpenSessions(TypedDict):
    """Open sessions of browsers."""

    #: The latest first.
    sessions: list[OpenSessionView]


class OwnerRequest(TypedDict, total=False):
    """Another owner of this node's account."""

    #: Only try it out.
    dry_run: bool
    #: Who; nobody else if absent.
    owner: Payee


class _ParamsView(TypedDict):
    #: Longest one.
    claim_window_ms_max: int
    #: Shortest time in which a consumer may object to a claim.
    claim_window_ms_min: int
    #: Blocks of an epoch.
    epoch_blocks: int
    #: Longest time that an escrow may be open.
    escrow_ms_max: int
    #: What a first income must be.
    new_account_min_micros: Micros
    #: Most transactions of a block.
    transactions_max: int
    #: How long stake is on its way out.
    unbonding_ms: int
    #: Least stake of a validator, in a sky without an authority.
    validator_stake_min_micros: Micros


class ParamsView(_ParamsView, total=False):
    """Those numbers of the rules that people ask for."""

    #: Who names validators and rules, in a private sky.
    authority: AccountId


#: How a peer is reached.
PathView: TypeAlias = Literal["direct", "relayed"]


#: An account (`osk1…`), or the node whose account it is (`12D3KooW…`).
Payee: TypeAlias = str


class _PeerView(TypedDict):
    #: At which multiaddress.
    address: str
    #: Software and version it says to run.
    agent: str
    #: Who.
    node: NodeId
    #: How it is reached.
    path: PathView


class PeerView(_PeerView, total=False):
    """One connected member."""

    #: Its region, once its offer was seen.
    region: Region
    #: Last round trip, in microseconds, once measured.
    rtt_us: int


class Peers(TypedDict):
    """Connected members."""

    #: In order of id.
    peers: list[PeerView]


#: A place in a history: `HEIGHT:INDEX`.
Place: TypeAlias = str


class PriceHistory(TypedDict):
    """Prices that this node has seen since it started, for a day at most."""

    #: One a minute, oldest first; none for minutes without offers.
    samples: list[PriceSample]


class PriceRange(TypedDict):
    """Prices, in micros."""

    #: The highest.
    highest: Micros
    #: The lowest.
    lowest: Micros
    #: The one in the middle.
    median: Micros


class PriceSample(TypedDict):
    """Prices of work in one moment, over the live offers that share something."""

    #: When.
    at: Timestamp
    #: How many offers.
    offers: int
    #: The highest.
    price_max: Micros
    #: That which half of the offers are not above.
    price_median: Micros
    #: Lowest price of one billion fuel, in micros.
    price_min: Micros
    #: Tasks that all of them could take at that moment.
    slots_free: int


class ProbeViewTcp(TypedDict):
    """The port takes a connection."""

    kind: Literal["tcp"]
    port: int


class ProbeViewHttp(TypedDict):
    """`GET path` is answered with a status from 200 to 399."""

    kind: Literal["http"]
    path: str
    port: int


class ProbeViewCommand(TypedDict):
    """The command, run beside the program, ends with 0."""

    args: list[str]
    kind: Literal["command"]


#: One try.
ProbeView: TypeAlias = Union['ProbeViewTcp', 'ProbeViewHttp', 'ProbeViewCommand']


class _Problem(TypedDict):
    #: Which problem.
    code: Code
    #: What happened and why, this time.
    detail: str
    #: The HTTP status.
    status: int
    #: `Code::title`.
    title: str


class Problem(_Problem, total=False):
    """The body of every error answer."""

    #: What to do next, where there is something.
    next: str
    #: Where the code is explained: `Code::uri`.
    type: str


class ProgramRequest(TypedDict, total=False):
    """A program and how it is called. `{item}` in an argument stands for the task's own item."""

    #: Arguments after the program's name, or the function's arguments as WAVE values.
    args: list[str]
    #: Fixed clock, seeded randomness, canonical NaN.
    deterministic: bool
    #: Environment variables.
    env: list[tuple[str, str]]
    #: For level `function`: the exported function.
    function: str
    #: The uploaded WASM module, component or image, by hash. Of an image in a registry that of its
    #: name, which may be left out.
    hash: Hash
    #: How it runs.
    level: Level
    #: For level `container`: what it needs beside a processor, memory and files.
    needs: NeedsView
    #: Its size, in bytes; 0 of an image in a registry.
    size_bytes: int


class _QuoteView(TypedDict):
    #: What this node's account can spend now, in micros.
    available_micros: Micros
    #: In micros, if every run used all the fuel that it may, on the dearest node that fits; the
    #: budget, if that is less.
    cost_max_micros: Micros
    #: `true`: prices are zero.
    economy_free: bool
    #: Each stage, in order.
    stages: list[StageQuoteView]


class QuoteView(_QuoteView, total=False):
    """What a job would cost, all in: the ledger takes no fees, and data moves for nothing."""

    #: The owner's bound, in micros.
    budget_micros: Micros
    #: In micros, by what the same programs used before, at the median price; absent where one never
    #: ran.
    cost_expected_micros: Micros


class _ReadingsView(TypedDict):
    #: Processor use by others than this node, in percent of all cores.
    cpu_busy_percent: int
    #: Free disk, in bytes.
    disk_free_bytes: int
    #: Memory that new work could take, in bytes.
    memory_available_bytes: int


class ReadingsView(_ReadingsView, total=False):
    """Live readings."""

    #: Milliseconds since somebody used keyboard or pointer, where the system tells.
    idle_ms: int
    #: Hottest sensor, in degrees Celsius, where there is one.
    temperature_celsius: int


#: A finite number.
Real: TypeAlias = float


class ReceiptView(TypedDict):
    """A receipt as shown and as kept in a file for `opensky verify`. Only `proof` counts; the
    other fields are for people and are checked against it.
    """

    #: The agreement.
    agreement: AgreementId
    #: Which try.
    attempt: int
    #: For whom.
    consumer: NodeId
    #: End on the provider's clock.
    ended_at: Timestamp
    #: Engine and version.
    engine: str
    #: Hash of the engine's configuration.
    engine_config: Hash
    #: Whether the program ran to its end.
    exited: bool
    #: The receipt's id.
    id: Hash
    #: The input.
    input: Hash
    #: The job.
    job: JobId
    #: The result.
    output: Hash
    #: The price, in micros.
    price: Micros
    #: The program.
    program: Hash
    #: The canonical bytes of the whole proof, in hex.
    proof: str
    #: Who did the work.
    provider: NodeId
    #: Who vouches for it.
    standing: StandingView
    #: Start on the provider's clock.
    started_at: Timestamp
    #: The task.
    task: TaskId
    #: What it used.
    usage: UsageView


#: A region of the world.
Region: TypeAlias = Literal["unknown", "asia", "north-america", "europe", "africa", "south-america", "oceania", "middle-east"]


class RenameRequest(TypedDict):
    """Asks for another name of the node."""

    #: For people; up to 64 characters, none of them a control character. Empty: the end of the
    #: node's id.
    name: str


#: A replica: `SERVICE.SLOT.GENERATION`.
ReplicaId: TypeAlias = str


class ReplicaLimitsView(TypedDict, total=False):
    """What one replica may use. Absent ones have their default."""

    #: Cores.
    cpu_cores: int
    #: Memory, in bytes.
    memory_bytes: int
    #: Files it may write beside its volumes, in bytes.
    scratch_bytes: int


#: How a replica stands.
ReplicaState: TypeAlias = Literal["preparing", "starting", "healthy", "unhealthy", "waiting", "leaving", "failed", "ended", "moving"]


class _ReplicaView(TypedDict):
    #: Whether it was asked to end.
    ending: bool
    #: Whether its host has fallen silent.
    lost: bool
    #: Where it runs.
    node: NodeId
    #: Its name.
    replica: ReplicaId
    #: Of which revision.
    revision: int
    #: Which of the service's replicas, from 0.
    slot: int
    #: How it stands, as last heard.
    state: ReplicaState


class ReplicaView(_ReplicaView, total=False):
    """A replica as a node knows it."""

    #: Connections that are open through its host.
    connections: int
    #: Processor time that it takes, in percent of its cores; where the service scales by it.
    cpu_percent: int
    #: For how long it has stood so, in milliseconds; known to keepers, like what follows.
    for_ms: int
    #: What its program wrote last, where something is wrong.
    last_words: str
    #: What is wrong, where something is.
    problem: str
    #: How often its program was started again.
    restarts: int
    #: What was saved last of its volumes; known to keepers.
    saved: SavedView


class _ReputationView(TypedDict):
    #: Whether it is banned for good.
    is_banned: bool
    #: From 0 to 1000.
    score: int
    #: `probation`, `new`, `established`, `trusted` or `veteran`.
    tier: str


class ReputationView(_ReputationView, total=False):
    """How far an account is trusted."""

    #: Until when it may take no work, if that is still to come.
    frozen_until: Timestamp


#: Whether a replica starts again.
Restart: TypeAlias = Literal["always", "on-failure", "never"]


class RetryView(TypedDict, total=False):
    """After which failures a task is tried again, and how soon."""

    #: Longest such wait, in milliseconds.
    backoff_max_ms: int
    #: Milliseconds that a task waits after its first failure; doubles with each further one.
    backoff_ms: int
    #: If any are named, only these exit codes are worth another try.
    exit_codes: list[int]
    #: Runs of one task that may be lost by no fault of the program before the job stops.
    losses_max: int
    #: Kinds of failures that are worth another try on another node; any other stops the job at
    #: once. All, if absent.
    on: list[FailureKind]


#: What a caller may do. Each may do what the one before may.
Role: TypeAlias = Literal["viewer", "operator", "owner"]


#: A node's part in the agreement on blocks.
RoleView: TypeAlias = Literal["follower", "validator", "stopped"]


class RulesSwitchView(TypedDict):
    """A switch of rules."""

    #: The first height under it.
    height: int
    #: To which version.
    version: int


class _RunView(TypedDict):
    #: Which try.
    attempt: int
    #: Files under `/out`, in order of path.
    files: list[FileView]
    #: Who ran it.
    node: NodeId
    #: The hash that replicas are compared by.
    output: Hash
    #: Standard error.
    stderr: ContentView
    #: Standard output, kept for failed runs too.
    stdout: ContentView
    #: Which task.
    task: TaskId
    #: What it used.
    usage: UsageView
    #: How it was judged.
    verdict: VerdictView


class RunView(_RunView, total=False):
    """One run of one task."""

    #: Its exit code, if it ran to its end.
    exit_code: int
    #: Whether the result that was accepted is that the task failed: in a stage that may fail.
    failed: bool
    #: Why it did not, in a sentence.
    failure: str
    #: Its receipt, if one came.
    receipt: Hash


class _Runs(TypedDict):
    #: They.
    runs: list[RunView]


class Runs(_Runs, total=False):
    """A page of runs, in the order they were judged."""

    #: Where the next page starts; absent at the end. Opaque.
    next: str


class SavedView(TypedDict):
    """The volumes of a replica as they were at one moment."""

    #: When, by the clock of its host.
    at: Timestamp
    #: Whether the keeper that was asked holds it: it goes on from here if the host is lost.
    held: bool
    #: How much it is, packed.
    size_bytes: int


class ScaleRequest(TypedDict):
    """How many replicas are to run."""

    #: How many.
    replicas: int


#: A service: a hash of its owner and its name.
ServiceId: TypeAlias = str


class ServiceLinkView(TypedDict):
    """Another service that a program reaches as `host:port`."""

    #: The name under which the program knows it.
    host: str
    #: Its port.
    port: int
    #: Which service.
    service: ServiceRef


class _ServiceNoteView(TypedDict):
    #: When.
    at: Timestamp
    #: What, in a sentence.
    text: str


class ServiceNoteView(_ServiceNoteView, total=False):
    """Something that happened to a service."""

    #: To which replica, where it is about one.
    slot: int


#: A service by name, `web`, or `web@NODE` of another owner.
ServiceRef: TypeAlias = str


class _ServiceRequest(TypedDict):
    #: Its name among the services of this node: a label as in DNS.
    name: str


class ServiceRequest(_ServiceRequest, total=False):
    """A service to declare, or its next revision."""

    #: Arguments after the image's entry point; none: the image's usual command.
    args: list[str]
    #: Which nodes may run it.
    constraints: ConstraintsView
    #: Environment variables: pairs of a name and a value.
    env: list[tuple[str, str]]
    #: How its health is seen. Absent: what runs is healthy.
    health: HealthView
    #: After so many milliseconds without a connection nothing of a component is in memory; the next
    #: one starts it. Absent: it stays.
    idle_ms: int
    #: The uploaded image, by hash; for the level `vm` a component that answers HTTP. Of an image in
    #: a registry that of its name, which may be left out.
    image: Hash
    #: Size of the image's archive, in bytes; 0 of an image in a registry.
    image_size_bytes: int
    #: How it runs: `container`, or `vm` for a component.
    level: Level
    #: What each may use.
    limits: ReplicaLimitsView
    #: Other services that the program reaches by name.
    links: list[ServiceLinkView]
    #: For the level `container`: what it needs beside a processor, memory and files.
    needs: NeedsView
    #: Ports of the program that members may reach.
    ports: list[int]
    #: How many of it run.
    replicas: int
    #: Whether it starts again when its program ends.
    restart: Restart
    #: As many run as their load needs; `replicas` is then how many there are at first.
    scale: ServiceScaleView
    #: What only those who run it can read. Their values are never shown.
    secrets: list[ServiceSecretView]
    #: Time to end after it was asked to, in milliseconds.
    stop_ms: int
    #: How a new revision takes the place of the one before.
    update: UpdateView
    #: Folders that stay when its program ends.
    volumes: VolumesView


class ServiceScaleView(TypedDict):
    """How many replicas run, by their load."""

    #: No more.
    max: int
    #: No fewer.
    min: int
    #: What each is to have.
    target: LoadView


class _ServiceSecretView(TypedDict):
    #: Whether the program finds it as the file `/run/secrets/NAME`.
    file: bool
    #: Its name.
    name: str


class ServiceSecretView(_ServiceSecretView, total=False):
    """A secret of a service."""

    #: The environment variable of the program that holds it.
    env: str
    #: What it is, in Base64. Never in an answer; absent in a request: what it is already.
    value: str


#: How a service is, all in all.
ServiceStateView: TypeAlias = Literal["starting", "healthy", "updating", "degraded", "down", "removed"]


class _ServiceView(TypedDict):
    #: Whether this node acts as its keeper.
    acting: bool
    #: When the newest revision was declared.
    declared_at: Timestamp
    #: Who keeps it up, in order.
    keepers: list[NodeId]
    #: Its name among its owner's services.
    name: str
    #: What happened lately, oldest first; known to its keepers.
    notes: list[ServiceNoteView]
    #: Local addresses of this node that lead to it.
    open_ports: list[OpenPortView]
    #: Whether it is this node's own.
    own: bool
    #: Whose it is.
    owner: NodeId
    #: Ports that members may reach.
    ports: list[int]
    #: Its replicas, by slot.
    replicas: list[ReplicaView]
    #: The newest revision.
    revision: int
    #: Its id.
    service: ServiceId
    #: All in all.
    state: ServiceStateView
    #: The revision that is to run: an earlier one where the newest did not get healthy.
    wanted: int


class ServiceView(_ServiceView, total=False):
    """A service as a node knows it."""

    #: What went wrong with the last one.
    failure: str
    #: How often replicas of the revision that is to run failed, while none of them has been well
    #: yet.
    failures: int
    #: Why the newest revision is not the one that runs.
    problem: str
    #: Nodes that can read its secrets: its owner, and those that may run it. Empty for one without
    #: secrets; known to its owner and its keepers.
    readers: list[NodeId]
    #: How many replicas are to run; known to keepers.
    replicas_wanted: int
    #: What runs; known to its owner and its keepers.
    spec: ServiceRequest


class Services(TypedDict):
    """Services that a node owns, keeps or has heard of."""

    #: In order of name.
    services: list[ServiceView]


class SessionRequest(TypedDict, total=False):
    """Asks for a session."""

    #: The code of a link. Absent where the request carries an API key: the session may what the key
    #: may, and ends with it.
    code: str


class _SessionView(TypedDict):
    #: What the caller may do.
    role: Role


class SessionView(_SessionView, total=False):
    """A session. Its secret is in the cookie only."""

    #: When it ends by itself; absent for whoever holds the token.
    expires_at: Timestamp
    #: The wallet that logged in, if one did.
    wallet: str


#: Who set a value; the first of these that names it wins.
SettingSource: TypeAlias = Literal["flag", "environment", "file", "default"]


class _SettingView(TypedDict):
    #: Its name, as in the configuration file.
    key: str
    #: Who set it.
    source: SettingSource
    #: Its value as text; secrets are never shown.
    value: str


class SettingView(_SettingView, total=False):
    """One setting."""

    #: The flag, variable or file that did, where there is one.
    origin: str


class SharingView(TypedDict):
    """What the node does for others now."""

    #: Why nothing is shared, such as `outside-hours`; empty while sharing.
    closed_reason: str
    #: Tasks that run.
    slots_busy: int
    #: Tasks that may run at a time.
    slots_total: int
    #: Tasks finished for others since start.
    tasks_done: int


class SkyView(TypedDict):
    """A sky."""

    #: `true`: prices are zero.
    economy_free: bool
    #: When.
    founded_at: Timestamp
    #: Who founded it.
    founder: NodeId
    #: Its name.
    name: str
    #: Its id.
    sky: Hash


class SpendLimit(TypedDict):
    """What a key may spend: on transfers, stake, and the budgets of jobs."""

    #: How much.
    limit_micros: Micros
    #: For how long.
    per: SpendPer


#: For how long a limit holds.
SpendPer: TypeAlias = Literal["ever", "day"]


class SpendView(TypedDict):
    """A limit, and what of it is spent."""

    #: How much.
    limit_micros: Micros
    #: For how long.
    per: SpendPer
    #: What is spent of it. A job counts with its budget.
    spent_micros: Micros


class _StageQuoteView(TypedDict):
    #: As of the whole job.
    cost_max_micros: Micros
    #: Its name.
    name: str
    #: Who fits, and what excluded the others.
    nodes: MisfitCountsView
    #: Runs that are paid for if nothing goes wrong, replicas and expected checks with them.
    runs: int
    #: Its tasks.
    tasks: int


class StageQuoteView(_StageQuoteView, total=False):
    """What a stage would cost."""

    #: As of the whole job.
    cost_expected_micros: Micros
    #: Prices of one billion fuel among those that fit; absent if nobody does.
    prices_per_gfuel: PriceRange


class _StageRequest(TypedDict):
    #: One task per input.
    inputs: InputsRequest
    #: Unique in the job, up to 64 characters.
    name: str
    #: What to run.
    program: ProgramRequest


class StageRequest(_StageRequest, total=False):
    """One stage: the same program over many inputs."""

    #: Whether a non-zero exit code is a result like any other.
    accept_any_exit: bool
    #: Positions of stages that must be complete before this one starts.
    after: list[int]
    #: For mode `checked`: what checks them.
    check: CheckView
    #: Which nodes may run it.
    constraints: ConstraintsView
    #: Distinct nodes on which one task may fail before the job stops.
    failures_max: int
    #: Whether stragglers get a second copy elsewhere.
    hedge: bool
    #: Why it runs at its level, for `opensky why`.
    level_reason: LevelReason
    #: Limits of each task.
    limits: TaskLimitsView
    #: Whether a task that fails for good is a result like any other, and the job goes on.
    may_fail: bool
    #: After which failures a task is tried again, and how soon.
    retry: RetryView
    #: How results are checked.
    verify: VerifyView
    #: What must hold of earlier stages; else all tasks are skipped.
    when: list[ConditionView]


#: How a stage stands.
StageStateView: TypeAlias = Literal["waiting", "running", "succeeded", "failed", "skipped", "stopped"]


class _StageView(TypedDict):
    #: Whether it is the last: no other stage reads its outputs.
    is_last: bool
    #: How it runs.
    level: Level
    #: Its name.
    name: str
    #: Its program.
    program: Hash
    #: How it stands.
    state: StageStateView
    #: Its tasks.
    tasks: TaskCounts
    #: How results are checked.
    verify: VerifyView


class StageView(_StageView, total=False):
    """A stage."""

    #: Set while it waits for a node.
    waiting_for: MisfitCountsView


class _StakeRequest(TypedDict):
    #: How much.
    amount_micros: Micros


class StakeRequest(_StakeRequest, total=False):
    """An amount into or out of stake."""

    #: Only try it out.
    dry_run: bool


#: How a check ended.
Standing: TypeAlias = Literal["ok", "skipped", "warning", "broken"]


#: Who vouches for a receipt.
StandingView: TypeAlias = Literal["claimed", "rejected", "accepted"]


#: How a job stands.
StateView: TypeAlias = Literal["waiting", "running", "succeeded", "failed", "cancelled"]


class Status(TypedDict):
    """How the node is doing, in one screen."""

    #: Its data folder.
    data_dir: str
    #: Jobs of its owner that have not ended.
    jobs_open: int
    #: The sky's ledger.
    ledger: LedgerSummary
    #: Its name for people.
    name: str
    #: Its place in the network.
    network: NetworkSummary
    #: Who this is.
    node: NodeId
    #: Its clock when it answered.
    now: Timestamp
    #: Offers it knows, its own among them.
    offers: int
    #: Its own memory, in bytes, worker processes not counted.
    resident_bytes: int
    #: What it does for others.
    sharing: SharingView
    #: The sky it belongs to.
    sky: SkyView
    #: When it started.
    started_at: Timestamp
    #: Its store of content.
    storage: StorageView
    #: Software version.
    version: str


class StorageView(TypedDict):
    """The blob store."""

    #: The most it may use, in bytes.
    cap_bytes: int
    #: In use, in bytes.
    used_bytes: int


#: Which output of a task.
StreamView: TypeAlias = Literal["stdout", "stderr"]


class _SubmitRequest(TypedDict):
    #: The encoded transaction with its signatures, in hex.
    transaction: str


class SubmitRequest(_SubmitRequest, total=False):
    """A transaction that somebody signed elsewhere."""

    #: Only try it out.
    dry_run: bool


class Submitted(TypedDict):
    """The answer to a submission. The job is on disk if it was submitted as durable."""

    #: Its id.
    job: JobId
    #: Tasks in all.
    tasks: int


class _TaskCounts(TypedDict):
    #: With an accepted result.
    done: int
    #: Given up, or failed for good in a stage that may fail.
    failed: int
    #: Handed out, running, or being compared with replicas.
    running: int
    #: Not handed out: waiting for a slot, for inputs or for an earlier stage.
    waiting: int


class TaskCounts(_TaskCounts, total=False):
    """Tasks by where they are; the numbers add up to the count of tasks."""

    #: Not to run, by a condition or because what they read has no result.
    skipped: int


#: A task of a job: `STAGE.INDEX`, both from 0.
TaskId: TypeAlias = str


class TaskLimitsView(TypedDict, total=False):
    """The hard limits of one task. Absent ones have their default."""

    #: Fuel, about one unit per WASM instruction.
    fuel: int
    #: Linear memory, in bytes.
    memory_bytes: int
    #: Standard output, standard error and output files, each kind on its own, in bytes.
    output_bytes: int
    #: Files written, in bytes.
    scratch_bytes: int
    #: Wall time, in milliseconds.
    wall_ms: int


#: Of which tasks a test must hold.
TasksMeantView: TypeAlias = Literal["all", "any", "each"]


class TestViewSucceeded(TypedDict):
    """It did not fail; one that was skipped did not."""

    kind: Literal["succeeded"]


class TestViewFailed(TypedDict):
    """It failed, in a stage that may."""

    kind: Literal["failed"]


class TestViewSkipped(TypedDict):
    """It was skipped."""

    kind: Literal["skipped"]


class TestViewExitCode(TypedDict):
    """It ended with one of these exit codes."""

    codes: list[int]
    kind: Literal["exit-code"]


class TestViewOutput(TypedDict):
    """Its standard output is this text, white space at both ends aside."""

    kind: Literal["output"]
    text: str


class TestViewFile(TypedDict):
    """It left this file under `/out`."""

    kind: Literal["file"]
    path: str


#: A test of one task.
TestView: TypeAlias = Union['TestViewSucceeded', 'TestViewFailed', 'TestViewSkipped', 'TestViewExitCode', 'TestViewOutput', 'TestViewFile']


#: A moment, in milliseconds since 1970-01-01 UTC.
Timestamp: TypeAlias = int


class _TransactionView(TypedDict):
    #: Where it is.
    standing: WhereView


class TransactionView(_TransactionView, total=False):
    """A transaction."""

    #: The block's time.
    at: Timestamp
    #: What would follow from it, for one that was only tried out.
    happenings: list[HappeningView]
    #: The block it is in, once it is final.
    height: int
    #: Its id; absent for one that was only tried out.
    id: Hash
    #: What it does, in a sentence, where this answer is to whoever asked for it; else empty.
    sentence: str


class _TransferRequest(TypedDict):
    #: How much.
    amount_micros: Micros
    #: To whom: an account or a node.
    to: Payee


class TransferRequest(_TransferRequest, total=False):
    """A transfer out of this node's account."""

    #: Only try it out.
    dry_run: bool
    #: A few words, at most 64 bytes.
    memo: str


class TypedCheckpoint(TypedDict):
    """Typed data of EIP-712, as `eth_signTypedData` and its verifiers take it."""

    #: Where it counts.
    domain: CheckpointDomain
    #: What it says.
    message: CheckpointMessage
    #: Always `Checkpoint`.
    primaryType: str
    #: The type: `Checkpoint(uint64 epoch,…)`.
    type: str


class UnbondingView(TypedDict):
    """Stake on its way out."""

    #: How much.
    amount_micros: Micros
    #: From when it is free.
    free_at: Timestamp


class UpdateView(TypedDict, total=False):
    """How a new revision takes the place of the one before. Absent ones have their default."""

    #: Time in which each new one must get healthy, in milliseconds.
    healthy_ms: int
    #: Replicas that are replaced at a time.
    parallel: int
    #: Whether the revision before goes on where the new one does not get healthy.
    rollback: bool


class UsageView(TypedDict):
    """Metered use of one run, or the sum over many."""

    #: Processor time, in microseconds; 0 where the kernel could not say.
    cpu_us: int
    #: Fuel: about one unit per WASM instruction.
    fuel: int
    #: Input read, in bytes.
    input_bytes: int
    #: Largest linear memory of any one run, in bytes.
    memory_peak_bytes: int
    #: Output written, in bytes.
    output_bytes: int
    #: Wall time, in microseconds.
    wall_us: int


class _ValidatorRequest(TypedDict):
    #: Which node.
    node: NodeId


class ValidatorRequest(_ValidatorRequest, total=False):
    """Asks to add or remove a validator."""

    #: Only try it out.
    dry_run: bool


class ValidatorView(TypedDict):
    """One validator, or one that would be."""

    #: Whose stake answers for it.
    account: AccountId
    #: Whether it is a candidate for the next.
    is_candidate: bool
    #: Whether it is this node.
    is_own: bool
    #: The node that votes.
    node: NodeId
    #: How far it is trusted.
    reputation: ReputationView
    #: What it has at stake.
    staked_micros: Micros
    #: Whether it votes in this epoch.
    votes_now: bool


class _Validators(TypedDict):
    #: Blocks of an epoch.
    epoch_blocks: int
    #: The block after which this was read.
    head: HeadView
    #: In the order of their ids.
    validators: list[ValidatorView]


class Validators(_Validators, total=False):
    """Who votes, and who may from the next epoch on."""

    #: Who names validators, in a private sky.
    authority: AccountId


#: How a run was judged.
VerdictView: TypeAlias = Literal["accepted", "agreed", "failed", "rejected", "undecided"]


class VerifyViewNone(TypedDict):
    """One run, believed."""

    mode: Literal["none"]


class VerifyViewSample(TypedDict):
    """One run; a share of tasks is run again elsewhere and compared."""

    mode: Literal["sample"]
    per_mille: int


class VerifyViewQuorum(TypedDict):
    """At least `agree` of `replicas` runs on distinct nodes must have the same result; a tie
    asks for more, up to `replicas_max`.
    """

    agree: int
    mode: Literal["quorum"]
    replicas: int
    replicas_max: int


class VerifyViewReputation(TypedDict):
    """One run; run again elsewhere and compared as often as the standing of the node that ran it
    asks.
    """

    mode: Literal["reputation"]


class VerifyViewChecked(TypedDict):
    """Results are looked at by the stage's check. With `agree` of 1, each by itself; else as in
    a quorum, but results are alike if the check says so.
    """

    agree: int
    mode: Literal["checked"]
    replicas: int
    replicas_max: int


#: How results are verified.
VerifyView: TypeAlias = Union['VerifyViewNone', 'VerifyViewSample', 'VerifyViewQuorum', 'VerifyViewReputation', 'VerifyViewChecked']


class VolumeView(TypedDict):
    """One such folder."""

    #: Its name.
    name: str
    #: Where the program finds it.
    path: str
    #: Most bytes in it.
    size_bytes: int


class _VolumesView(TypedDict):
    #: The folders, 1 to 8.
    mounts: list[VolumeView]


class VolumesView(_VolumesView, total=False):
    """Folders of a replica that stay when its program ends. Each slot of the service has its
    own.
    """

    #: Time between two saves while the program runs, in milliseconds: a second to a day.
    save_ms: int
    #: How long a host that does not answer is waited for before what was saved last goes on
    #: elsewhere, in milliseconds: at most a day.
    wait_ms: int


class Wallet(TypedDict):
    """An account, with those of the nodes that name it as their owner, all read after the same
    block.
    """

    #: Whose wallet.
    account: AccountId
    #: The account itself, then those that it owns.
    accounts: list[AccountView]
    #: `true`: prices are zero.
    economy_free: bool
    #: The block after which all was read.
    head: HeadView
    #: The sum over them.
    total: MoneyView


class WalletLogin(TypedDict):
    """A wallet that may log in."""

    #: Its address.
    address: str
    #: Since when it may.
    created_at: Timestamp
    #: What it may do.
    role: Role


class WalletLoginRequest(TypedDict):
    """Names a wallet that may log in, or gives it another role."""

    #: Its address, such as `0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed`.
    address: str
    #: What it may do.
    role: Role


class WalletLogins(TypedDict):
    """Wallets that may log in."""

    #: In order of address.
    wallets: list[WalletLogin]


class WalletSessionRequest(TypedDict):
    """Asks for a session with a signed message."""

    #: The message, as it was signed.
    message: str
    #: The signature: `0x` and 130 hex digits.
    signature: str


class WhenViewReceived(TypedDict):
    """Whenever something is received: this part of it, in hundredths."""

    kind: Literal["received"]
    percent: int


class WhenViewAbove(TypedDict):
    """Whenever more than this is available: what is above."""

    kind: Literal["above"]
    threshold_micros: Micros


class _WhenViewEvery(TypedDict):
    amount_micros: Micros
    interval_ms: int
    kind: Literal["every"]


class WhenViewEvery(_WhenViewEvery, total=False):
    """This amount, each time so much time has passed since `last_at`, which is now if absent."""

    last_at: Timestamp


#: When an automatic transfer is due.
WhenView: TypeAlias = Union['WhenViewReceived', 'WhenViewAbove', 'WhenViewEvery']


#: Where a transaction is.
WhereView: TypeAlias = Literal["dry-run", "waiting", "final", "unknown"]
