//! Offers (what a provider sells) and demands (what a stage of a job needs).

use crate::{
    job::{ImageRef, Isolation, Needs},
    key::NodeId,
    place::{Level, NodeKind, Region},
    reason::Misfit,
    resources::{Gpu, HardwareProfile, TaskLimits},
    signed::Signable,
    units::{Micros, Timestamp},
};
use borsh::{
    BorshDeserialize, BorshSerialize,
    io::{self, Error, ErrorKind, Read, Write},
};

/// Longest time that an offer holds, in milliseconds. Nodes make a new one well before, however large their sky is.
pub const OFFER_LIFE_MS_MAX: u64 = 2 * 60 * 60 * 1_000;

/// Most registries of an offer.
pub const REGISTRIES_MAX: usize = 16;

/// What a provider offers right now. Signed by it, gossiped, and worthless after `expires_at`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The provider; equals the signer.
    pub node: NodeId,
    /// Grows with each offer of this node, over restarts too; the highest one counts.
    pub sequence: u64,
    /// When it was made.
    pub made_at: Timestamp,
    /// When it stops counting.
    pub expires_at: Timestamp,
    /// Where the node is.
    pub region: Region,
    /// What kinds of work it is meant for.
    pub kinds: Vec<NodeKind>,
    /// How it can run tasks.
    pub levels: Vec<Level>,
    /// The machine.
    pub hardware: HardwareProfile,
    /// Most tasks it runs at a time within its owner's limits.
    pub slots_total: u16,
    /// Of those, how many are free.
    pub slots_free: u16,
    /// The largest limits it accepts for one task.
    pub task_limits_max: TaskLimits,
    /// Engines that would run the work: names and versions, with commas between them.
    pub engine: String,
    /// Price of one billion fuel; zero in a free sky.
    pub price_per_gfuel: Micros,
    /// A word for other nodes when `slots_total` is 0 for a reason, such as `outside-hours`.
    pub note: String,
    /// What containers find there beside a processor, memory and files.
    pub containers: ContainerOffer,
}

/// What containers find at a node beside a processor, memory and files.
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct ContainerOffer {
    /// Isolations that can be asked for.
    pub isolations: Vec<Isolation>,
    /// Registries, or parts of them such as `ghcr.io/owner`, that it takes images from; [`REGISTRIES_MAX`] at most.
    pub registries: Vec<String>,
    /// GPUs that a program can have, by their places among those of the machine, in order.
    pub gpus: Vec<u8>,
}

impl ContainerOffer {
    /// The first thing that a program needs and does not find here.
    pub fn misfit(&self, needs: &Needs, gpus: &[Gpu]) -> Option<Misfit> {
        let is_allowed = |image: &ImageRef| self.registries.iter().any(|source| image.is_from(source));
        if needs.isolation != Isolation::Any && !self.isolations.contains(&needs.isolation) {
            Some(Misfit::Isolation)
        } else if needs.image.as_ref().is_some_and(|image| !is_allowed(image)) {
            Some(Misfit::Registry)
        } else if needs.choose_gpus(self.gpus.iter().copied(), gpus).is_none() {
            Some(Misfit::Gpu)
        } else {
            None
        }
    }
}

impl Signable for Offer {
    const DOMAIN: &'static [u8; 16] = b"opensky/offer\0\0\0";
    const VERSION: u16 = 1;
    const SIZE_BYTES_MAX: usize = 8 * 1024;
}

// By hand: an offer without anything for containers is written as before there was any, so that older nodes read it.
impl BorshSerialize for Offer {
    fn serialize<W: Write>(&self, writer: &mut W) -> io::Result<()> {
        let Self { node, sequence, made_at, expires_at, region, kinds, levels, hardware, .. } = self;
        (node, sequence, made_at, expires_at, region, kinds, levels, hardware).serialize(writer)?;
        let Self { slots_total, slots_free, task_limits_max, engine, price_per_gfuel, note, .. } = self;
        (slots_total, slots_free, task_limits_max, engine, price_per_gfuel, note).serialize(writer)?;
        if self.containers == ContainerOffer::default() { Ok(()) } else { self.containers.serialize(writer) }
    }
}

impl BorshDeserialize for Offer {
    fn deserialize_reader<R: Read>(reader: &mut R) -> io::Result<Self> {
        let (node, sequence, made_at, expires_at, region, kinds, levels, hardware) =
            BorshDeserialize::deserialize_reader(reader)?;
        let (slots_total, slots_free, task_limits_max, engine, price_per_gfuel, note) =
            BorshDeserialize::deserialize_reader(reader)?;
        let mut rest = Vec::new();
        // It is the last thing in what is signed.
        reader.read_to_end(&mut rest)?;
        let containers = if rest.is_empty() { ContainerOffer::default() } else { borsh::from_slice(&rest)? };
        if !rest.is_empty() && containers == ContainerOffer::default() {
            return Err(Error::new(
                ErrorKind::InvalidData,
                "an offer has nothing for containers and says so",
            ));
        }
        Ok(Self {
            node,
            sequence,
            made_at,
            expires_at,
            region,
            kinds,
            levels,
            hardware,
            slots_total,
            slots_free,
            task_limits_max,
            engine,
            price_per_gfuel,
            note,
            containers,
        })
    }
}

/// What providers must have for a stage's tasks. An empty list means "any".
#[derive(Debug, Clone, Default, PartialEq, Eq, BorshSerialize, BorshDeserialize)]
pub struct Constraints {
    /// Only these regions.
    pub regions: Vec<Region>,
    /// Only nodes of one of these kinds.
    pub kinds: Vec<NodeKind>,
    /// Only these nodes.
    pub peers: Vec<NodeId>,
    /// Never these nodes.
    pub peers_excluded: Vec<NodeId>,
    /// At least this many logical cores.
    pub cpu_cores_min: u16,
    /// At least this measured score of one core.
    pub score_min: u32,
    /// At least this much machine memory.
    pub machine_memory_bytes_min: u64,
    /// At least this many GPUs.
    pub gpus_min: u8,
    /// At most this price of one billion fuel.
    pub price_per_gfuel_max: Option<Micros>,
    /// Processor architecture, such as `x86_64`.
    pub arch: Option<String>,
}

/// A stage's need, as the market sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// How the tasks run.
    pub level: Level,
    /// Limits of one task, which the provider must allow.
    pub limits: TaskLimits,
    /// What else the provider must have.
    pub constraints: Constraints,
    /// What programs in containers need beside a processor, memory and files.
    pub needs: Needs,
}
