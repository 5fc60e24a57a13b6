//! Which sky this node belongs to: the one it knows, the one it is invited to, or a new one.

use crate::fail::{Exit, Fail};
use anyhow::{Context, Result, bail};
use opensky_network::{Config as NetworkConfig, Network};
use opensky_node::{Joined, join};
use opensky_ports::{Clock, Journal, Record, Transport};
use opensky_types::{
    Keypair, Micros, NodeId, Timestamp, codec,
    membership::{EPOCH_BLOCKS, GENESIS_VALIDATORS_MAX, Genesis, InvitePolicy, InviteToken, MembershipChain},
};
use std::time::Duration;

const SETTING: &str = "sky/1";
/// A genesis and eight memberships are far below this, in bytes.
pub const SETTING_BYTES_MAX: usize = 16 * 1024;
/// How long a sky on the local network is looked for.
const NEARBY_TRIES: u32 = 30;
const NEARBY_PAUSE: Duration = Duration::from_millis(500);

/// Credits of a sky with prices where its founder does not say.
const SUPPLY_CREDITS: u64 = 1_000_000;

/// A sky and this node's place in it.
pub type Belonging = (Genesis, MembershipChain);

/// How the user wants to enter.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// By invite.
    pub token: Option<InviteToken>,
    /// By the open door of the local network.
    pub lan: bool,
    /// What a new sky is like.
    pub new: NewSky,
}

/// What is fixed when a sky is founded.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "A new sky (fixed when it is founded)")]
pub struct NewSky {
    /// Whether work has a price
    #[arg(long, value_enum, value_name = "KIND")]
    pub economy: Option<Economy>,
    /// Credits that the founder begins with, in a sky with prices
    #[arg(long, value_name = "CREDITS", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000))]
    pub supply: Option<u64>,
    /// Nodes that validate at first, with commas [default: this one]
    #[arg(long, value_delimiter = ',', value_name = "NODES")]
    pub validators: Vec<NodeId>,
    /// Blocks after which other validators may follow
    #[arg(long, value_name = "BLOCKS", value_parser = clap::value_parser!(u64).range(2..=1_000_000))]
    pub epoch_blocks: Option<u64>,
}

/// Whether work has a price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Economy {
    /// Nothing is paid
    Free,
    /// Work is paid for in credits
    Paid,
}

impl Economy {
    /// The word for it on the command line.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Paid => "paid",
        }
    }
}

impl NewSky {
    /// Whether anything was said.
    fn is_given(&self) -> bool {
        self.economy.is_some()
            || self.supply.is_some()
            || !self.validators.is_empty()
            || self.epoch_blocks.is_some()
    }
}

/// The sky kept in the journal.
pub fn kept(journal: &dyn Journal) -> Result<Option<Belonging>> {
    let Some(bytes) = journal.setting(SETTING)? else { return Ok(None) };
    let belonging =
        codec::decode(&bytes, SETTING_BYTES_MAX).context("the journal's entry of the sky is damaged")?;
    Ok(Some(belonging))
}

/// The sky that the node belongs to from now on; kept before this returns.
pub async fn enter(
    journal: &dyn Journal,
    clock: &dyn Clock,
    key: &Keypair,
    name: &str,
    entry: &Entry,
    network: &NetworkConfig,
) -> Result<Belonging> {
    if let Some((genesis, chain)) = kept(journal)? {
        if entry.new.is_given() {
            let what = format!(
                "this node already belongs to '{}', whose economy, supply, validators and epochs are fixed",
                genesis.name
            );
            return Err(Fail::new(Exit::Invalid, what)
                .next("leave those options out, or found another sky with --data-dir DIR")
                .into());
        }
        if let Some(token) = &entry.token
            && token.0.verify()?.genesis.sky() != genesis.sky()
        {
            let what =
                format!("this node already belongs to '{}', and the invite is for another sky", genesis.name);
            return Err(Fail::new(Exit::Failed, what)
                .next("give the other node its own folder with --data-dir DIR")
                .into());
        }
        match chain.verify(&genesis, key.id()) {
            Ok(()) => return Ok((genesis, chain)),
            Err(_) if entry.token.is_some() || entry.lan => {}
            Err(error) => {
                let what = format!("this node's key is no member of '{}': {error}", genesis.name);
                return Err(Fail::new(Exit::Failed, what)
                    .next("join again with a new invite: opensky up --join TOKEN")
                    .into());
            }
        }
    }
    if entry.new.is_given() && (entry.token.is_some() || entry.lan) {
        let what =
            "economy, supply, validators and epochs are fixed by whoever founds a sky, not by those who join";
        return Err(Fail::new(Exit::Invalid, what).into());
    }
    let joined = match entry {
        Entry { token: Some(token), .. } => Some(by_invite(clock, key, token, network).await?),
        Entry { lan: true, .. } => Some(by_local_network(clock, key, network).await?),
        _ => None,
    };
    let mut records = Vec::new();
    let belonging = match joined {
        Some((joined, addresses)) => {
            records.push(Record::MemberKnown { node: joined.issuer, chain: joined.issuer_chain, addresses });
            (joined.genesis, joined.chain)
        }
        None => (found(clock, key, name, &entry.new)?, MembershipChain::default()),
    };
    records.push(Record::Setting { name: SETTING.into(), value: codec::encode(&belonging) });
    journal.commit(&records)?;
    Ok(belonging)
}

/// Lets the key that takes over belong to the sky of the old one: the old key signs its membership.
/// Answers whether there was a sky, and one in which the old key may do that.
pub fn hand_over(journal: &dyn Journal, old: &Keypair, new: NodeId, now: Timestamp) -> Result<bool> {
    let Some((genesis, chain)) = kept(journal)? else { return Ok(false) };
    let chain = chain.extend(old, &genesis, new, now);
    if chain.verify(&genesis, new).is_err() {
        return Ok(false);
    }
    let record = Record::Setting { name: SETTING.into(), value: codec::encode(&(genesis, chain)) };
    journal.commit(&[record])?;
    Ok(true)
}

fn found(clock: &dyn Clock, key: &Keypair, name: &str, new: &NewSky) -> Result<Genesis> {
    let economy_free = new.economy != Some(Economy::Paid);
    if economy_free && new.supply.is_some() {
        return Err(Fail::new(Exit::Invalid, "a supply makes sense only with --economy paid").into());
    }
    let mut validators = if new.validators.is_empty() { vec![key.id()] } else { new.validators.clone() };
    validators.sort_unstable();
    validators.dedup();
    if validators.len() > GENESIS_VALIDATORS_MAX {
        let what = format!("a sky begins with at most {GENESIS_VALIDATORS_MAX} validators; more can follow");
        return Err(Fail::new(Exit::Invalid, what).next("opensky validator add NODE").into());
    }
    let supply = if economy_free { 0 } else { new.supply.unwrap_or(SUPPLY_CREDITS) };
    let random = clock.random();
    let nonce = random.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    Ok(Genesis {
        name: format!("{name}'s sky").chars().take(64).collect(),
        founder: key.id(),
        founded_at: clock.now(),
        invites: InvitePolicy::Members,
        economy_free,
        supply: Micros::new(supply * 1_000_000),
        validators,
        epoch_blocks: new.epoch_blocks.unwrap_or(EPOCH_BLOCKS),
        nonce,
    })
}

async fn by_invite(
    clock: &dyn Clock,
    key: &Keypair,
    token: &InviteToken,
    config: &NetworkConfig,
) -> Result<(Joined, Vec<String>)> {
    let invite = token.0.verify().context("the invite was changed on its way")?;
    let config = NetworkConfig { sky: invite.genesis.sky(), listen_port: 0, ..config.clone() };
    let (network, events) = Network::start(config, key)?;
    let neighbour = (invite.issuer, invite.addresses.clone());
    let joined = join(&network, key.id(), Some(token), neighbour, clock.now()).await;
    drop(events);
    network.shut_down().await;
    let joined = joined.map_err(|error| {
        let what = error.to_string();
        anyhow::Error::new(error).context(Fail::new(Exit::Failed, format!("could not join: {what}")))
    })?;
    Ok((joined, invite.addresses))
}

/// Looks for members on the local network and asks each in turn.
async fn by_local_network(
    clock: &dyn Clock,
    key: &Keypair,
    config: &NetworkConfig,
) -> Result<(Joined, Vec<String>)> {
    let (network, events) =
        Network::start(NetworkConfig { mdns: true, listen_port: 0, ..config.clone() }, key)?;
    let mut last = None;
    let mut joined = None;
    for _ in 0..NEARBY_TRIES {
        for (node, addresses) in network.nearby().await {
            match join(&network, key.id(), None, (node, addresses.clone()), clock.now()).await {
                Ok(found) => joined = Some((found, addresses)),
                Err(error) => {
                    tracing::info!(%node, %error, "a node on the local network did not let this one in");
                    last = Some(format!("{node}: {error}"));
                }
            }
        }
        if joined.is_some() {
            break;
        }
        tokio::time::sleep(NEARBY_PAUSE).await;
    }
    drop(events);
    network.shut_down().await;
    match (joined, last) {
        (Some(joined), _) => Ok(joined),
        (None, Some(refusal)) => bail!(
            Fail::new(Exit::Failed, format!("no node on the local network let this one in; {refusal}"))
                .next("on a member, run `opensky invite --lan`, then try again")
        ),
        (None, None) => bail!(
            Fail::new(Exit::Failed, "no node was found on the local network")
                .next("is one running there? Networks that block multicast need `opensky up --join TOKEN`")
        ),
    }
}
