//! Services on a terminal.

use super::LogsArgs;
use crate::{
    output::{ago, fields, now, table},
    terminal::clean_lines,
};
use anyhow::Result;
use opensky_api::{
    event::StreamView,
    service::{ReplicaView, SavedView, ServiceLogPart, ServiceLogQuery, ServiceView, Services},
};
use opensky_client::Client;
use opensky_types::{resources::ByteSize, service::ReplicaState};
use std::{
    collections::BTreeMap,
    io::{self, Write},
};

/// Most bytes of one line of a log's stream.
const LINE_BYTES_MAX: usize = 1024 * 1024;

/// All services, a line each.
pub fn list_table(services: &Services) -> String {
    if services.services.is_empty() {
        return "no services; start one with: opensky service run docker:NAME --port PORT".to_owned();
    }
    let rows = services.services.iter().map(|service| {
        let addresses: Vec<String> =
            service.open_ports.iter().map(|open| format!("{}->{}", open.listen, open.port)).collect();
        let owner = if service.own { "this node".to_owned() } else { service.owner.to_string() };
        vec![
            service.name.clone(),
            service.state.as_str().to_owned(),
            replicas(service),
            service.wanted.to_string(),
            addresses.join(" "),
            owner,
        ]
    });
    table(&["NAME", "STATE", "REPLICAS", "REVISION", "REACHED AT", "OWNER"], rows)
}

/// How many replicas answer, of how many.
fn replicas(service: &ServiceView) -> String {
    let answers = |replica: &&ReplicaView| {
        let is_good =
            matches!(replica.state, ReplicaState::Healthy | ReplicaState::Moving | ReplicaState::Ended);
        is_good && !replica.lost && !replica.ending
    };
    let answering = service.replicas.iter().filter(answers).count();
    match &service.spec {
        Some(spec) => format!("{answering}/{}", service.replicas_wanted.unwrap_or(spec.replicas)),
        None => answering.to_string(),
    }
}

/// One service in full.
pub fn service_table(service: &ServiceView) -> String {
    let ports: Vec<String> = service.ports.iter().map(ToString::to_string).collect();
    let open = service.open_ports.iter().map(|open| format!("{} leads to port {}", open.listen, open.port));
    let mut rows = vec![
        ("name", service.name.clone()),
        ("state", service.state.as_str().to_owned()),
        ("replicas", replicas(service)),
        ("revision", service.wanted.to_string()),
        ("owner", service.owner.to_string()),
        ("ports", ports.join(", ")),
        ("declared", ago(now(), service.declared_at)),
    ];
    rows.extend(open.map(|open| ("reached at", open)));
    if let Some(problem) = &service.problem {
        rows.push(("problem", format!("revision {} did not get healthy: {problem}", service.revision)));
    }
    if let Some(volumes) = service.spec.as_ref().and_then(|spec| spec.volumes.as_ref()) {
        rows.extend(volumes.mounts.iter().map(|volume| {
            let size = ByteSize::new(volume.size_bytes);
            ("volume", format!("{} at {}, {size}", volume.name, volume.path))
        }));
    }
    let mut text = fields(&rows);
    let has_volumes = service.replicas.iter().any(|replica| replica.saved.is_some());
    let mut head = vec!["SLOT", "STATE", "NODE", "REVISION", "RESTARTS", "CONNECTIONS"];
    head.extend(has_volumes.then_some("SAVED"));
    head.push("PROBLEM");
    let replicas = service.replicas.iter().map(|replica| {
        let state = match (replica.lost, replica.ending) {
            (true, _) => "lost",
            (_, true) => "ending",
            _ => replica.state.as_str(),
        };
        let mut row = vec![
            replica.slot.to_string(),
            state.to_owned(),
            replica.node.to_string(),
            replica.revision.to_string(),
            replica.restarts.to_string(),
            replica.connections.to_string(),
        ];
        row.extend(has_volumes.then(|| replica.saved.as_ref().map_or(String::new(), saved_at)));
        row.push(replica.problem.clone());
        row
    });
    text.push('\n');
    text.push_str(&table(&head, replicas));
    if !service.notes.is_empty() {
        text.push_str("\n\nLATELY\n");
    }
    for note in &service.notes {
        let slot = note.slot.map(|slot| format!("[{slot}] ")).unwrap_or_default();
        text.push_str(&clean_lines(&format!("{:>12}  {slot}{}\n", ago(now(), note.at), note.text)));
    }
    text
}

/// When the volumes of a replica were saved last, and how much that is.
fn saved_at(saved: &SavedView) -> String {
    let held = if saved.held { "" } else { ", held nowhere else yet" };
    format!("{}, {}{held}", ago(now(), saved.at), ByteSize::new(saved.size_bytes))
}

/// Prints what replicas write: with their number before each line where there are several.
pub async fn log(client: &Client, args: &LogsArgs) -> Result<()> {
    let query = ServiceLogQuery { slot: args.slot, follow: args.follow };
    let mut answer = client.service_log(&args.service, &query).await?;
    let (mut waiting, mut lines) = (Vec::new(), Lines::default());
    loop {
        let piece = tokio::select! {
            piece = answer.chunk() => piece?,
            _ = tokio::signal::ctrl_c() => None,
        };
        let Some(piece) = piece else { return lines.flush() };
        waiting.extend_from_slice(&piece);
        while let Some(end) = waiting.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = waiting.drain(..=end).collect();
            lines.take(serde_json::from_slice(&line)?)?;
        }
        anyhow::ensure!(waiting.len() <= LINE_BYTES_MAX, "the node sends an endless line");
    }
}

/// Puts the pieces of several replicas together to whole lines.
#[derive(Default)]
struct Lines {
    open: BTreeMap<(String, bool), String>,
}

impl Lines {
    fn take(&mut self, part: ServiceLogPart) -> Result<()> {
        let is_stderr = part.stream == StreamView::Stderr;
        let open = self.open.entry((part.replica.slot.to_string(), is_stderr)).or_default();
        open.push_str(&part.text);
        while let Some(end) = open.find('\n') {
            let line: String = open.drain(..=end).collect();
            print(&part.replica.slot.to_string(), is_stderr, line.trim_end_matches('\n'))?;
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<()> {
        for ((slot, is_stderr), rest) in std::mem::take(&mut self.open) {
            if !rest.is_empty() {
                print(&slot, is_stderr, &rest)?;
            }
        }
        Ok(())
    }
}

fn print(slot: &str, is_stderr: bool, line: &str) -> Result<()> {
    let line = format!("{slot} | {}", clean_lines(line));
    let written = if is_stderr { writeln!(io::stderr(), "{line}") } else { writeln!(io::stdout(), "{line}") };
    match written {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => Ok(written?),
    }
}
