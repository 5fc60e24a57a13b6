//! Tasks handed out: what they read is made, and sent with them.

use super::Run;
use crate::{
    event::Event,
    fetch::blocking,
    inputs::{InputError, Recipe},
    node::Node,
};
use opensky_protocol::work::{TASKS_MAX, ToProvider};
use opensky_scheduler::Input;
use opensky_types::{
    AgreementId, JobId, NodeId, Timestamp,
    task::{Assignment, Content, TaskInput},
};
use std::sync::Arc;

/// Bytes of one message's inline inputs after which the next message starts.
const ASSIGN_BYTES_MAX: usize = 2 * 1024 * 1024;

impl Node {
    /// Makes the inputs of tasks and hands them out; inputs from the store are made off the loop.
    pub(super) fn assign(
        &mut self,
        now: Timestamp,
        job: JobId,
        agreement: AgreementId,
        node: NodeId,
        tasks: Vec<Run>,
    ) {
        let Some(active) = self.consumer.jobs.get(&job) else { return };
        let recipes: Result<Vec<Recipe>, InputError> =
            tasks.iter().map(|(task, _)| Recipe::of(&active.spec, &active.outputs, *task)).collect();
        let recipes = match recipes {
            Ok(recipes) => recipes,
            // Heard of as an event: the scheduler is in the middle of its orders.
            Err(error) => {
                let result = Err(error);
                return self.local.push_back(Event::InputsMade { job, agreement, node, tasks, result });
            }
        };
        if !recipes.iter().any(Recipe::needs_store) {
            let made = recipes.into_iter().map(Recipe::without_store);
            let assignments = assignments(&tasks, made.collect());
            return self.on_inputs_made(now, job, agreement, node, tasks, Ok(assignments));
        }
        let (blobs, events) = (Arc::clone(&self.blobs), self.events.clone());
        self.tasks.spawn(async move {
            let made = blocking(move || {
                let inputs: Result<Vec<_>, InputError> =
                    recipes.into_iter().map(|recipe| recipe.make(blobs.as_ref(), job)).collect();
                inputs.map(|inputs| assignments(&tasks, inputs)).map_err(|error| (error, tasks))
            });
            let (tasks, result) = match made.await {
                Ok(assignments) => {
                    (assignments.iter().map(|a| (a.task, a.attempt)).collect(), Ok(assignments))
                }
                Err((error, tasks)) => (tasks, Err(error)),
            };
            let _ = events.send(Event::InputsMade { job, agreement, node, tasks, result }).await;
        });
    }

    /// Sends tasks with their inputs. A job whose inputs are gone cannot go on.
    pub(crate) fn on_inputs_made(
        &mut self,
        now: Timestamp,
        job: JobId,
        agreement: AgreementId,
        node: NodeId,
        tasks: Vec<Run>,
        result: Result<Vec<Assignment>, InputError>,
    ) {
        let assignments = match result {
            Ok(assignments) => assignments,
            Err(error) => {
                tracing::error!(%job, tasks = tasks.len(), %error, "inputs of a job cannot be read; it is cancelled");
                return self.schedule(now, Input::Cancel { job });
            }
        };
        let Some(open) = self.consumer.agreements.get_mut(&agreement) else { return };
        for assignment in &assignments {
            open.inputs.insert((assignment.task, assignment.attempt), assignment.input.hash());
        }
        for piece in by_size(assignments) {
            self.tell_provider(node, ToProvider::Assign { agreement, tasks: piece });
        }
    }
}

fn assignments(tasks: &[Run], inputs: Vec<TaskInput>) -> Vec<Assignment> {
    tasks
        .iter()
        .zip(inputs)
        .map(|((task, attempt), input)| Assignment { task: *task, attempt: *attempt, input })
        .collect()
}

/// Splits assignments so that each message stays below its caps.
fn by_size(assignments: Vec<Assignment>) -> Vec<Vec<Assignment>> {
    let mut pieces = vec![Vec::new()];
    let mut size_bytes = 0;
    for assignment in assignments {
        let bytes: u64 = assignment
            .input
            .stdin
            .iter()
            .map(|content| match content {
                Content::Inline(bytes) => bytes.len() as u64 + 8,
                Content::Blob(_) => 48,
            })
            .sum();
        size_bytes += bytes as usize + assignment.input.item.len() + 32;
        let piece = pieces.last_mut().expect("starts with one piece");
        if !piece.is_empty() && (size_bytes > ASSIGN_BYTES_MAX || piece.len() >= TASKS_MAX) {
            size_bytes = bytes as usize;
            pieces.push(vec![assignment]);
        } else {
            piece.push(assignment);
        }
    }
    pieces
}
