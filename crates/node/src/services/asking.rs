//! Questions to other nodes about services: one stream each.

use super::ServiceEvent;
use crate::{event::Event, link::read_message, node::Node};
use opensky_ports::{ByteStream, Transport};
use opensky_protocol::{
    Message,
    service::{self, ServiceAsk, ServiceReply},
};
use opensky_types::NodeId;
use std::{io, sync::Arc, time::Duration};
use tokio::io::AsyncWriteExt;

/// Longest wait for an answer: below the time after which a silent host counts as lost.
const ANSWER_WAIT: Duration = Duration::from_secs(3);

impl Node {
    /// Asks a member; `then` makes an event of its answer, or of none.
    pub(super) fn ask_about_service(
        &self,
        to: NodeId,
        ask: ServiceAsk,
        then: impl FnOnce(Option<ServiceReply>) -> Option<ServiceEvent> + Send + 'static,
    ) {
        let (transport, events) = (Arc::clone(&self.transport), self.events.clone());
        self.tasks.spawn(async move {
            let asked = tokio::time::timeout(ANSWER_WAIT, ask_on_stream(transport.as_ref(), to, &ask)).await;
            let reply = match asked {
                Ok(Ok((reply, _))) => Some(reply),
                Ok(Err(error)) => {
                    tracing::debug!(node = %to, %error, "a question about a service was not answered");
                    None
                }
                Err(_) => None,
            };
            if let Some(event) = then(reply) {
                // The loop may have ended meanwhile.
                let _ = events.send(Event::Service(Box::new(event))).await;
            }
        });
    }
}

/// Asks, and keeps the stream for what follows the answer.
pub(super) async fn ask_on_stream(
    transport: &dyn Transport,
    to: NodeId,
    ask: &ServiceAsk,
) -> io::Result<(ServiceReply, ByteStream)> {
    let mut stream = transport.open(to, service::PROTOCOL).await.map_err(io::Error::other)?;
    stream.write_all(&ask.to_frame()).await?;
    stream.flush().await?;
    let reply = read_message(&mut stream).await?.ok_or(io::ErrorKind::UnexpectedEof)?;
    Ok((reply, stream))
}
