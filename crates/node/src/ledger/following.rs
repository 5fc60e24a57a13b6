//! Following the ledger: blocks that were told are checked and applied, older ones and snapshots are
//! asked for. Whoever sends what is not so is dropped.

use crate::{event::Event, fetch::blocking, link::read_message, node::Node, requests::tell};
use opensky_ports::{LedgerEngine, Transport, ledger::FollowError, transport::GossipVerdict};
use opensky_protocol::{
    Message,
    ledger::{self, Ask, BlockNews, Reply},
};
use opensky_types::{NodeId, Timestamp, text::causes};
use std::{io, sync::Arc, time::Duration};
use tokio::{io::AsyncWriteExt, sync::oneshot};

/// Longest wait for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);
/// Silence after which a member is asked for news, in milliseconds: an idle sky tells of a block about
/// once a minute.
const SILENCE_MS: u64 = 90_000;

/// How this node keeps up.
#[derive(Default)]
pub(crate) struct Following {
    /// One member is asked at a time.
    busy: bool,
    /// When a block was last heard of, or asked for.
    heard_at: Timestamp,
    /// Which member is asked next when the sky falls silent.
    turn: usize,
}

impl Following {
    pub(super) fn heard(&mut self, now: Timestamp) {
        self.heard_at = now;
    }

    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        !self.busy
    }
}

/// What came of asking a member.
pub(crate) enum Caught {
    /// It had nothing wrong to say.
    Up,
    /// It sent what is not so.
    Lied(String),
}

impl Node {
    /// A member tells of a final block.
    pub(crate) fn on_block_heard(
        &mut self,
        from: NodeId,
        bytes: &[u8],
        verdict: oneshot::Sender<GossipVerdict>,
    ) {
        let Ok(news) = BlockNews::from_body(bytes) else { return tell(verdict, GossipVerdict::Reject) };
        let head = self.ledger.engine.head();
        // A validator hears of blocks where they are agreed on, and tells of them itself.
        if news.height <= head.height || self.ledger.engine.is_voting() {
            return tell(verdict, GossipVerdict::Ignore);
        }
        if let (Some(sealed), true) = (news.sealed, news.height == head.height + 1) {
            let engine = Arc::clone(&self.ledger.engine);
            self.tasks.spawn(async move {
                let judged = match blocking(move || engine.follow(vec![sealed.into()])).await {
                    Ok(_) => GossipVerdict::Accept,
                    Err(FollowError::Sender(problem)) => {
                        tracing::warn!(%from, problem, "a member told of a block that is wrong");
                        GossipVerdict::Reject
                    }
                    Err(FollowError::NotNext { .. }) => GossipVerdict::Ignore,
                    Err(error) => {
                        tracing::error!(error = causes(&error), "a final block could not be applied");
                        GossipVerdict::Ignore
                    }
                };
                tell(verdict, judged);
            });
            return;
        }
        // It can't be judged, and so not passed on, before the blocks below are here; they are asked of
        // whoever told.
        self.catch_up_then(from, move |head| {
            tell(verdict, if head >= news.height { GossipVerdict::Accept } else { GossipVerdict::Ignore });
        });
    }

    /// Asks a member for all that is missing here.
    pub(crate) fn catch_up(&mut self, from: NodeId) {
        self.catch_up_then(from, |_| {});
    }

    /// The same, and says how far this node is then. Where a member is asked already, that is at once.
    fn catch_up_then(&mut self, from: NodeId, then: impl FnOnce(u64) + Send + 'static) {
        if self.ledger.following.busy || self.ledger.engine.is_voting() {
            return then(self.ledger.engine.head().height);
        }
        self.ledger.following.busy = true;
        let (transport, engine) = (Arc::clone(&self.transport), Arc::clone(&self.ledger.engine));
        let (events, stop) = (self.events.clone(), self.stop.clone());
        let behind_max = self.config.blocks_behind_max;
        self.tasks.spawn(async move {
            let fetched = fetch_all(transport.as_ref(), &engine, from, behind_max);
            let caught = stop.run_until_cancelled(fetched).await;
            let caught = match caught {
                None | Some(Ok(())) => Caught::Up,
                Some(Err(Trouble::Follow(FollowError::Sender(problem)))) => Caught::Lied(problem),
                Some(Err(Trouble::Follow(error))) => {
                    tracing::error!(error = causes(&error), "the ledger could not follow");
                    Caught::Up
                }
                Some(Err(Trouble::Io(error))) => {
                    tracing::debug!(%from, %error, "a member did not answer about the ledger");
                    Caught::Up
                }
            };
            then(engine.head().height);
            // If the loop is gone there is nobody left to tell.
            let _ = events.send(Event::CaughtUp { from, caught }).await;
        });
    }

    pub(crate) fn on_caught_up(&mut self, now: Timestamp, from: NodeId, caught: Caught) {
        self.ledger.following.busy = false;
        self.ledger.following.heard(now);
        if let Caught::Lied(problem) = caught {
            tracing::warn!(%from, problem, "a member lied about the ledger; it is dropped");
            self.transport.expel(from);
        }
    }

    /// A member is there: it may know validators' addresses, and blocks that were missed.
    pub(crate) fn ask_about_ledger(&mut self, node: NodeId) {
        let (transport, engine) = (Arc::clone(&self.transport), Arc::clone(&self.ledger.engine));
        self.tasks.spawn(async move {
            match ask(transport.as_ref(), node, &Ask::Addresses).await {
                Ok(Reply::Addresses { mut addresses }) => {
                    addresses.truncate(ledger::ADDRESSES_MAX);
                    engine.learn_addresses(node, addresses);
                }
                Ok(_) => tracing::debug!(%node, "another answer than was asked for"),
                Err(error) => tracing::debug!(%node, %error, "a member did not say where validators are"),
            }
        });
        self.catch_up(node);
    }

    /// Where nothing is heard of blocks, one member after the other is asked.
    pub(super) fn follow_if_silent(&mut self, now: Timestamp) {
        if now.ms_since(self.ledger.following.heard_at) < SILENCE_MS {
            return;
        }
        let connected = self.connected();
        if connected.is_empty() {
            return;
        }
        let following = &mut self.ledger.following;
        following.heard(now);
        following.turn = following.turn.wrapping_add(1);
        let node = connected[following.turn % connected.len()];
        self.catch_up(node);
    }
}

/// Why a member could not be followed.
enum Trouble {
    Io(io::Error),
    Follow(FollowError),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Fetches and applies until the member has no more. Where it is further ahead than `behind_max`, its
/// snapshot comes first.
async fn fetch_all(
    transport: &dyn Transport,
    engine: &Arc<dyn LedgerEngine>,
    from: NodeId,
    behind_max: u64,
) -> Result<(), Trouble> {
    let mut snapshot_tried = false;
    loop {
        let own = engine.head().height;
        let Reply::Blocks { blocks, head } = ask(transport, from, &Ask::Blocks { from: own + 1 }).await?
        else {
            return Err(other_answer());
        };
        if head <= own {
            return Ok(());
        }
        if (blocks.is_empty() || head - own > behind_max) && !snapshot_tried {
            snapshot_tried = true;
            if restore(transport, engine, from).await? {
                continue;
            }
        }
        if blocks.is_empty() {
            return Ok(());
        }
        let (follower, blocks) = (Arc::clone(engine), blocks.into_iter().map(Into::into).collect());
        match blocking(move || follower.follow(blocks)).await {
            Ok(now) if now.height > own => {}
            // Someone else brought them meanwhile, or the sender repeats itself.
            Ok(_) | Err(FollowError::NotNext { .. }) => {
                if engine.head().height <= own {
                    return Ok(());
                }
            }
            Err(error) => return Err(Trouble::Follow(error)),
        }
    }
}

/// Takes over a member's snapshot, if it has one that is newer than this node's state.
async fn restore(
    transport: &dyn Transport,
    engine: &Arc<dyn LedgerEngine>,
    from: NodeId,
) -> Result<bool, Trouble> {
    let epoch = engine.head().epoch;
    let Reply::Snapshot { offer } = ask(transport, from, &Ask::Snapshot { epoch }).await? else {
        return Err(other_answer());
    };
    let Some(offer) = offer else { return Ok(false) };
    let follower = Arc::clone(engine);
    let restoring = match blocking(move || follower.begin_restore(&offer)).await {
        Ok(restoring) => restoring,
        Err(FollowError::NotNext { .. }) => return Ok(false),
        Err(error) => return Err(Trouble::Follow(error)),
    };
    tracing::info!(%from, height = restoring.height, chunks = restoring.chunks, "taking over a snapshot");
    for index in 0..restoring.chunks {
        let asked = Ask::Chunk { height: restoring.height, index };
        let Reply::Chunk { bytes } = ask(transport, from, &asked).await? else { return Err(other_answer()) };
        let Some(bytes) = bytes else { return Ok(false) };
        let follower = Arc::clone(engine);
        blocking(move || follower.restore_chunk(index, &bytes)).await.map_err(Trouble::Follow)?;
    }
    Ok(true)
}

fn other_answer() -> Trouble {
    Trouble::Follow(FollowError::Sender("another answer than was asked for".to_owned()))
}

/// Asks a member one thing.
pub(crate) async fn ask(transport: &dyn Transport, node: NodeId, ask: &Ask) -> io::Result<Reply> {
    let asking = async {
        let mut stream = transport.open(node, ledger::PROTOCOL).await.map_err(io::Error::other)?;
        stream.write_all(&ask.to_frame()).await?;
        stream.flush().await?;
        read_message::<Reply>(&mut stream).await?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    };
    tokio::time::timeout(ANSWER_TIMEOUT, asking).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
