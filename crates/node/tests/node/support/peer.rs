//! A hand-written peer: speaks the protocol by itself, and lies where a test wants it to.

use super::Sky;
use opensky_market::capability_keys;
use opensky_node::member_knock;
use opensky_ports::{
    ByteStream, Transport, TransportEvent, testing::MemoryTransport, transport::GossipVerdict,
};
use opensky_protocol::{
    Message, TOPIC_OFFERS,
    frame::HEADER_BYTES,
    query::{self, Query, QueryReply},
    read_frame_len,
    transfer::{self, Fetch, FetchReply, Outboard, SubtreeHasher},
    work::{self, Commitment, EngineUsed, ToConsumer, ToProvider},
};
use opensky_types::{
    AgreementId, Hash, Keypair, NodeId, Signed, TaskId,
    agreement::{Acceptance, Terms},
    codec,
    job::Blob,
    merkle::Tree,
    offer::Offer,
    receipt::{BatchHead, Receipt},
    resources::{TaskLimits, Usage},
    samples,
    task::{Assignment, Content, Failure, Outcome, TaskOutput, TaskReport, commitment},
};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::mpsc,
};

/// How a provider misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// Not at all.
    None,
    /// Sends each batch of results twice.
    Repeats,
    /// Sends each batch again once its countersignature is there.
    RepeatsWhenSigned,
    /// Shows another result than it committed to.
    OtherThanCommitted,
    /// Shows what it committed to, with another salt.
    WrongSalt,
    /// Signs results with another key.
    BadSignature,
    /// Signs for other receipts than it sends.
    OtherReceipts,
    /// Sends results of tasks that the job does not have.
    ForeignTask,
    /// Sends results of tasks that went to others.
    TaskOfOthers,
    /// Names an engine at great length.
    LongEngine,
    /// Says that a task used more fuel than it may.
    TooMuchFuel,
    /// Announces more output than the limit that was agreed.
    HugeOutput,
    /// Sends other bytes than the output's.
    CorruptBlob,
    /// Leaves files outside the folder of outputs.
    UnsafePath,
    /// Says how runs failed in words that only their consumer uses.
    ConsumersWord,
    /// Names two million tasks in its standing.
    LongStanding,
    /// Never answers a proposal.
    Mute,
    /// None: but its outputs are blobs of some MiB.
    LargeOutput,
}

/// What a hand-written provider has heard.
#[derive(Default)]
pub struct Heard {
    pub messages: Vec<ToProvider>,
}

impl Heard {
    pub fn count(&self, which: impl Fn(&ToProvider) -> bool) -> usize {
        self.messages.iter().filter(|message| which(message)).count()
    }
}

/// A hand-written provider, running.
pub struct Peer {
    pub key: Keypair,
    pub transport: MemoryTransport,
    pub heard: Arc<Mutex<Heard>>,
}

impl Peer {
    pub fn id(&self) -> NodeId {
        self.key.id()
    }

    pub fn heard(&self, which: impl Fn(&ToProvider) -> bool) -> usize {
        self.heard.lock().expect("no test panics with this lock").count(which)
    }

    pub fn was_assigned(&self) -> bool {
        self.heard(|message| matches!(message, ToProvider::Assign { .. })) > 0
    }
}

impl Sky {
    /// A member that is not a node: connected to all nodes, and silent.
    pub async fn stranger(&self, seed: u8) -> (Keypair, MemoryTransport, mpsc::Receiver<TransportEvent>) {
        let key = Keypair::from_seed([seed; 32]);
        let (transport, events) = self.network.start(key.id());
        let knock = member_knock(&self.genesis, &self.chain_of(key.id()));
        for node in &self.nodes {
            transport.admit(node.key.id(), Vec::new());
            self.network.discover(key.id(), node.key.id(), knock.clone()).await.expect("the node is there");
        }
        (key, transport, events)
    }

    /// A hand-written provider that every node knows the offer of.
    pub async fn provider(&self, seed: u8, lie: Lie) -> Peer {
        let peer = self.quiet_provider(seed, lie).await;
        let (key, transport) = (&peer.key, &peer.transport);
        let offer = self.offer_of(key, 1);
        transport.gossip(TOPIC_OFFERS, codec::encode(&offer));
        for node in &self.nodes {
            super::until(|| async {
                let offers = node.handle.offers().await.expect("node answers");
                offers.iter().any(|view| view.offer.node == key.id())
            })
            .await;
        }
        peer
    }

    /// One that does not gossip its offer: it can be found in the DHT, and asked.
    pub async fn quiet_provider(&self, seed: u8, lie: Lie) -> Peer {
        let (key, transport, events) = self.stranger(seed).await;
        let offer = self.offer_of(&key, 1);
        transport.advertise(capability_keys(&offer.verify().expect("it is signed")));
        let heard = Arc::new(Mutex::new(Heard::default()));
        let peer = Peer { key: key.clone(), transport: transport.clone(), heard: heard.clone() };
        tokio::spawn(serve(key, events, lie, heard, offer));
        peer
    }

    pub fn offer_of(&self, key: &Keypair, sequence: u64) -> Signed<Offer> {
        use opensky_ports::Clock;
        let now = self.clock.now();
        let offer = Offer {
            node: key.id(),
            sequence,
            made_at: now,
            expires_at: now.plus_ms(600_000),
            slots_total: 4,
            slots_free: 4,
            task_limits_max: TaskLimits {
                memory_bytes: 64 << 30,
                fuel: u64::MAX,
                wall_ms: 1 << 40,
                scratch_bytes: 1 << 40,
                output_bytes: 1 << 40,
            },
            price_per_gfuel: Default::default(),
            note: String::new(),
            ..samples::offer(3)
        };
        Signed::sign(&offer, key)
    }
}

pub async fn read<M: Message>(stream: &mut ByteStream) -> Option<M> {
    let mut header = [0; HEADER_BYTES];
    stream.read_exact(&mut header).await.ok()?;
    let mut body = vec![0; read_frame_len::<M>(header).ok()?];
    stream.read_exact(&mut body).await.ok()?;
    M::from_body(&body).ok()
}

pub async fn write(stream: &mut ByteStream, message: &impl Message) -> bool {
    stream.write_all(&message.to_frame()).await.is_ok() && stream.flush().await.is_ok()
}

async fn serve(
    key: Keypair,
    mut events: mpsc::Receiver<TransportEvent>,
    lie: Lie,
    heard: Arc<Mutex<Heard>>,
    offer: Signed<Offer>,
) {
    while let Some(event) = events.recv().await {
        match event {
            TransportEvent::Stream { protocol: work::PROTOCOL, stream, .. } => {
                let open = BTreeMap::new();
                let worker = Worker { key: key.clone(), lie, heard: heard.clone(), open, sent: Vec::new() };
                tokio::spawn(worker.run(stream));
            }
            TransportEvent::Stream { protocol: transfer::PROTOCOL, stream, .. } => {
                tokio::spawn(send_blob(stream, lie));
            }
            TransportEvent::Stream { protocol: query::PROTOCOL, mut stream, .. } => {
                let own = matches!(read(&mut stream).await, Some(Query::OwnOffer));
                let offers = own.then(|| offer.clone()).into_iter().collect();
                write(&mut stream, &QueryReply::Offers { offers }).await;
            }
            TransportEvent::Gossip { verdict, .. } => {
                let _ = verdict.send(GossipVerdict::Accept);
            }
            _ => {}
        }
    }
}

/// What a lying provider's tasks write when their output is a blob.
pub fn blob_of(task: TaskId) -> Vec<u8> {
    let mut bytes = vec![7; 2_500_000];
    bytes[..4].copy_from_slice(&task.index.to_le_bytes());
    bytes
}

async fn send_blob(mut stream: ByteStream, lie: Lie) {
    let Some(fetch) = read::<Fetch>(&mut stream).await else { return };
    let task = |index| TaskId { stage: 0, index };
    let Some(mut bytes) = (0..1_000).map(|index| blob_of(task(index))).find(|b| Hash::of(b) == fetch.hash)
    else {
        write(&mut stream, &FetchReply::Missing).await;
        return;
    };
    let mut hasher = SubtreeHasher::new();
    hasher.update(&bytes);
    let outboard: Outboard = hasher.finish();
    write(&mut stream, &outboard.into_reply()).await;
    if lie == Lie::CorruptBlob {
        bytes[2_000_000] ^= 1;
    }
    let _ = stream.write_all(&bytes).await;
    let _ = stream.shutdown().await;
}

struct Worker {
    key: Keypair,
    lie: Lie,
    heard: Arc<Mutex<Heard>>,
    open: BTreeMap<AgreementId, Open>,
    sent: Vec<ToConsumer>,
}

struct Open {
    terms: Terms,
    done: BTreeMap<TaskId, (TaskReport, Hash)>,
}

impl Worker {
    async fn run(mut self, mut stream: ByteStream) {
        loop {
            let heard = tokio::select! {
                message = read::<ToProvider>(&mut stream) => message,
                () = tokio::time::sleep(Duration::from_secs(5)) => {
                    if !write(&mut stream, &ToConsumer::Heartbeat).await {
                        return;
                    }
                    continue;
                }
            };
            let Some(message) = heard else { return };
            self.heard.lock().expect("no test panics with this lock").messages.push(message.clone());
            for answer in self.answer(message) {
                if !write(&mut stream, &answer).await {
                    return;
                }
            }
        }
    }

    fn answer(&mut self, message: ToProvider) -> Vec<ToConsumer> {
        match message {
            ToProvider::Propose { .. } if self.lie == Lie::Mute => Vec::new(),
            ToProvider::Propose { terms } => {
                let agreement = terms.agreement_id();
                let terms = terms.verify().expect("nodes sign their terms");
                let acceptance = Acceptance { agreement, slots: terms.slots };
                self.open.insert(agreement, Open { terms, done: BTreeMap::new() });
                vec![ToConsumer::Accept { acceptance: Signed::sign(&acceptance, &self.key) }]
            }
            ToProvider::Assign { agreement, tasks } => self.work(agreement, tasks),
            ToProvider::Reveal { agreement, tasks } => self.reveal(agreement, &tasks),
            ToProvider::Countersign { .. } if self.lie == Lie::RepeatsWhenSigned => {
                std::mem::take(&mut self.sent)
            }
            _ => Vec::new(),
        }
    }

    fn work(&mut self, agreement: AgreementId, tasks: Vec<Assignment>) -> Vec<ToConsumer> {
        let Some(open) = self.open.get_mut(&agreement) else { return Vec::new() };
        let mut done = Vec::new();
        for assignment in tasks {
            let mut report = TaskReport {
                task: assignment.task,
                attempt: assignment.attempt,
                outcome: outcome_of(assignment.task, self.lie),
                usage: Usage::default(),
                started_at: Default::default(),
                ended_at: Default::default(),
                salt: if open.terms.commit_first { [3; 16] } else { [0; 16] },
            };
            match self.lie {
                Lie::TooMuchFuel => report.usage.fuel = open.terms.limits.fuel + 1,
                Lie::ForeignTask => report.task.index += 1_000_000,
                Lie::TaskOfOthers => report.task.index = (report.task.index + 1) % 40,
                _ => {}
            }
            open.done.insert(report.task, (report.clone(), assignment.input.hash()));
            done.push(report);
        }
        if self.lie == Lie::LongStanding {
            let tasks = (0..2_000_000).map(|index| TaskId { stage: 0, index }).collect();
            return vec![ToConsumer::Standing { agreement, slots: 4, tasks }];
        }
        if open.terms.commit_first {
            let commitments = done.iter().map(|report| Commitment {
                task: report.task,
                attempt: report.attempt,
                hash: commitment(&self.key.id(), report.task, &report.outcome.hash(), &report.salt),
            });
            return vec![ToConsumer::Committed { agreement, commitments: commitments.collect() }];
        }
        let tasks: Vec<TaskId> = done.iter().map(|report| report.task).collect();
        self.reveal(agreement, &tasks)
    }

    fn reveal(&mut self, agreement: AgreementId, tasks: &[TaskId]) -> Vec<ToConsumer> {
        let Some(open) = self.open.get_mut(&agreement) else { return Vec::new() };
        let mut done: Vec<(TaskReport, Hash)> = tasks.iter().filter_map(|t| open.done.remove(t)).collect();
        for (report, _) in &mut done {
            match self.lie {
                Lie::OtherThanCommitted => report.outcome = Outcome::Exited(stdout(b"another".to_vec())),
                Lie::WrongSalt => report.salt = [4; 16],
                _ => {}
            }
        }
        let name = if self.lie == Lie::LongEngine { "x".repeat(1 << 20) } else { "hand 1.0.0".into() };
        let engine = EngineUsed { name, config: Hash::of(b"hand") };
        let receipts: Vec<Receipt> = done
            .iter()
            .map(|(report, input)| {
                Receipt::of(
                    agreement,
                    &open.terms,
                    (&engine.name, engine.config),
                    (*input, report.outcome.hash()),
                    report,
                )
            })
            .collect();
        let mut leaves: Vec<Hash> = receipts.iter().map(Receipt::id).collect();
        if self.lie == Lie::OtherReceipts {
            leaves[0] = Hash::of(b"another receipt");
        }
        let head = BatchHead {
            provider: self.key.id(),
            consumer: open.terms.consumer,
            root: Tree::new(&leaves).root(),
            count: leaves.len() as u32,
            signed_at: Default::default(),
        };
        let signer =
            if self.lie == Lie::BadSignature { Keypair::from_seed([99; 32]) } else { self.key.clone() };
        let head = Signed::sign(&head, &signer);
        let reports = done.into_iter().map(|(report, _)| report).collect();
        let results = ToConsumer::Results { agreement, engine, reports, head };
        if self.lie == Lie::RepeatsWhenSigned {
            self.sent.push(results.clone());
        }
        if self.lie == Lie::Repeats { vec![results.clone(), results] } else { vec![results] }
    }
}

fn stdout(bytes: Vec<u8>) -> TaskOutput {
    let stdout = Content::Inline(bytes);
    TaskOutput { exit_code: 0, stdout, stderr: Content::empty(), files: Vec::new() }
}

/// The right outcome of a task of a numbers job, but for the lie.
fn outcome_of(task: TaskId, lie: Lie) -> Outcome {
    let failure = match task.index % 3 {
        _ if lie != Lie::ConsumersWord => return Outcome::Exited(output_of(task, lie)),
        0 => Failure::Unchecked { message: "it did not pass".into() },
        1 => Failure::ExitCode { code: 3 },
        _ => Failure::ProviderLost,
    };
    Outcome::Failed { failure, stdout: Content::empty(), stderr: Content::empty() }
}

/// The right output of a numbers job, but for the lie.
fn output_of(task: TaskId, lie: Lie) -> TaskOutput {
    let right = stdout(task.index.to_string().into_bytes());
    match lie {
        Lie::HugeOutput => {
            let blob = Blob { hash: Hash::of(b"huge"), size_bytes: 1 << 50 };
            TaskOutput { stdout: Content::Blob(blob), ..right }
        }
        Lie::CorruptBlob | Lie::LargeOutput => {
            let bytes = blob_of(task);
            let blob = Blob { hash: Hash::of(&bytes), size_bytes: bytes.len() as u64 };
            TaskOutput { stdout: Content::Blob(blob), ..right }
        }
        Lie::UnsafePath => TaskOutput { files: vec![("../escape".into(), Content::empty())], ..right },
        _ => right,
    }
}
