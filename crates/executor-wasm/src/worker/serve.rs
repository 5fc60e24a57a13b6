//! The worker that answers HTTP with a component (`wasi:http/incoming-handler`).
//!
//! Connections are open already when they come: the executor hands them over, one file each. Every request gets a
//! fresh instance, fuel and time of its own, and a share of the memory of all.

mod connection;
mod request;
mod share;

use super::{
    Link,
    program::{Code, Unusable, cannot_link, load_file},
    watchdog::Watchdog,
};
use crate::{
    frame::{Order, Report, Serve},
    sandbox::limit_memory,
};
use connection::{Connection, Conveyor};
use hyper::{server::conn::http1, service::service_fn};
use request::{Answering, Visit};
use std::{path::Path, sync::Arc, time::Duration};
use wasmtime::{Engine, component::Linker};
use wasmtime_wasi_http::{io::TokioIo, p2::bindings::ProxyPre};

/// Longest wait for the head of a request on a connection that is open.
const HEAD_WAIT: Duration = Duration::from_secs(60);
/// Most bytes of a request's head.
const HEAD_BYTES_MAX: usize = 64 << 10;

/// What a worker needs beside its program's memory: compiled code, stacks, connections and their buffers.
const BESIDE_PROGRAM_BYTES: u64 = 192 << 20;

/// Serves until the executor hangs up.
pub fn serve(link: &Link, engine: &Engine, watchdog: Watchdog, cache_dir: &Path) -> Result<(), String> {
    let order = match link.next_order() {
        Some(Order::Serve(order)) => *order,
        // Never needed.
        None => return Ok(()),
        Some(_) => return Err("a worker that answers requests got another order".into()),
    };
    let pre = match prepare(engine, cache_dir, &order) {
        Ok(pre) => pre,
        Err(report) => {
            link.outbox.send(&report);
            link.outbox.flush();
            return Ok(());
        }
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(usize::from(order.threads.max(1)))
        .enable_io()
        .enable_time()
        .build()
        .map_err(|error| format!("cannot start a runtime: {error}"))?;
    // Its own limits count what a program asks for; this one ends a worker in which a program found another way.
    if !limit_memory(order.memory_bytes.saturating_add(BESIDE_PROGRAM_BYTES)) {
        return Err("the system refused to limit the memory of the worker".into());
    }
    let answering = Arc::new(Answering::new(pre, &order, watchdog, link.outbox.clone()));
    let _entered = runtime.enter();
    let conveyor = Conveyor::take().map_err(|error| format!("no way for connections: {error}"))?;
    runtime.spawn(take_connections(conveyor, answering));
    link.outbox.send(&Report::Serving);
    link.outbox.flush();
    // Nothing is ordered any more; this ends when the executor hangs up.
    while link.next_order().is_some() {}
    Ok(())
}

fn prepare(engine: &Engine, cache_dir: &Path, order: &Serve) -> Result<ProxyPre<Visit>, Report> {
    let path = cache_dir.join(&order.artefact_name);
    let code = load_file(engine, &path, order.artefact_hash);
    let code = code.map_err(|Unusable { message, is_intact }| Report::Unusable { message, is_intact })?;
    let not_serving = |message: String| Report::NotServing { message };
    let Code::Component(component) = code else {
        return Err(not_serving(
            "it is a module; a component that exports wasi:http/incoming-handler answers HTTP".into(),
        ));
    };
    let link = || -> wasmtime::Result<_> {
        let mut linker = Linker::new(engine);
        // The whole of WASI, since what languages bring along imports files; there are none.
        wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
        wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
        linker.instantiate_pre(&component)
    };
    let pre = link().map_err(|error| not_serving(cannot_link(&error).to_string()))?;
    ProxyPre::new(pre).map_err(|_| {
        not_serving("the component does not export wasi:http/incoming-handler, so it answers no HTTP".into())
    })
}

async fn take_connections(conveyor: Conveyor, answering: Arc<Answering>) {
    loop {
        match conveyor.next().await {
            Ok(Some(connection)) => {
                tokio::spawn(answer(connection, Arc::clone(&answering)));
            }
            // The executor has gone, or this worker has as many files as it may have.
            Ok(None) => return,
            Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
}

async fn answer(connection: Connection, answering: Arc<Answering>) {
    let service = service_fn(move |request| Arc::clone(&answering).answer(request));
    let served = http1::Builder::new()
        .timer(request::Timer)
        .header_read_timeout(HEAD_WAIT)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(connection), service);
    // Whoever connected may go away at any time, and may speak what is no HTTP.
    let _ = served.await;
}
