//! The workspace as cargo and git see it.

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
};

/// Everything the checks look at.
pub struct Workspace {
    /// Its folder.
    pub root: PathBuf,
    /// Files that git tracks, relative to the root, in order. What is not tracked is not checked.
    pub files: Vec<PathBuf>,
    /// Every package of the dependency graph.
    pub packages: BTreeMap<String, Package>,
    /// Ids of the workspace's own packages whose manifests git tracks.
    pub members: BTreeSet<String>,
    /// For each package id, the ids it needs to run (not to build or to test).
    pub needs: BTreeMap<String, Vec<String>>,
}

/// A package, as `cargo metadata` has it.
#[derive(Debug, Deserialize)]
pub struct Package {
    pub id: String,
    pub name: String,
    pub version: semver::Version,
    pub license: Option<String>,
    pub manifest_path: PathBuf,
    pub dependencies: Vec<Dependency>,
}

/// A line in a package's manifest.
#[derive(Debug, Deserialize)]
pub struct Dependency {
    pub name: String,
    /// `None` for what is needed to run; `dev` or `build` otherwise.
    pub kind: Option<String>,
}

#[derive(Deserialize)]
struct Metadata {
    workspace_root: PathBuf,
    workspace_members: Vec<String>,
    packages: Vec<Package>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    deps: Vec<NodeDependency>,
}

#[derive(Deserialize)]
struct NodeDependency {
    pkg: String,
    dep_kinds: Vec<DependencyKind>,
}

#[derive(Deserialize)]
struct DependencyKind {
    kind: Option<String>,
}

impl Workspace {
    /// Asks cargo and git.
    pub fn load() -> Result<Self> {
        let metadata = output(Command::new("cargo").args(["metadata", "--format-version", "1"]))?;
        let metadata: Metadata = serde_json::from_slice(&metadata).context("reading cargo's metadata")?;
        let root = metadata.workspace_root;
        let listed = output(Command::new("git").args(["ls-files", "-z"]).current_dir(&root))?;
        let listed = String::from_utf8(listed).context("a file name is not UTF-8")?;
        let files: Vec<PathBuf> = listed.split_terminator('\0').map(PathBuf::from).collect();

        let packages: BTreeMap<String, Package> =
            metadata.packages.into_iter().map(|package| (package.id.clone(), package)).collect();
        let tracked = |id: &String| {
            let manifest =
                packages.get(id).and_then(|package| package.manifest_path.strip_prefix(&root).ok());
            manifest.is_some_and(|manifest| files.iter().any(|file| file == manifest))
        };
        let members = metadata.workspace_members.into_iter().filter(tracked).collect();
        let needs =
            metadata.resolve.nodes.into_iter().map(|node| (node.id.clone(), needs_of(node))).collect();
        Ok(Self { root, files, packages, members, needs })
    }

    /// The workspace's own packages, in order of id.
    pub fn members(&self) -> impl Iterator<Item = &Package> {
        self.members.iter().filter_map(|id| self.packages.get(id))
    }

    /// All packages that a member needs to run, by any number of steps, with that member left out.
    pub fn needs_transitively(&self, member: &str) -> BTreeSet<&str> {
        let mut seen = BTreeSet::new();
        let mut open = vec![member];
        while let Some(id) = open.pop() {
            for needed in self.needs.get(id).into_iter().flatten() {
                if seen.insert(needed.as_str()) {
                    open.push(needed);
                }
            }
        }
        seen
    }

    /// A package's folder, relative to the root.
    pub fn folder_of<'a>(&self, package: &'a Package) -> &'a Path {
        let folder = package.manifest_path.parent().unwrap_or(Path::new(""));
        folder.strip_prefix(&self.root).unwrap_or(folder)
    }

    /// Tracked files in `folder` whose names end in `.extension`.
    pub fn files_in(&self, folder: &Path, extension: &str) -> impl Iterator<Item = &Path> {
        self.files
            .iter()
            .map(PathBuf::as_path)
            .filter(move |file| file.starts_with(folder) && file.extension().is_some_and(|e| e == extension))
    }

    /// The text of a file, by its path relative to the root.
    pub fn read(&self, file: &Path) -> Result<String> {
        std::fs::read_to_string(self.root.join(file)).with_context(|| format!("reading {}", file.display()))
    }
}

fn needs_of(node: Node) -> Vec<String> {
    let to_run = |dependency: &NodeDependency| dependency.dep_kinds.iter().any(|kind| kind.kind.is_none());
    node.deps.into_iter().filter(to_run).map(|dependency| dependency.pkg).collect()
}

/// What a command that must succeed prints.
fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command.output().with_context(|| format!("running {command:?}"))?;
    let stderr = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?} failed: {stderr}");
    Ok(output.stdout)
}
