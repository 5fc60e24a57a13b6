//! A job's events, over as many connections as it takes.

use crate::{
    Client, ClientError,
    client::bad_answer,
    sse::{Event, Parser},
};
use opensky_api::{event::JobEvent, routes};
use opensky_types::JobId;
use reqwest::{Method, Response};
use std::{collections::VecDeque, time::Duration};

/// Connections in a row that may bring nothing before it is an error.
const FRUITLESS_MAX: u32 = 5;
/// Pause before the second connection in a row; doubles from then on.
const PAUSE: Duration = Duration::from_millis(200);

/// Events of one job. Where a connection breaks (the node restarts, say) it is made again and goes on
/// after the last event seen.
#[derive(Debug)]
pub struct JobEvents {
    client: Client,
    job: JobId,
    answer: Option<Response>,
    parser: Parser,
    ready: VecDeque<Event>,
    last_id: Option<String>,
    fruitless: u32,
    ended: bool,
}

impl JobEvents {
    pub(crate) fn new(client: Client, job: JobId) -> Self {
        Self {
            client,
            job,
            answer: None,
            parser: Parser::default(),
            ready: VecDeque::new(),
            last_id: None,
            fruitless: 0,
            ended: false,
        }
    }

    /// The next event; `None` after the one that says that the job has ended.
    pub async fn next(&mut self) -> Result<Option<JobEvent>, ClientError> {
        let what = "the job's events";
        while !self.ended {
            if let Some(event) = self.ready.pop_front() {
                let parsed: JobEvent =
                    serde_json::from_str(&event.data).map_err(|source| bad_answer(what, source))?;
                self.last_id = event.id.or(self.last_id.take());
                self.fruitless = 0;
                self.ended = matches!(parsed, JobEvent::Job { state, .. } if state.is_final());
                return Ok(Some(parsed));
            }
            match self.read().await {
                Ok(Some(piece)) => {
                    let events = self.parser.push(&piece).map_err(|source| bad_answer(what, source))?;
                    self.ready.extend(events);
                }
                Ok(None) => self.answer = None,
                Err(ClientError::Problem(problem)) => return Err(problem.into()),
                Err(error) if self.fruitless >= FRUITLESS_MAX => return Err(error),
                Err(_) => self.answer = None,
            }
        }
        Ok(None)
    }

    async fn read(&mut self) -> Result<Option<Vec<u8>>, ClientError> {
        if self.answer.is_none() {
            self.answer = Some(self.connect().await?);
        }
        let Some(answer) = &mut self.answer else { return Ok(None) };
        let piece = answer.chunk().await.map_err(|source| bad_answer("the job's events", source))?;
        Ok(piece.map(|piece| piece.to_vec()))
    }

    async fn connect(&mut self) -> Result<Response, ClientError> {
        if self.fruitless > 0 {
            tokio::time::sleep(PAUSE * 2u32.pow(self.fruitless.min(6) - 1)).await;
        }
        self.fruitless += 1;
        self.parser = Parser::default();
        let mut request = self.client.request(Method::GET, &routes::job_events(self.job));
        if let Some(id) = &self.last_id {
            request = request.header("Last-Event-ID", id);
        }
        self.client.stream(request).await
    }
}
