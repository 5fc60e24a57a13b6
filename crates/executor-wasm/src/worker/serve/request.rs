//! One request: a fresh instance, its limits, its answer.

use super::share::{Memory, Share};
use crate::{
    frame::{Report, Serve},
    worker::{
        failure::{Reached, printable},
        outbox::Outbox,
        streams::Output,
        watchdog::Watchdog,
    },
};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{
    Request, Response, StatusCode,
    body::Incoming,
    header::{HOST, HeaderValue},
    rt::Sleep,
};
use opensky_types::resources::Limit;
use std::{
    convert::Infallible,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll},
    time::{Duration, Instant},
};
use tokio::{
    sync::{Semaphore, oneshot},
    task::JoinHandle,
};
use wasmtime::{Store, StoreContextMut, UpdateDeadline, component::ResourceTable};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtx, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
    p2::{
        bindings::{ProxyPre, http::types::Scheme},
        body::HyperOutgoingBody,
    },
};

/// Most bytes that a host call may copy out of a program at once.
const HOST_CALL_BYTES_MAX: usize = 32 << 20;
/// Most resources (bodies, streams, pollables) that a request may hold.
const HANDLES_MAX: usize = 1_024;
/// Most bytes of the headers that a program puts together.
const FIELD_BYTES_MAX: usize = 32 << 10;
/// Most characters of what is logged of a request that failed.
const PROBLEM_CHARS_MAX: usize = 512;

/// What host functions see of a request.
pub struct Visit {
    share: Share,
    wasi: WasiCtx,
    http: WasiHttpCtx,
    table: ResourceTable,
    hooks: NoWayOut,
}

impl WasiView for Visit {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl WasiHttpView for Visit {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView { hooks: &mut self.hooks, table: &mut self.table, ctx: &mut self.http }
    }
}

type Sent = Result<(Response<WasiBody>, Box<dyn Future<Output = Result<(), Error>> + Send>), Error>;

/// A component sends no requests.
struct NoWayOut;

impl WasiHttpHooks for NoWayOut {
    fn send_request(
        &mut self,
        _: Request<WasiBody>,
        _: Option<RequestOptions>,
        _: Box<dyn Future<Output = Result<(), Error>> + Send>,
    ) -> Box<dyn Future<Output = Sent> + Send> {
        Box::new(std::future::ready(Err(Error::HttpRequestDenied)))
    }
}

/// What all requests share.
pub struct Answering {
    pre: ProxyPre<Visit>,
    memory: Arc<Memory>,
    room: Arc<Semaphore>,
    args: Vec<String>,
    env: Vec<(String, String)>,
    fuel: u64,
    patience: Duration,
    running: AtomicUsize,
    watchdog: Watchdog,
    outbox: Arc<Outbox>,
}

/// A request that runs: time passes for the engine while there are any.
struct Running(Arc<Answering>);

impl Drop for Running {
    fn drop(&mut self) {
        if self.0.running.fetch_sub(1, SeqCst) == 1 {
            self.0.watchdog.task_ended();
            // One that began meanwhile may have said so before this one said that none runs.
            if self.0.running.load(SeqCst) > 0 {
                self.0.watchdog.task_starts();
            }
            self.0.outbox.flush();
        }
    }
}

/// Ends the instance if nobody waits for its answer any more.
struct Waited(Option<JoinHandle<wasmtime::Result<()>>>);

impl Drop for Waited {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl Answering {
    pub fn new(pre: ProxyPre<Visit>, order: &Serve, watchdog: Watchdog, outbox: Arc<Outbox>) -> Self {
        Self {
            pre,
            memory: Arc::new(Memory::new(order.memory_bytes)),
            room: Arc::new(Semaphore::new(order.requests_max as usize)),
            args: order.args.clone(),
            env: order.env.clone(),
            fuel: order.request_fuel,
            patience: Duration::from_millis(order.request_ms),
            running: AtomicUsize::new(0),
            watchdog,
            outbox,
        }
    }

    /// Answers one request, whatever its program does.
    pub async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<HyperOutgoingBody>, Infallible> {
        let what = format!("{} {}", request.method(), printable(request.uri().path(), 80));
        Ok(match self.clone().run(request).await {
            Ok(response) => response,
            Err(error) => {
                self.log(&what, &error);
                let text = "the program did not answer\n";
                let mut response = Response::new(
                    Full::new(Bytes::from_static(text.as_bytes()))
                        .map_err(|never| match never {})
                        .boxed_unsync(),
                );
                *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
                response
            }
        })
    }

    async fn run(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> wasmtime::Result<Response<HyperOutgoingBody>> {
        let permit = tokio::time::timeout(self.patience, self.room.clone().acquire_owned()).await;
        let Ok(permit) = permit else { wasmtime::bail!("others had all places for {:?}", self.patience) };
        let permit = permit?;
        if self.running.fetch_add(1, SeqCst) == 0 {
            self.watchdog.task_starts();
        }
        let running = Running(self.clone());
        let mut store = self.store();
        let (sender, receiver) = oneshot::channel();
        let request = store.data_mut().http().new_incoming_request(Scheme::Http, with_host(request))?;
        let out = store.data_mut().http().new_response_outparam(sender)?;
        let (pre, patience, answering) = (self.pre.clone(), self.patience, self.clone());
        // It may go on after its answer has begun.
        let mut waited = Waited(Some(tokio::spawn(async move {
            let _held = (permit, running);
            let call = async {
                let proxy = pre.instantiate_async(&mut store).await?;
                proxy.wasi_http_incoming_handler().call_handle(&mut store, request, out).await
            };
            let called = tokio::time::timeout(patience, call).await;
            let called = called.unwrap_or_else(|_| Err(Reached(Limit::Time).into()));
            called.map_err(|error| answering.cause(&store, error))
        })));
        if let Ok(answer) = receiver.await {
            // What it does from now on is between its body and whoever reads that.
            waited.0 = None;
            return Ok(answer?);
        }
        if let Some(task) = waited.0.take() {
            task.await??;
        }
        wasmtime::bail!("the program ended without an answer")
    }

    fn store(&self) -> Store<Visit> {
        let mut wasi = WasiCtx::builder();
        let output = |is_stderr| Output::new(is_stderr, u64::MAX, self.outbox.clone());
        wasi.stdout(output(false))
            .stderr(output(true))
            .arg("program")
            .args(&self.args)
            .envs(&self.env)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .max_random_size(HOST_CALL_BYTES_MAX as u64);
        let mut table = ResourceTable::new();
        table.set_max_capacity(HANDLES_MAX);
        let share = Share::new(self.memory.clone());
        let mut http = WasiHttpCtx::new();
        http.set_field_size_limit(FIELD_BYTES_MAX);
        let visit = Visit { share, wasi: wasi.build(), http, table, hooks: NoWayOut };
        let mut store = Store::new(self.pre.engine(), visit);
        store.limiter(|visit| &mut visit.share);
        store.set_hostcall_fuel(HOST_CALL_BYTES_MAX);
        store.set_fuel(self.fuel).expect("the engine meters fuel");
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(patience(self.patience));
        store
    }

    /// What a request really failed of.
    fn cause(&self, store: &Store<Visit>, error: wasmtime::Error) -> wasmtime::Error {
        match store.data().share.denied() {
            Some(limit) => Reached(limit).into(),
            None if store.get_fuel().is_ok_and(|left| left == 0) => Reached(Limit::Fuel).into(),
            None => error,
        }
    }

    fn log(&self, what: &str, error: &wasmtime::Error) {
        let problem = printable(&format!("{error:#}"), PROBLEM_CHARS_MAX);
        let bytes = format!("{what}: {problem}\n").into_bytes();
        self.outbox.send(&Report::Output { is_stderr: true, bytes });
    }
}

/// Older clients name no host, which WASI cannot do without.
fn with_host(mut request: Request<Incoming>) -> Request<Incoming> {
    if request.uri().authority().is_none() {
        request.headers_mut().entry(HOST).or_insert(HeaderValue::from_static("localhost"));
    }
    request
}

/// Asked at each tick: others have their turn, and what takes too long ends.
fn patience(
    most: Duration,
) -> impl FnMut(StoreContextMut<'_, Visit>) -> wasmtime::Result<UpdateDeadline> + Send + Sync + 'static {
    let started = Instant::now();
    move |_| {
        if started.elapsed() >= most {
            return Err(Reached(Limit::Time).into());
        }
        Ok(UpdateDeadline::Yield(1))
    }
}

/// Tokio's clock for hyper.
#[derive(Debug, Clone, Copy)]
pub struct Timer;

impl hyper::rt::Timer for Timer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        Box::pin(Slept(Box::pin(tokio::time::sleep(duration))))
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Slept(Box::pin(tokio::time::sleep_until(deadline.into()))))
    }
}

struct Slept(Pin<Box<tokio::time::Sleep>>);

impl Future for Slept {
    type Output = ();
    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.0.as_mut().poll(context)
    }
}

impl Sleep for Slept {}
