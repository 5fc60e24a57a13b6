//! What this node answers other nodes about services.

use super::{Asker, ServiceEvent};
use crate::{event::Event, link::read_message, node::Node};
use opensky_ports::{ByteStream, Instance, LogStream, transport::GossipVerdict};
use opensky_protocol::{
    GOSSIP_BYTES_MAX, Message,
    service::{ADVERTS_MAX, LOG_PIECE_BYTES_MAX, LogPiece, ServiceAsk, ServiceReply},
};
use opensky_services::{Heard, HostInput};
use opensky_types::{
    NodeId, Signed, Timestamp, codec,
    service::{Advert, Refusal, ReplicaId},
};
use std::{io, sync::Arc, time::Duration};
use tokio::io::AsyncWriteExt;

/// Longest wait for a question, and for the asker to take an answer.
const SILENCE_MAX: Duration = Duration::from_secs(30);
/// Longest wait for a program to take a connection.
const DIAL_WAIT: Duration = Duration::from_secs(5);
/// Questions of one member in a second: a keeper of hundreds of services stays below.
const ASKS_PER_SECOND_MAX: u32 = 2_048;
/// Questions that the host has not answered yet.
const ASKERS_MAX: usize = 4_096;

impl Node {
    /// A member opened a stream to ask about a service.
    pub(crate) fn serve_service(&self, from: NodeId, mut stream: ByteStream) {
        let events = self.events.clone();
        self.tasks.spawn(async move {
            match tokio::time::timeout(SILENCE_MAX, read_message::<ServiceAsk>(&mut stream)).await {
                Ok(Ok(Some(ask))) => {
                    let asked = ServiceEvent::Asked { from, ask: Box::new(ask), stream };
                    let _ = events.send(Event::Service(Box::new(asked))).await;
                }
                Ok(Err(error)) => tracing::debug!(%from, %error, "a question about a service is unreadable"),
                Ok(Ok(None)) | Err(_) => {}
            }
        });
    }

    pub(super) fn on_service_asked(
        &mut self,
        now: Timestamp,
        from: NodeId,
        ask: ServiceAsk,
        stream: ByteStream,
    ) {
        let asked = self.services.asked.entry(from).or_default();
        *asked = asked.saturating_add(1);
        if *asked > ASKS_PER_SECOND_MAX {
            // The stream ends without an answer, and the asker tries again later.
            return tracing::debug!(%from, "a member asks too much about services");
        }
        match ask {
            ServiceAsk::Keep { declared } => {
                let reply = match self.take_declared(now, from, declared) {
                    Ok(()) => ServiceReply::Done,
                    Err(refusal) => ServiceReply::Refused { refusal },
                };
                self.reply_on(stream, reply);
            }
            ServiceAsk::Keeping { service, revision: theirs } => {
                let (revision, is_acting, given_up) = self.services.keeper.stand(service).unwrap_or_default();
                let saved = self.saves_for(from, service);
                // Whoever was away hears of what was declared meanwhile, a removal included.
                if theirs < revision
                    && let Some((_, declared)) = self.services.keeper.declared(service)
                {
                    let ask = ServiceAsk::Keep { declared: declared.clone() };
                    self.ask_about_service(from, ask, |_| None);
                }
                self.reply_on(stream, ServiceReply::Keeping { revision, is_acting, given_up, saved });
            }
            ServiceAsk::Place { declared, placement, saved } => {
                let Some(ask) = self.remote_asker(stream) else { return };
                // Tasks may have taken a GPU since the last look.
                self.look_at_capacity(now);
                let declared = Box::new(declared);
                self.host_service(now, HostInput::Place { ask, from, declared, placement, saved });
            }
            ServiceAsk::Withdraw { replica } => {
                let Some(ask) = self.remote_asker(stream) else { return };
                self.host_service(now, HostInput::Withdraw { ask, from, replica });
            }
            ServiceAsk::Report { service, renewed, held } => {
                let Some(ask) = self.remote_asker(stream) else { return };
                self.host_service(now, HostInput::Report { ask, from, service, renewed, held });
            }
            ServiceAsk::Log { replica, follow } => self.serve_log(from, replica, follow, stream),
            ServiceAsk::Adverts => {
                let adverts = self.services.directory.adverts(now, ADVERTS_MAX);
                self.reply_on(stream, ServiceReply::Adverts { adverts });
            }
            ServiceAsk::Dial { replica, port } => self.serve_dial(replica, port, stream),
        }
    }

    /// Room for one more question to the host; the stream ends where there is none.
    fn remote_asker(&mut self, stream: ByteStream) -> Option<u64> {
        let has_room = self.services.askers.len() < ASKERS_MAX;
        has_room.then(|| self.remember_asker(Asker::Remote(stream)))
    }

    pub(super) fn reply_on(&self, mut stream: ByteStream, reply: ServiceReply) {
        self.tasks.spawn(async move {
            let replying = async {
                stream.write_all(&reply.to_frame()).await?;
                stream.shutdown().await
            };
            if let Ok(Err(error)) = tokio::time::timeout(SILENCE_MAX, replying).await {
                tracing::debug!(%error, "an answer about a service was not taken");
            }
        });
    }

    fn serve_log(&mut self, from: NodeId, replica: ReplicaId, follow: bool, stream: ByteStream) {
        let allowed = self.services.host.may_read(replica, from);
        let running = self.running().get(&replica).cloned();
        let instance = match (allowed, running) {
            (Ok(()), Some(instance)) => instance,
            (allowed, _) => {
                let refusal = allowed.err().unwrap_or(Refusal::NotAnswering);
                return self.reply_on(stream, ServiceReply::Refused { refusal });
            }
        };
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            // The reader may go away at any time.
            let _ = stop.run_until_cancelled(send_log(instance, stream, follow)).await;
        });
    }

    fn serve_dial(&mut self, replica: ReplicaId, port: u16, stream: ByteStream) {
        let allowed = self.services.host.may_dial(replica, port);
        let running = self.running().get(&replica).cloned();
        let instance = match (allowed, running) {
            (Ok(()), Some(instance)) => instance,
            (allowed, _) => {
                let refusal = allowed.err().unwrap_or(Refusal::NotAnswering);
                return self.reply_on(stream, ServiceReply::Refused { refusal });
            }
        };
        let counted = self.services.hosted_connections.one_more(replica);
        let stop = self.stop.clone();
        self.tasks.spawn(async move {
            let _counted = counted;
            // Either end may close it at any time.
            let _ = stop.run_until_cancelled(lead_in(instance, port, stream)).await;
        });
    }

    /// A peer is there: what services does it know of?
    pub(crate) fn ask_for_adverts(&self, node: NodeId) {
        self.ask_about_service(node, ServiceAsk::Adverts, |reply| match reply {
            Some(ServiceReply::Adverts { adverts }) => Some(ServiceEvent::Adverts(adverts)),
            _ => None,
        });
    }

    /// A host's advert, heard from a neighbour: passed on only if it is right and news.
    pub(crate) fn on_advert_heard(&mut self, now: Timestamp, bytes: &[u8]) -> GossipVerdict {
        let Ok(signed) = codec::decode::<Signed<Advert>>(bytes, GOSSIP_BYTES_MAX) else {
            return GossipVerdict::Reject;
        };
        if signed.signer() == self.own {
            return GossipVerdict::Ignore;
        }
        match self.hear_advert(now, &signed) {
            Heard::New { .. } => GossipVerdict::Accept,
            Heard::Old => GossipVerdict::Ignore,
            Heard::Wrong(error) => {
                tracing::debug!(node = %signed.signer(), %error, "an advert that does not hold");
                GossipVerdict::Reject
            }
        }
    }
}

/// Joins a stream to a port of a program, until both sides are done.
async fn lead_in(instance: Arc<dyn Instance>, port: u16, mut stream: ByteStream) -> io::Result<()> {
    let dialled = tokio::time::timeout(DIAL_WAIT, instance.dial(port)).await;
    let mut inner = match dialled {
        Ok(Ok(inner)) => inner,
        Ok(Err(_)) | Err(_) => {
            let refused = ServiceReply::Refused { refusal: Refusal::NotAnswering };
            stream.write_all(&refused.to_frame()).await?;
            return stream.shutdown().await;
        }
    };
    stream.write_all(&ServiceReply::Opened.to_frame()).await?;
    stream.flush().await?;
    tokio::io::copy_bidirectional(&mut stream, &mut inner).await?;
    Ok(())
}

async fn send_log(instance: Arc<dyn Instance>, mut stream: ByteStream, follow: bool) -> io::Result<()> {
    stream.write_all(&ServiceReply::Opened.to_frame()).await?;
    if follow {
        let mut written = instance.follow();
        while let Some((from, bytes)) = written.recv().await {
            send_pieces(&mut stream, from == LogStream::Stderr, &bytes).await?;
        }
    } else {
        let kept = instance.last_words(opensky_ports::service::LOG_KEPT_BYTES);
        send_pieces(&mut stream, false, &kept).await?;
    }
    stream.shutdown().await
}

async fn send_pieces(stream: &mut ByteStream, is_stderr: bool, bytes: &[u8]) -> io::Result<()> {
    for piece in bytes.chunks(LOG_PIECE_BYTES_MAX) {
        let piece = LogPiece { is_stderr, bytes: piece.to_vec() };
        tokio::time::timeout(SILENCE_MAX, stream.write_all(&piece.to_frame())).await??;
    }
    stream.flush().await
}
