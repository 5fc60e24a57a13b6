//! Programs as a worker holds them: loaded, linked, ready to be instantiated.

use super::{failure::printable, limiter::Limiter};
use crate::frame::Prepare;
use opensky_types::{Hash, place::Level, resources::Limit, task::Failure};
use std::{
    collections::VecDeque,
    path::{Path, PathBuf},
    rc::Rc,
};
use wasmtime::{
    Engine, ExternType, FuncType, InstancePre, Linker, Module, Precompiled,
    component::{self, Component, ComponentExportIndex},
};
use wasmtime_wasi::{
    I32Exit, WasiCtxView, WasiView,
    p1::{self, WasiP1Ctx},
    p2::{self, bindings::CommandPre},
};

/// The unit that memories say their size in.
const WASM_PAGE_BYTES: u64 = 64 << 10;
/// Programs kept loaded.
const LOADED_MAX: usize = 32;

/// What host functions of a running program see.
pub struct Host {
    pub limiter: Limiter,
    /// `None` for programs that import nothing; making it costs more than they run.
    pub wasi: Option<WasiP1Ctx>,
}

impl Host {
    fn wasi(&mut self) -> &mut WasiP1Ctx {
        self.wasi.as_mut().expect("programs with imports are given WASI")
    }
}

impl WasiView for Host {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        self.wasi().ctx()
    }
}

/// A program and how its tasks are called.
pub struct Program {
    /// What was ordered.
    pub spec: Prepare,
    /// What to call, or why there is nothing to call.
    pub entry: Result<Entry, Failure>,
    /// Whether it imports anything.
    pub has_imports: bool,
}

/// What to call.
pub enum Entry {
    /// `_start` of a WASI 0.1 command.
    Start(InstancePre<Host>),
    /// An export of a module.
    Function { pre: InstancePre<Host>, ty: FuncType },
    /// `wasi:cli/run` of a component.
    Command(CommandPre<Host>),
    /// An export of a component.
    ComponentFunction { pre: component::InstancePre<Host>, index: ComponentExportIndex },
}

/// The artefact cannot be loaded.
pub struct Unusable {
    pub message: String,
    /// It is what was compiled, and still the engine refuses it: it was made for another engine, or
    /// the program is beyond what an instance may have.
    pub is_intact: bool,
}

impl Program {
    /// Whether its tasks see folders.
    pub fn uses_files(&self) -> bool {
        self.spec.level == Level::Vm && self.has_imports
    }
}

/// Loads programs and keeps those used last.
pub struct Programs {
    engine: Engine,
    cache_dir: PathBuf,
    modules: Linker<Host>,
    components: component::Linker<Host>,
    loaded: VecDeque<(Hash, Rc<Code>)>,
}

/// What was compiled.
pub enum Code {
    Module(Module),
    Component(Component),
}

impl Code {
    /// The largest memory it starts with, as far as it says.
    fn initial_memory_bytes(&self) -> u64 {
        let required = match self {
            Self::Module(module) => Some(module.resources_required()),
            Self::Component(component) => component.resources_required(),
        };
        let pages = required.and_then(|required| required.max_initial_memory_size).unwrap_or(0);
        pages.saturating_mul(WASM_PAGE_BYTES)
    }
}

impl Programs {
    pub fn new(engine: Engine, cache_dir: PathBuf) -> wasmtime::Result<Self> {
        let mut modules = Linker::new(&engine);
        p1::add_to_linker_async(&mut modules, Host::wasi)?;
        // The stock version traps from exit code 126 on; a local process may use them all.
        modules.allow_shadowing(true);
        modules.func_wrap("wasi_snapshot_preview1", "proc_exit", |code: i32| -> wasmtime::Result<()> {
            Err(I32Exit(code).into())
        })?;
        let mut components = component::Linker::new(&engine);
        p2::add_to_linker_async(&mut components)?;
        Ok(Self { engine, cache_dir, modules, components, loaded: VecDeque::new() })
    }

    /// Loads, links and looks up what `spec` calls.
    pub fn prepare(&mut self, spec: Prepare) -> Result<Program, Unusable> {
        let code = self.load(&spec)?;
        let (mut entry, has_imports) = match &*code {
            Code::Module(module) => (self.module_entry(module, &spec), module.imports().len() > 0),
            Code::Component(component) => {
                let has_imports = component.component_type().imports(&self.engine).next().is_some();
                (self.component_entry(component, &spec), has_imports)
            }
        };
        // Said here, since the engine would first ask the system for the memory.
        if entry.is_ok() && code.initial_memory_bytes() > spec.limits.memory_bytes {
            entry = Err(Failure::Limit { limit: Limit::Memory });
        }
        Ok(Program { spec, entry, has_imports })
    }

    fn load(&mut self, spec: &Prepare) -> Result<Rc<Code>, Unusable> {
        if let Some(position) = self.loaded.iter().position(|(hash, _)| *hash == spec.artefact_hash) {
            let found = self.loaded.remove(position).expect("the position was just found");
            let code = found.1.clone();
            self.loaded.push_front(found);
            return Ok(code);
        }
        let path = self.cache_dir.join(&spec.artefact_name);
        let code = Rc::new(load_file(&self.engine, &path, spec.artefact_hash)?);
        self.loaded.truncate(LOADED_MAX - 1);
        self.loaded.push_front((spec.artefact_hash, code.clone()));
        Ok(code)
    }

    fn module_entry(&self, module: &Module, spec: &Prepare) -> Result<Entry, Failure> {
        let is_command = spec.level == Level::Vm;
        let name = if is_command { "_start" } else { spec.function.as_str() };
        let Some(ExternType::Func(ty)) = module.get_export(name) else {
            return Err(invalid(match is_command {
                true => "the module exports no function '_start', so it is no command; to call another \
                         function use level 'function'"
                    .into(),
                false => format!("the module exports no function '{}'", printable(name, 80)),
            }));
        };
        if is_command && (ty.params().len() > 0 || ty.results().len() > 0) {
            return Err(invalid("'_start' must take and return nothing".into()));
        }
        let pre = self.modules.instantiate_pre(module).map_err(|error| cannot_link(&error))?;
        Ok(if is_command { Entry::Start(pre) } else { Entry::Function { pre, ty } })
    }

    fn component_entry(&self, component: &Component, spec: &Prepare) -> Result<Entry, Failure> {
        let pre = self.components.instantiate_pre(component).map_err(|error| cannot_link(&error))?;
        if spec.level == Level::Vm {
            let command = CommandPre::new(pre).map_err(|_| {
                invalid(
                    "the component does not export 'wasi:cli/run', so it is no command; to call a \
                     function use level 'function'"
                        .into(),
                )
            })?;
            return Ok(Entry::Command(command));
        }
        // `name`, or `interface#name` for a function of an exported interface.
        let index = match spec.function.split_once('#') {
            None => component.get_export_index(None, &spec.function),
            Some((interface, name)) => component
                .get_export_index(None, interface)
                .and_then(|interface| component.get_export_index(Some(&interface), name)),
        };
        match index {
            Some(index) => Ok(Entry::ComponentFunction { pre, index }),
            None => Err(invalid(format!(
                "the component exports no function '{}'; one of an interface is written \
                 'package:name/interface@version#function'",
                printable(&spec.function, 80)
            ))),
        }
    }
}

/// Loads an artefact, if it is the one that was compiled here.
pub fn load_file(engine: &Engine, path: &Path, expected: Hash) -> Result<Code, Unusable> {
    let unusable =
        |problem: &dyn std::fmt::Display| Unusable { message: problem.to_string(), is_intact: false };
    let file = std::fs::File::open(path).map_err(|error| unusable(&error))?;
    let mut hasher = blake3::Hasher::new();
    hasher.update_reader(file).map_err(|error| unusable(&error))?;
    if hasher.finalize().as_bytes() != expected.as_bytes() {
        return Err(unusable(&"it is damaged"));
    }
    // SAFETY: the file was compiled on this machine by the compiler of this same binary, was
    // written by the executor into a folder that workers cannot write to, and still has the hash
    // it had then. Artefacts never come from peers.
    let code = unsafe {
        match Engine::detect_precompiled_file(path).map_err(|error| unusable(&error))? {
            Some(Precompiled::Module) => Module::deserialize_file(engine, path).map(Code::Module),
            Some(Precompiled::Component) => Component::deserialize_file(engine, path).map(Code::Component),
            None => return Err(unusable(&"it is no artefact")),
        }
    };
    code.map_err(|error| Unusable {
        message: printable(&error.root_cause().to_string(), 512),
        is_intact: true,
    })
}

pub fn cannot_link(error: &wasmtime::Error) -> Failure {
    invalid(printable(&format!("{error:#}"), 512))
}

fn invalid(message: String) -> Failure {
    Failure::InvalidProgram { message }
}
