//! Measures what users feel: tasks a second, the time of one call, bulk transfer, an idle node.
//!
//! What it is: whole nodes made of the real adapters (libp2p on loopback, Wasmtime in worker
//! processes, redb and files on disk), each in a process of its own, as `opensky` composes them. What
//! it never does: decide whether a figure is good; `areas.toml` and docs/benchmarks.md do. Every area
//! prints its figure alone on the last line, so that `cargo xtask bench` can set it beside a peer's.
//! Start at [`Area`].

mod calls;
mod dispatch;
mod hostile;
mod http;
mod idle;
mod limits;
mod node;
mod process;
mod receipts;
mod sky;
mod spread;
mod transfer;

use anyhow::Result;
use clap::{Parser, Subcommand};
use std::{path::PathBuf, process::ExitCode};

#[derive(Parser)]
#[command(about = "Measures OpenSky on this machine")]
struct Arguments {
    #[command(subcommand)]
    area: Area,
}

#[derive(Subcommand)]
enum Area {
    /// What this machine can do at best; the last line is the loopback round trip in microseconds.
    Limits,
    /// Tasks that do nothing, from one consumer to two providers; the last line is tasks a second.
    Dispatch {
        #[arg(long, default_value_t = 20_000)]
        tasks: u32,
        #[command(flatten)]
        shape: dispatch::Shape,
    },
    /// The cost of a task in jobs of growing size; the last line is the consumer's peak memory in MB.
    Cost {
        #[arg(long, value_delimiter = ',', default_value = "1000,10000,100000")]
        tasks: Vec<u32>,
        #[command(flatten)]
        shape: dispatch::Shape,
    },
    /// What receipts cost; the last line is their share of a task's processor time in percent.
    Receipts {
        #[arg(long, default_value_t = 50_000)]
        tasks: u32,
        #[command(flatten)]
        shape: dispatch::Shape,
    },
    /// One call at a time on a warm node; the last line is the median in microseconds.
    Calls {
        #[arg(long, default_value_t = 2_000)]
        calls: usize,
    },
    /// One large blob between two nodes; the last line is MB/s.
    Transfer {
        #[arg(long, default_value_t = 512)]
        megabytes: u64,
        /// What carries it: a job's input as users see it, a bare stream of our network, or a
        /// stream of libp2p as it comes.
        #[arg(long, value_enum, default_value_t = transfer::Way::Blob)]
        way: transfer::Way,
    },
    /// The real program: time to ready, memory, processor and traffic of four idle nodes; the last
    /// line is the largest memory in MB.
    Idle {
        /// The `opensky` program; by default the one beside this program.
        #[arg(long)]
        program: Option<PathBuf>,
        /// Seconds to watch.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
    },
    /// A component as a service of the real program: woken from rest, and under load; the last line is requests a
    /// second.
    Http {
        /// The `opensky` program; by default the one beside this program.
        #[arg(long)]
        program: Option<PathBuf>,
        #[command(flatten)]
        load: http::Load,
    },
    /// The same component behind `wasmtime serve`.
    HttpWasmtime {
        /// The `wasmtime` program.
        program: PathBuf,
        #[command(flatten)]
        load: http::Load,
    },
    /// The API of the real program: what a node is, again and again; the last line is requests a second.
    Api {
        /// The `opensky` program; by default the one beside this program.
        #[arg(long)]
        program: Option<PathBuf>,
        #[command(flatten)]
        load: http::Load,
    },
    /// Streams of events on which nothing happens, on the real program; the last line is the memory that they take in MB.
    Streams {
        /// The `opensky` program; by default the one beside this program.
        #[arg(long)]
        program: Option<PathBuf>,
        /// How many.
        #[arg(long, default_value_t = 10_000)]
        streams: usize,
    },
    /// Axum with one route and an answer of that size.
    ApiAxum {
        #[arg(long, default_value_t = 1_100)]
        answer_bytes: usize,
        #[command(flatten)]
        load: http::Load,
    },
    /// Calls to a node that strangers attack meanwhile; the last line is that node's largest memory in MB.
    Hostile {
        #[arg(long, default_value_t = 10_000)]
        connections: usize,
    },
    /// The attackers of that area.
    #[command(hide = true)]
    Attack(hostile::Attack),
    /// A provider of another area; serves until its standard input ends.
    #[command(hide = true)]
    Provider(node::Role),
    /// The receiving end of a stream.
    #[command(hide = true)]
    Sink(transfer::SinkRole),
}

fn main() -> Result<ExitCode> {
    // A worker locks itself in before it opens files or starts threads, so it comes before all else.
    if std::env::args_os().nth(1).is_some_and(|command| command == "worker") {
        return Ok(opensky_executor_wasm::worker::main());
    }
    let arguments = Arguments::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(measure(arguments.area))?;
    Ok(ExitCode::SUCCESS)
}

async fn measure(area: Area) -> Result<()> {
    match area {
        Area::Limits => limits::measure(),
        Area::Dispatch { tasks, shape } => dispatch::measure(tasks, &shape).await,
        Area::Cost { tasks, shape } => dispatch::cost(&tasks, &shape).await,
        Area::Receipts { tasks, shape } => receipts::measure(tasks, &shape).await,
        Area::Calls { calls } => calls::measure(calls).await,
        Area::Transfer { megabytes, way } => transfer::measure(megabytes << 20, way).await,
        Area::Idle { program, seconds } => idle::measure(program, seconds).await,
        Area::Http { program, load } => http::component(program, load).await,
        Area::HttpWasmtime { program, load } => http::wasmtime(&program, load).await,
        Area::Api { program, load } => http::api(program, load).await,
        Area::Streams { program, streams } => http::streams(program, streams).await,
        Area::ApiAxum { answer_bytes, load } => http::axum(load, answer_bytes).await,
        Area::Hostile { connections } => hostile::measure(connections).await,
        Area::Attack(attack) => hostile::attack(attack).await,
        Area::Provider(role) => node::provide(role).await,
        Area::Sink(role) => transfer::sink(role).await,
    }
}
