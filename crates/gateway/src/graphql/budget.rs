//! What one request may be answered: bytes of its routes' answers, and of what is made of them.

use super::{Asking, shapes::JSON};
use async_graphql::{
    Response as Answered, ServerResult, Value,
    extensions::{Extension, ExtensionContext, ExtensionFactory, NextExecute, NextResolve, ResolveInfo},
};
use axum::body::{Body, Bytes};
use futures::StreamExt;
use opensky_api::{Code, Problem};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio_util::sync::CancellationToken;

/// Most bytes that all routes of one request answer, and most that it is answered: each counted by itself.
pub(super) const BYTES_MAX: usize = 16 * 1024 * 1024;
/// What a value, however small, counts for: it has a name, and a place in memory.
const VALUE_BYTES: usize = 32;

/// What is spent of it.
#[derive(Debug, Default)]
pub(super) struct Budget {
    /// By answers of routes.
    read: AtomicUsize,
    /// By values of the answer that is made.
    made: AtomicUsize,
    /// Fires once more was made than may be.
    over: CancellationToken,
}

impl Budget {
    /// Reads the answer of a route, as far as the budget goes.
    pub(super) async fn read(&self, body: Body) -> Result<Vec<u8>, Problem> {
        let (mut pieces, mut bytes) = (body.into_data_stream(), Vec::new());
        while let Some(piece) = pieces.next().await {
            let piece: Bytes = piece.map_err(|_| Problem::new(Code::Internal, "the answer broke off"))?;
            if self.read.fetch_add(piece.len(), Ordering::Relaxed) + piece.len() > BYTES_MAX {
                return Err(too_large());
            }
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }

    /// Once the answer is larger than it may be.
    pub(super) async fn overrun(&self) -> Problem {
        self.over.cancelled().await;
        too_large()
    }

    /// Whether there was room for this many more bytes.
    fn make(&self, bytes: usize) -> bool {
        let has_room = self.made.fetch_add(bytes, Ordering::Relaxed) + bytes <= BYTES_MAX;
        if !has_room {
            self.over.cancel();
        }
        has_room
    }
}

fn too_large() -> Problem {
    let detail = format!("the answer has more than {BYTES_MAX} bytes");
    Problem::new(Code::TooLarge, detail).with_next("ask for less at a time")
}

/// Counts every value of an answer while it is made.
pub(super) struct Counting;

impl ExtensionFactory for Counting {
    fn create(&self) -> Arc<dyn Extension> {
        Arc::new(Self)
    }
}

#[async_graphql::async_trait::async_trait]
impl Extension for Counting {
    /// An answer, or an event of a subscription: each begins with a whole budget.
    async fn execute(
        &self,
        context: &ExtensionContext<'_>,
        operation: Option<&str>,
        next: NextExecute<'_>,
    ) -> Answered {
        if let Some(asking) = context.data_opt::<Arc<Asking>>() {
            asking.budget.made.store(0, Ordering::Relaxed);
        }
        next.run(context, operation).await
    }

    async fn resolve(
        &self,
        context: &ExtensionContext<'_>,
        info: ResolveInfo<'_>,
        next: NextResolve<'_>,
    ) -> ServerResult<Option<Value>> {
        let Some(asking) = context.data_opt::<Arc<Asking>>() else { return next.run(context, info).await };
        let name = info.alias.unwrap_or(info.name).len();
        if !asking.budget.make(VALUE_BYTES + name) {
            // Whoever carries the request out drops it now.
            return std::future::pending().await;
        }
        let is_whole = info.return_type.trim_end_matches('!') == JSON;
        let value = next.run(context, info).await?;
        if !asking.budget.make(value.as_ref().map_or(0, |value| bytes(value, is_whole))) {
            return std::future::pending().await;
        }
        Ok(value)
    }
}

/// Bytes of a value; what is inside of it is counted here only if it comes `whole`, without a type.
fn bytes(value: &Value, whole: bool) -> usize {
    let inner = |value: &Value| VALUE_BYTES + bytes(value, true);
    match value {
        Value::String(text) => text.len(),
        Value::Binary(bytes) => bytes.len(),
        Value::List(values) if whole => values.iter().map(inner).sum(),
        Value::Object(fields) if whole => fields.iter().map(|(name, value)| name.len() + inner(value)).sum(),
        Value::Null
        | Value::Number(_)
        | Value::Boolean(_)
        | Value::Enum(_)
        | Value::List(_)
        | Value::Object(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn w5_routes_of_one_request_are_read_up_to_a_bound() {
        let (budget, half) = (Budget::default(), vec![b'x'; BYTES_MAX / 2]);
        for _ in 0..2 {
            assert_eq!(budget.read(Body::from(half.clone())).await.map(|bytes| bytes.len()), Ok(half.len()));
        }
        assert_eq!(budget.read(Body::from("x")).await.expect_err("too much").code, Code::TooLarge);
    }

    #[tokio::test]
    async fn w5_what_is_made_of_them_is_bounded_too() {
        let budget = Budget::default();
        assert!(budget.make(BYTES_MAX) && !budget.make(1));
        assert_eq!(budget.overrun().await.code, Code::TooLarge);
        let text = Value::String("x".repeat(100));
        let list = Value::List(vec![text.clone(), text.clone()]);
        assert_eq!(
            (bytes(&text, false), bytes(&list, false)),
            (100, 0),
            "items of a type count by themselves"
        );
        assert_eq!(bytes(&list, true), 2 * (100 + VALUE_BYTES));
    }
}
