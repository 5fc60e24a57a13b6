//! Final blocks, as server-sent events or over a WebSocket.

use super::{
    events::{last_seen, not_an_id},
    telling::{Telling, Told},
};
use crate::{Gateway, problem::Outcome, views};
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    http::HeaderMap,
    response::Response,
};
use opensky_api::{event::AfterQuery, ledger::LedgerEvent};
use opensky_node::Handle;
use opensky_ports::ledger::News;
use std::sync::Arc;
use tokio::sync::{broadcast, mpsc};

/// The stream's id is the height of the newest block told. A reader that comes back and missed none hears
/// of the next one; another one is told of the head, as at first.
pub(crate) async fn events(
    State(gateway): State<Gateway>,
    telling: Telling,
    query: Result<Query<AfterQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Outcome<Response> {
    let Query(query) = query?;
    let seen = last_seen(&headers, &query).map(str::parse::<u64>).transpose().map_err(|_| not_an_id())?;
    telling.answer(|sender| follow(gateway.handle.clone(), seen, sender))
}

/// `None` as soon as nobody listens any more, or nothing more comes.
async fn follow(handle: Handle, seen: Option<u64>, sender: mpsc::Sender<Told>) -> Option<()> {
    // Listening starts before the head is read, so that no block slips in between.
    let mut news = handle.ledger(|engine| engine.subscribe()).await;
    let mut told = tell_head(&handle, seen, &sender).await?;
    loop {
        match news.recv().await {
            Ok(news) => told = tell_block(&news, told, &sender).await?,
            Err(broadcast::error::RecvError::Lagged(_)) => {
                told = tell_head(&handle, Some(told), &sender).await?;
            }
            Err(broadcast::error::RecvError::Closed) => return None,
        }
    }
}

/// Answers the height up to which the reader knows.
async fn tell_head(handle: &Handle, seen: Option<u64>, sender: &mpsc::Sender<Told>) -> Option<u64> {
    let head = handle.ledger(|engine| engine.head()).await;
    if seen != Some(head.height) {
        send(&LedgerEvent::Head(views::ledger::head(&head)), head.height, sender).await?;
    }
    Some(head.height)
}

async fn tell_block(news: &Arc<News>, told: u64, sender: &mpsc::Sender<Told>) -> Option<u64> {
    if news.head.height > told {
        send(&views::ledger::block(news), news.head.height, sender).await?;
    }
    Some(told.max(news.head.height))
}

async fn send(event: &LedgerEvent, height: u64, sender: &mpsc::Sender<Told>) -> Option<()> {
    sender.send(Told::new(event.name(), height.to_string(), event)).await.ok()
}
