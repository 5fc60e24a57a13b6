//! One task: a fresh instance, its limits, its call.

use super::{
    Link, determinism,
    failure::{self, Phase, Reached},
    limiter::Limiter,
    program::{Entry, Host, Program},
    streams::{Input, Output},
    values,
};
use crate::{
    engine::TABLE_ELEMENTS_MAX,
    frame::{Ending, Prepare, Stdin},
};
use opensky_executor::{call::arguments, scratch::Scratch};
use opensky_types::{
    place::Level,
    resources::{Limit, TaskLimits},
    task::Failure,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use wasmtime::{Engine, Store, StoreContextMut, UpdateDeadline, Val};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

/// How often the files of a running task are measured. What it writes in between, at the speed of
/// the disk, is how far it can overshoot its scratch limit.
const SCRATCH_LOOK: Duration = Duration::from_millis(50);
/// Most bytes a host call may copy out of a program at once.
const HOST_CALL_BYTES_MAX: usize = 32 << 20;
/// Most resources (files, streams, pollables) a program may hold.
const HANDLES_MAX: usize = 4_096;

/// What a task needs from its worker.
pub struct Task<'a> {
    pub engine: &'a Engine,
    pub program: &'a Program,
    pub link: &'a Link,
    pub scratch: &'a Arc<Scratch>,
    pub item: String,
    pub stdin: Stdin,
}

/// How it ended, and what the engine counted.
pub struct Done {
    pub ending: Ending,
    pub fuel: u64,
    pub memory_peak_bytes: u64,
}

/// Why it did not come to its end.
enum Stop {
    /// The engine or a host call said so.
    Engine(wasmtime::Error, Phase),
    /// We did.
    Failure(Failure),
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

fn linking(error: wasmtime::Error) -> Stop {
    Stop::Engine(error, Phase::Linking)
}

fn running(error: wasmtime::Error) -> Stop {
    Stop::Engine(error, Phase::Running)
}

impl Task<'_> {
    /// Runs it to its end or to a limit.
    pub async fn run(mut self) -> Done {
        match self.prepare() {
            Ok((mut store, args, stdout)) => {
                let result = self.call(&mut store, args, &stdout).await;
                self.done(&store, result)
            }
            Err(failure) => Done { ending: Ending::Failed(failure), fuel: 0, memory_peak_bytes: 0 },
        }
    }

    fn spec(&self) -> &Prepare {
        &self.program.spec
    }

    fn prepare(&mut self) -> Result<(Store<Host>, Vec<String>, Output), Failure> {
        let spec = self.spec();
        let args = arguments(&spec.args, &spec.env, &self.item)?;
        let limits = self.spec().limits;
        let stdout = Output::new(false, limits.output_bytes, self.link.outbox.clone());
        let wasi = match self.program.has_imports {
            true => Some(self.wasi(&args, &stdout)?.build_p1()),
            false => None,
        };
        let limiter = Limiter::new(limits.memory_bytes, TABLE_ELEMENTS_MAX as u64);
        let mut store = Store::new(self.engine, Host { limiter, wasi });
        store.limiter(|host| &mut host.limiter);
        store.set_hostcall_fuel(HOST_CALL_BYTES_MAX);
        store.set_fuel(limits.fuel).expect("the engine meters fuel");
        store.set_epoch_deadline(1);
        let files = self.program.uses_files().then(|| self.scratch.clone());
        store.epoch_deadline_callback(patience(limits, files));
        if let Some(wasi) = &mut store.data_mut().wasi {
            use wasmtime_wasi::WasiView;
            wasi.ctx().table.set_max_capacity(HANDLES_MAX);
        }
        Ok((store, args, stdout))
    }

    fn wasi(&mut self, args: &[String], stdout: &Output) -> Result<WasiCtxBuilder, Failure> {
        let stdin = std::mem::replace(&mut self.stdin, Stdin::Whole(Vec::new()));
        let spec = self.spec();
        let mut env = spec.env.clone();
        env.sort();
        let mut wasi = WasiCtxBuilder::new();
        wasi.stdin(Input::new(stdin, self.link.clone()))
            .stdout(stdout.clone())
            .stderr(Output::new(true, spec.limits.output_bytes, self.link.outbox.clone()))
            .envs(&env)
            .allow_tcp(false)
            .allow_udp(false)
            .allow_ip_name_lookup(false)
            .max_random_size(HOST_CALL_BYTES_MAX as u64);
        if spec.deterministic {
            determinism::apply(&mut wasi, spec.seed, &self.item);
        }
        if spec.level == Level::Vm {
            wasi.arg("program").args(args);
            let folders = [("/tmp", self.scratch.tmp_dir()), ("/out", self.scratch.out_dir())];
            self.scratch.freshen().map_err(|error| no_scratch(&error))?;
            for (name, path) in folders {
                wasi.preopened_dir(path, name, FsPerms::ReadWrite).map_err(|error| no_scratch(&error))?;
            }
        }
        Ok(wasi)
    }

    async fn call(&self, store: &mut Store<Host>, args: Vec<String>, stdout: &Output) -> Result<(), Stop> {
        let entry = self.program.entry.as_ref().map_err(Clone::clone)?;
        // A program without imports never waits, so it runs right here, without a stack of its own.
        if let (Entry::Function { pre, ty }, false) = (entry, self.program.has_imports) {
            let args = values::core_arguments(ty, &args)?;
            let instance = pre.instantiate(&mut *store).map_err(linking)?;
            let function =
                instance.get_func(&mut *store, &self.spec().function).expect("the export was found before");
            let mut results = vec![Val::I32(0); ty.results().len()];
            function.call(&mut *store, &args, &mut results).map_err(running)?;
            return put_result(stdout, &values::core_results(&results)?);
        }
        let deadline = Duration::from_millis(self.spec().limits.wall_ms);
        match tokio::time::timeout(deadline, self.call_entry(store, entry, args, stdout)).await {
            Ok(result) => result,
            Err(_) => Err(Failure::Limit { limit: Limit::Time }.into()),
        }
    }

    async fn call_entry(
        &self,
        store: &mut Store<Host>,
        entry: &Entry,
        args: Vec<String>,
        stdout: &Output,
    ) -> Result<(), Stop> {
        match entry {
            Entry::Start(pre) => {
                let instance = pre.instantiate_async(&mut *store).await.map_err(linking)?;
                let start = instance.get_typed_func::<(), ()>(&mut *store, "_start").map_err(linking)?;
                start.call_async(&mut *store, ()).await.map_err(running)
            }
            Entry::Function { pre, ty } => {
                let args = values::core_arguments(ty, &args)?;
                let instance = pre.instantiate_async(&mut *store).await.map_err(linking)?;
                // Libraries for WASI set themselves up here, once per instance.
                if let Ok(initialize) = instance.get_typed_func::<(), ()>(&mut *store, "_initialize") {
                    initialize.call_async(&mut *store, ()).await.map_err(running)?;
                }
                let function = instance
                    .get_func(&mut *store, &self.spec().function)
                    .expect("the export was found before");
                let mut results = vec![Val::I32(0); ty.results().len()];
                function.call_async(&mut *store, &args, &mut results).await.map_err(running)?;
                put_result(stdout, &values::core_results(&results)?)
            }
            Entry::Command(pre) => {
                let command = pre.instantiate_async(&mut *store).await.map_err(linking)?;
                match command.wasi_cli_run().call_run(&mut *store).await.map_err(running)? {
                    Ok(()) => Ok(()),
                    Err(()) => Err(running(wasmtime_wasi::I32Exit(1).into())),
                }
            }
            Entry::ComponentFunction { pre, index } => {
                let instance = pre.instantiate_async(&mut *store).await.map_err(linking)?;
                let function = instance.get_func(&mut *store, index).ok_or_else(|| {
                    Failure::InvalidProgram { message: "the export is not a function".into() }
                })?;
                let ty = function.ty(&*store);
                let args = values::component_arguments(&ty, &args)?;
                let mut results = vec![wasmtime::component::Val::Bool(false); ty.results().len()];
                function.call_async(&mut *store, &args, &mut results).await.map_err(running)?;
                put_result(stdout, &values::component_results(&results)?)
            }
        }
    }

    fn done(&self, store: &Store<Host>, result: Result<(), Stop>) -> Done {
        let limiter = &store.data().limiter;
        let ending = match result {
            Ok(()) => Ending::Exited { code: 0 },
            Err(Stop::Failure(failure)) => Ending::Failed(failure),
            Err(Stop::Engine(error, phase)) => failure::ending(&error, phase, limiter),
        };
        let left = store.get_fuel().expect("the engine meters fuel");
        Done {
            ending,
            fuel: self.spec().limits.fuel.saturating_sub(left),
            memory_peak_bytes: limiter.memory_peak_bytes(),
        }
    }
}

fn put_result(stdout: &Output, text: &str) -> Result<(), Stop> {
    stdout.put(text.as_bytes()).map_err(|Reached(limit)| Failure::Limit { limit }.into())
}

fn no_scratch(error: &dyn std::fmt::Display) -> Failure {
    Failure::ProviderStopped { message: format!("no scratch folder: {error}") }
}

/// Asked at each tick whether the program may go on.
fn patience(
    limits: TaskLimits,
    files: Option<Arc<Scratch>>,
) -> impl FnMut(StoreContextMut<'_, Host>) -> wasmtime::Result<UpdateDeadline> + Send + Sync + 'static {
    let started = Instant::now();
    let mut looked = started;
    move |_| {
        if started.elapsed() >= Duration::from_millis(limits.wall_ms) {
            return Err(Reached(Limit::Time).into());
        }
        if let Some(files) = &files
            && looked.elapsed() >= SCRATCH_LOOK
        {
            looked = Instant::now();
            if !files.is_within(&limits) {
                return Err(Reached(Limit::Scratch).into());
            }
        }
        Ok(UpdateDeadline::Continue(1))
    }
}
