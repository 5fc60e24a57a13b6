//! Landlock: which files exist for a worker, and no network.

use super::SandboxLayer;
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, PathBeneath, PathFd,
    Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetStatus, Scope,
};
use std::path::Path;

const NAME: &str = "landlock";
/// The newest kernel interface whose rights we name; older kernels enforce their part of it.
const NEWEST: ABI = ABI::V6;

/// Restricts this thread and those it will start.
pub fn apply(read_dir: Option<&Path>, write_dir: Option<&Path>) -> SandboxLayer {
    match restrict(read_dir, write_dir) {
        Ok(status) if status.ruleset == RulesetStatus::NotEnforced => {
            SandboxLayer::new(NAME, false, format!("the kernel does not have it ({:?})", status.landlock))
        }
        Ok(status) => {
            let version = match status.landlock {
                LandlockStatus::Available { effective_abi, .. } => format!("{effective_abi:?}"),
                other => format!("{other:?}"),
            };
            let part = match status.ruleset {
                RulesetStatus::FullyEnforced => "files, TCP, signals and abstract sockets",
                _ => "files; the kernel is too old for all of TCP, signals and abstract sockets",
            };
            SandboxLayer::new(NAME, true, format!("interface {version}: {part}"))
        }
        Err(error) => SandboxLayer::new(NAME, false, error.to_string()),
    }
}

fn restrict(
    read_dir: Option<&Path>,
    write_dir: Option<&Path>,
) -> Result<landlock::RestrictionStatus, Box<dyn std::error::Error>> {
    let special = AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::MakeSock | AccessFs::MakeFifo;
    let rules = [
        (read_dir, AccessFs::ReadFile | AccessFs::ReadDir),
        (write_dir, AccessFs::from_all(NEWEST) & !(special | AccessFs::Execute | AccessFs::IoctlDev)),
    ];
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::BindTcp | AccessNet::ConnectTcp)?
        .scope(BitFlags::from(Scope::AbstractUnixSocket) | Scope::Signal)?
        .create()?;
    for (dir, access) in rules {
        if let Some(dir) = dir {
            ruleset = ruleset.add_rule(PathBeneath::new(PathFd::new(dir)?, access))?;
        }
    }
    Ok(ruleset.restrict_self()?)
}
