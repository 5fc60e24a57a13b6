//! One plausible value of each record, always the same, for tests of any crate (feature `testing`).
//!
//! Values of one sample fit together: the provider's key signs what the provider says, and receipts
//! name the agreement made of [`terms`].

use crate::{
    agreement::{Acceptance, Terms},
    hash::Hash,
    ids::{AgreementId, JobId, TaskId},
    job::{
        Blob, Check, Checker, Condition, FailureKind, GpuNeed, GpuVendor, ImageRef, Isolation, JobNote,
        JobSpec, LevelReason, Needs, Program, Real, Retry, StageInputs, StageSpec, TasksMeant, Test,
        Tolerance, Verify,
    },
    key::{Keypair, NodeId},
    membership::{EPOCH_BLOCKS, Genesis, Invite, InvitePolicy, MembershipChain},
    merkle,
    offer::{Constraints, ContainerOffer, Offer},
    place::{Level, NodeKind, Region},
    reason::Reason,
    receipt::{Batch, BatchHead, Countersignature, Receipt, ReceiptProof},
    resources::{Gpu, HardwareProfile, TaskLimits, Usage},
    service::{
        Advert, Declaration, Declared, Earlier, HealthCheck, Link, Load, Placement, Probe, Reader, ReplicaId,
        ReplicaLimits, ReplicaReport, ReplicaState, Restart, SaveId, Saved, Scale, Secret, Secrets,
        ServiceRef, ServiceSpec, Update, Volume, Volumes,
    },
    signed::Signed,
    task::{Assignment, Content, Outcome, TaskInput, TaskOutput, TaskReport},
    units::{Micros, Timestamp},
};

/// 2026-01-01 00:00 UTC.
pub const NOW: Timestamp = Timestamp::from_millis(1_767_225_600_000);

/// The key of test node `number`.
pub fn keypair(number: u8) -> Keypair {
    Keypair::from_seed([number; 32])
}

/// Test node `number`.
pub fn node(number: u8) -> NodeId {
    keypair(number).id()
}

/// The founder's key.
pub fn founder() -> Keypair {
    keypair(1)
}

/// The consumer's key.
pub fn consumer() -> Keypair {
    keypair(2)
}

/// The provider's key.
pub fn provider() -> Keypair {
    keypair(3)
}

/// A job's id.
pub fn job_id() -> JobId {
    JobId::from_bytes([7; 10])
}

/// Task `index` of the first stage.
pub fn task_id(index: u32) -> TaskId {
    TaskId { stage: 0, index }
}

/// A blob that is nowhere.
pub fn blob() -> Blob {
    Blob { hash: Hash::of(b"a blob"), size_bytes: 6 }
}

/// A command program with arguments.
pub fn program() -> Program {
    Program {
        hash: Hash::of(b"a program"),
        size_bytes: 9,
        level: Level::Vm,
        function: String::new(),
        args: vec!["--item".into(), "{item}".into()],
        env: vec![("LANG".into(), "C".into())],
        deterministic: true,
        needs: Needs::default(),
    }
}

/// An image of a registry that needs two GPUs.
pub fn needy_program() -> Program {
    let image: ImageRef = format!("ghcr.io/owner/name@sha256:{}", "0a".repeat(32)).parse().expect("an image");
    let gpus = GpuNeed {
        count: 2,
        memory_bytes_min: 16 << 30,
        vendor: Some(GpuVendor::Nvidia),
        model: "a100".into(),
    };
    Program {
        hash: image.hash(),
        size_bytes: 0,
        level: Level::Container,
        deterministic: false,
        needs: Needs { image: Some(image), isolation: Isolation::Any, gpus: Some(gpus) },
        ..program()
    }
}

/// A stage of `tasks` tasks, each run once and believed.
pub fn stage(name: &str, tasks: u32) -> StageSpec {
    StageSpec {
        name: name.into(),
        program: program(),
        inputs: StageInputs::Numbers { from: 0, to: i64::from(tasks), step: 1 },
        after: Vec::new(),
        limits: TaskLimits::default(),
        constraints: Constraints::default(),
        verify: Verify::None,
        failures_max: 3,
        retry: Retry::default(),
        level_reason: LevelReason::Given,
        check: None,
        when: Vec::new(),
        may_fail: false,
        accept_any_exit: false,
        hedge: true,
    }
}

/// A condition on the first stage.
pub fn condition() -> Condition {
    Condition { stage: 0, of: TasksMeant::Any, test: Test::ExitCode { codes: vec![1, 2] }, not: true }
}

/// A job of one stage of `tasks` tasks.
pub fn job(tasks: u32) -> JobSpec {
    JobSpec {
        name: "sample".into(),
        stages: vec![stage("map", tasks)],
        wait_ms: 60_000,
        deadline_ms: None,
        budget: None,
        seed: 42,
        durable: true,
    }
}

/// A job whose second stage has all the rules that a stage may have.
pub fn ruled_job() -> JobSpec {
    let mut spec = job(2);
    spec.stages[0].may_fail = true;
    spec.stages[0].verify = Verify::Checked { agree: 2, replicas: 2, replicas_max: 5 };
    let real = |number| Real::new(number).expect("it is finite");
    let tolerance = Tolerance { absolute: real(0.5), relative: real(0.0) };
    spec.stages[0].check = Some(Check::Tolerance(tolerance));
    let mut second = stage("second", 1);
    second.level_reason = LevelReason::OnlyProgram;
    second.verify = Verify::Checked { agree: 1, replicas: 1, replicas_max: 1 };
    second.check = Some(Check::Program(Checker {
        program: Hash::of(b"a checker"),
        size_bytes: 9,
        args: vec!["{item}".into()],
        score_min: Some(real(0.25)),
        limits: TaskLimits::default(),
    }));
    second.retry = Retry {
        on: vec![FailureKind::ExitCode, FailureKind::Loss],
        exit_codes: vec![75],
        losses_max: 9,
        backoff_ms: 1_000,
        backoff_max_ms: 60_000,
    };
    second.when = vec![
        condition(),
        Condition { test: Test::Output { text: "go".into() }, not: false, ..condition() },
        Condition { of: TasksMeant::All, test: Test::File { path: "a/b".into() }, not: false, stage: 0 },
        Condition { of: TasksMeant::All, test: Test::Succeeded, not: false, stage: 0 },
    ];
    spec.stages.push(second);
    spec
}

/// A map-reduce job that uses every field that may be left empty.
pub fn full_job() -> JobSpec {
    let mut map = stage("map", 0);
    map.inputs = StageInputs::Slices { blob: Blob { size_bytes: 100, ..blob() }, cuts: vec![0, 40, 100] };
    map.constraints = constraints();
    map.verify = Verify::Quorum { agree: 2, replicas: 2, replicas_max: 3 };
    let mut reduce = stage("reduce", 0);
    reduce.program.level = Level::Function;
    reduce.program.function = "merge".into();
    reduce.inputs = StageInputs::Reduce { stage: 0, fan_in: 16 };
    reduce.after = vec![0];
    reduce.verify = Verify::Sample { per_mille: 50 };
    JobSpec { stages: vec![map, reduce], deadline_ms: Some(3_600_000), ..job(0) }
}

/// Constraints with every field set.
pub fn constraints() -> Constraints {
    Constraints {
        regions: vec![Region::Europe, Region::Asia],
        kinds: vec![NodeKind::General],
        peers: vec![node(3), node(4)],
        peers_excluded: vec![node(9)],
        cpu_cores_min: 2,
        score_min: 100,
        machine_memory_bytes_min: 1 << 30,
        gpus_min: 1,
        price_per_gfuel_max: Some(Micros::new(5)),
        arch: Some("x86_64".into()),
    }
}

/// A step of a job.
pub fn job_note() -> JobNote {
    JobNote { at: NOW, task: Some(task_id(0)), reason: Reason::Placed { attempt: 0, node: node(3) } }
}

/// The sky of sample terms. Fixed, so that files of earlier formats that name it stay readable.
const SKY: Hash = Hash::from_bytes([
    0x7f, 0xcc, 0xd4, 0x8b, 0x4e, 0x75, 0x12, 0x4e, 0xfd, 0x40, 0x73, 0xe9, 0x51, 0x8b, 0x4b, 0x49, 0x78,
    0x2c, 0x72, 0xef, 0x03, 0xc7, 0x1c, 0xbb, 0x3a, 0xcb, 0xc4, 0xc0, 0xa2, 0xcd, 0x6a, 0xe1,
]);

/// A sky founded by [`founder`].
pub fn genesis(invites: InvitePolicy) -> Genesis {
    Genesis {
        name: "sample sky".into(),
        founder: founder().id(),
        founded_at: NOW,
        invites,
        economy_free: true,
        supply: Micros::ZERO,
        validators: vec![founder().id()],
        epoch_blocks: EPOCH_BLOCKS,
        nonce: 1,
    }
}

/// The chain that makes `member` a member by the founder's own word.
pub fn membership(genesis: &Genesis, member: NodeId) -> MembershipChain {
    MembershipChain::default().extend(&founder(), genesis, member, NOW)
}

/// An invite of the founder for three nodes, good for an hour.
pub fn invite() -> Invite {
    Invite {
        genesis: genesis(InvitePolicy::Members),
        issuer: founder().id(),
        addresses: vec!["/ip4/192.0.2.1/udp/4001/quic-v1".into()],
        nonce: 99,
        expires_at: NOW.plus_ms(3_600_000),
        uses_max: 3,
    }
}

/// A small server with one GPU.
pub fn hardware() -> HardwareProfile {
    HardwareProfile {
        cpu_model: "Sample CPU".into(),
        cpu_arch: "x86_64".into(),
        cpu_cores: 8,
        memory_bytes: 16 << 30,
        disk_free_bytes: 100 << 30,
        disk_write_mb_s: 500,
        gpus: vec![Gpu { model: "Sample GPU".into(), vendor: "nvidia".into(), memory_bytes: Some(24 << 30) }],
        score_per_core: 1_000,
    }
}

/// What test node `number` offers: eight free slots for a minute.
pub fn offer(number: u8) -> Offer {
    Offer {
        node: node(number),
        sequence: 1,
        made_at: NOW,
        expires_at: NOW.plus_ms(60_000),
        region: Region::Europe,
        kinds: vec![NodeKind::General, NodeKind::Wasm],
        levels: vec![Level::Function, Level::Vm],
        hardware: hardware(),
        slots_total: 8,
        slots_free: 8,
        task_limits_max: TaskLimits::default(),
        engine: "sample 1.0.0".into(),
        price_per_gfuel: Micros::ZERO,
        note: String::new(),
        containers: ContainerOffer::default(),
    }
}

/// The same of a node whose containers find a GPU, a registry and gVisor.
pub fn rich_offer(number: u8) -> Offer {
    let containers = ContainerOffer {
        isolations: vec![Isolation::Gvisor],
        registries: vec!["ghcr.io/owner".into()],
        gpus: vec![0],
    };
    Offer { levels: vec![Level::Function, Level::Vm, Level::Container], containers, ..offer(number) }
}

/// What the consumer proposes to the provider for the job's first stage.
pub fn terms() -> Terms {
    Terms {
        sky: SKY,
        consumer: consumer().id(),
        provider: provider().id(),
        job: job_id(),
        stage: 0,
        program: program(),
        seed: 42,
        limits: TaskLimits::default(),
        slots: 4,
        price_per_gfuel: Micros::ZERO,
        payment: None,
        commit_first: false,
        orphan_grace_ms: 30_000,
        made_at: NOW,
        nonce: 5,
    }
}

/// [`terms`], signed by the consumer.
pub fn signed_terms() -> Signed<Terms> {
    Signed::sign(&terms(), &consumer())
}

/// The agreement made of [`terms`].
pub fn agreement_id() -> AgreementId {
    signed_terms().agreement_id()
}

/// The provider's yes to [`terms`].
pub fn acceptance() -> Acceptance {
    Acceptance { agreement: agreement_id(), slots: 4 }
}

/// Input of task `index`.
pub fn task_input(index: u32) -> TaskInput {
    TaskInput { item: index.to_string(), stdin: vec![Content::Inline(b"in".to_vec()), Content::Blob(blob())] }
}

/// Task `index` as it is handed out.
pub fn assignment(index: u32) -> Assignment {
    Assignment { task: task_id(index), attempt: 0, input: task_input(index) }
}

/// A run that ended well and wrote `stdout`.
pub fn outcome(stdout: &str) -> Outcome {
    Outcome::Exited(TaskOutput {
        exit_code: 0,
        stdout: Content::Inline(stdout.as_bytes().to_vec()),
        stderr: Content::empty(),
        files: vec![("picture.png".into(), Content::Blob(blob()))],
    })
}

/// What a small run uses.
pub fn usage() -> Usage {
    Usage {
        fuel: 1_000,
        memory_peak_bytes: 65_536,
        wall_us: 250,
        cpu_us: 240,
        input_bytes: 8,
        output_bytes: 6,
    }
}

/// The provider's word on task `index`.
pub fn report(index: u32) -> TaskReport {
    TaskReport {
        task: task_id(index),
        attempt: 0,
        outcome: outcome("out"),
        usage: usage(),
        started_at: NOW,
        ended_at: NOW.plus_ms(1),
        salt: [9; 16],
    }
}

/// The receipt of task `index`.
pub fn receipt(index: u32) -> Receipt {
    Receipt {
        agreement: agreement_id(),
        provider: provider().id(),
        consumer: consumer().id(),
        job: job_id(),
        task: task_id(index),
        attempt: 0,
        program: program().hash,
        input: task_input(index).hash(),
        output: outcome("out").hash(),
        exited: true,
        usage: usage(),
        price: Micros::ZERO,
        engine: "sample 1.0.0".into(),
        engine_config: Hash::of(b"engine configuration"),
        started_at: NOW,
        ended_at: NOW.plus_ms(1),
    }
}

/// Receipts of tasks 0 to `count`, under the provider's signature.
pub fn receipt_batch(count: u32) -> Batch {
    Batch::sign(&provider(), (0..count).map(receipt).collect(), NOW)
}

/// The same in parts.
pub fn receipts(count: u32) -> (Signed<BatchHead>, Vec<Receipt>) {
    let batch = receipt_batch(count);
    (batch.head().clone(), batch.receipts().to_vec())
}

/// The consumer's signature under the batch with this root, accepting the receipts at `accepted`.
pub fn countersignature(root: Hash, count: u32, accepted: &[u32]) -> Signed<Countersignature> {
    let mut bits = vec![0u8; (count as usize).div_ceil(8)];
    for index in accepted {
        bits[*index as usize / 8] |= 1 << (index % 8);
    }
    Signed::sign(&Countersignature { root, accepted: bits }, &consumer())
}

/// Receipt `index` of a batch of `count`, with its proof, not yet countersigned.
pub fn receipt_proof(count: u32, index: u32) -> ReceiptProof {
    let (head, receipts) = receipts(count);
    let ids: Vec<Hash> = receipts.iter().map(Receipt::id).collect();
    let siblings = merkle::Tree::new(&ids).proof(index);
    ReceiptProof { receipt: receipts[index as usize].clone(), index, siblings, head, countersignature: None }
}

/// The key of the keeper that places what [`declaration`] declares. Its owner is the consumer, its host the
/// provider.
pub fn keeper() -> Keypair {
    keypair(4)
}

/// A service that uses every field that may be left empty.
pub fn service() -> ServiceSpec {
    let limits = ReplicaLimits { memory_bytes: 64 << 20, scratch_bytes: 32 << 20, cpu_cores: 2 };
    let database = ServiceRef { name: "database".into(), owner: Some(node(9)) };
    ServiceSpec {
        name: "web".into(),
        program: Program { level: Level::Container, deterministic: false, ..program() },
        ports: vec![80, 443],
        links: vec![Link { host: "db".into(), service: database, port: 5_432 }],
        health: Some(HealthCheck::usual(Probe::Http { port: 80, path: "/health".into() })),
        replicas: 3,
        limits,
        constraints: constraints(),
        restart: Restart::Always,
        update: Update { parallel: 2, healthy_ms: 60_000, rollback: true },
        stop_ms: 10_000,
        secrets: Some(secrets()),
        idle_ms: None,
        scale: Some(Scale { min: 1, max: 5, target: Load::Connections { count: 50 } }),
        volumes: Some(volumes()),
    }
}

/// The volumes of [`service`].
pub fn volumes() -> Volumes {
    Volumes::usual(vec![Volume { name: "data".into(), path: "/data".into(), size_bytes: 16 << 20 }])
}

/// What the host of [`replica`] saved of them.
pub fn saved() -> Saved {
    let id = SaveId { generation: replica().generation, count: 3 };
    Saved { id, blob: Blob { hash: Hash::from_bytes([9; 32]), size_bytes: 2_048 }, at: NOW }
}

/// Secrets of [`service`] in their form, which nobody can read. The provider is one of those who are meant to.
pub fn secrets() -> Secrets {
    let reader = |node| Reader { node, exchange: [6; 32], key: [7; 48] };
    Secrets {
        given: vec![Secret { name: "password".into(), is_file: true, env: Some("PASSWORD".into()) }],
        readers: vec![reader(consumer().id()), reader(provider().id())],
        sealed: vec![8; 272],
    }
}

/// The revision before: the same with one replica.
pub fn earlier_service() -> ServiceSpec {
    ServiceSpec { replicas: 1, ..service() }
}

/// What the consumer declares of [`service`].
pub fn declaration() -> Declaration {
    Declaration {
        sky: SKY,
        owner: consumer().id(),
        name: "web".into(),
        revision: 2,
        made_at: NOW,
        keepers: vec![keeper().id(), node(5)],
        ports: vec![80, 443],
        spec: Some(service().hash()),
        fallback: Some(Earlier { revision: 1, spec: earlier_service().hash() }),
    }
}

/// [`declaration`] with its signature and both specs.
pub fn declared() -> Declared {
    Declared {
        declaration: Signed::sign(&declaration(), &consumer()),
        spec: Some(service()),
        fallback: Some(earlier_service()),
    }
}

/// The first replica of [`service`].
pub fn replica() -> ReplicaId {
    ReplicaId { service: declaration().service(), slot: 0, generation: 8 }
}

/// Where the keeper wants it: with the provider, for an hour.
pub fn placement() -> Placement {
    Placement {
        sky: SKY,
        replica: replica(),
        revision: 2,
        node: provider().id(),
        expires_at: NOW.plus_ms(3_600_000),
    }
}

/// [`placement`], signed by the keeper.
pub fn signed_placement() -> Signed<Placement> {
    Signed::sign(&placement(), &keeper())
}

/// The provider's word that it runs the replica, good for half a minute.
pub fn advert() -> Advert {
    Advert {
        declaration: declared().declaration,
        placement: signed_placement(),
        sequence: 1,
        state: ReplicaState::Healthy,
        expires_at: NOW.plus_ms(30_000),
    }
}

/// What the provider tells the keeper of the replica.
pub fn replica_report() -> ReplicaReport {
    ReplicaReport {
        replica: replica(),
        revision: 2,
        state: ReplicaState::Waiting,
        for_ms: 250,
        restarts: 1,
        connections: 2,
        cpu_percent: 30,
        problem: "its program ended with exit code 1".into(),
        last_words: "no such file".into(),
        saved: Some(saved()),
    }
}
