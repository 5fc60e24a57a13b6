//! Where everything of one node lies.

use opensky_types::NodeId;
use std::path::{Path, PathBuf};

/// The paths of a data folder. Knows names only; touches no file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The layout of the folder at `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Held by the process that uses the folder.
    pub fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// Keys and all that belongs to them.
    pub fn identity(&self) -> PathBuf {
        self.root.join("identity")
    }

    /// The node's key.
    pub fn key(&self) -> PathBuf {
        self.identity().join("node.key")
    }

    /// The next key, while a rotation is under way.
    pub(crate) fn next_key(&self) -> PathBuf {
        self.identity().join("next.key")
    }

    /// Keys that were rotated away.
    pub fn retired(&self) -> PathBuf {
        self.identity().join("retired")
    }

    /// A key that was rotated away.
    pub fn retired_key(&self, node: NodeId) -> PathBuf {
        self.retired().join(format!("{node}.key"))
    }

    /// The proofs of all rotations.
    pub fn rotations(&self) -> PathBuf {
        self.identity().join("rotations")
    }

    /// Which place on which machine the folder belongs to.
    pub(crate) fn binding(&self) -> PathBuf {
        self.identity().join("folder-id")
    }

    /// How often the node has started.
    pub(crate) fn starts(&self) -> PathBuf {
        self.identity().join("starts")
    }

    /// The folder of the journal's file: the data folder itself.
    pub fn journal_folder(&self) -> &Path {
        &self.root
    }

    /// Content by hash.
    pub fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    /// What can be made again: compiled programs and the like.
    pub fn cache(&self) -> PathBuf {
        self.root.join("cache")
    }

    /// The node's log files.
    pub fn logs(&self) -> PathBuf {
        self.root.join("logs")
    }

    /// Scratch folders of running tasks; emptied at start.
    pub fn scratch(&self) -> PathBuf {
        self.root.join("scratch")
    }

    /// What only matters while the node runs.
    pub fn run(&self) -> PathBuf {
        self.root.join("run")
    }

    /// The token that the local API asks for.
    pub fn api_token(&self) -> PathBuf {
        self.run().join("api.token")
    }

    /// Which process runs, and where its API listens.
    pub fn running(&self) -> PathBuf {
        self.run().join("node.json")
    }
}
