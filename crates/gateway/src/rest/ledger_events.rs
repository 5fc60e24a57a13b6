//! Final blocks, as server-sent events.

use crate::{Gateway, views};
use axum::{
    Extension,
    extract::State,
    response::sse::{Event, KeepAlive, Sse},
};
use futures::Stream;
use opensky_api::ledger::LedgerEvent;
use opensky_node::Handle;
use opensky_ports::ledger::News;
use std::{convert::Infallible, sync::Arc};
use tokio::sync::{broadcast, mpsc};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;

/// Events that may wait for a slow reader.
const WAITING_MAX: usize = 64;

type Sent = Result<Event, Infallible>;

pub(crate) async fn events(
    State(gateway): State<Gateway>,
    Extension(stop): Extension<CancellationToken>,
) -> Sse<impl Stream<Item = Sent>> {
    let (sender, events) = mpsc::channel(WAITING_MAX);
    // Ends with its reader, or with the node.
    tokio::spawn(async move { stop.run_until_cancelled(follow(gateway.handle, sender)).await });
    Sse::new(ReceiverStream::new(events)).keep_alive(KeepAlive::default())
}

/// `None` as soon as nobody listens any more, or nothing more comes.
async fn follow(handle: Handle, sender: mpsc::Sender<Sent>) -> Option<()> {
    // Listening starts before the head is read, so that no block slips in between.
    let mut news = handle.ledger(|engine| engine.subscribe()).await;
    let mut told = tell_head(&handle, &sender).await?;
    loop {
        match news.recv().await {
            Ok(news) => told = tell_block(&news, told, &sender).await?,
            Err(broadcast::error::RecvError::Lagged(_)) => told = tell_head(&handle, &sender).await?,
            Err(broadcast::error::RecvError::Closed) => return None,
        }
    }
}

/// Answers the height up to which the reader knows.
async fn tell_head(handle: &Handle, sender: &mpsc::Sender<Sent>) -> Option<u64> {
    let head = handle.ledger(|engine| engine.head()).await;
    send(&LedgerEvent::Head(views::ledger::head(&head)), head.height, sender).await?;
    Some(head.height)
}

async fn tell_block(news: &Arc<News>, told: u64, sender: &mpsc::Sender<Sent>) -> Option<u64> {
    if news.head.height > told {
        send(&views::ledger::block(news), news.head.height, sender).await?;
    }
    Some(told.max(news.head.height))
}

async fn send(event: &LedgerEvent, height: u64, sender: &mpsc::Sender<Sent>) -> Option<()> {
    let json = serde_json::to_string(event).expect("an event is plain data");
    let event = Event::default().event(event.name()).id(height.to_string()).data(json);
    sender.send(Ok(event)).await.ok()
}
