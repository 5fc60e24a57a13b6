//! Why a call failed.

use opensky_api::{Problem, receipt::ReceiptViewError};
use opensky_jobfile::JobFileError;
use opensky_types::job::InvalidJob;
use std::{io, path::PathBuf};

/// Why a call to the local node failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No node runs with this data folder.
    #[error("no node is running for {}", data_dir.display())]
    NotRunning {
        /// The data folder.
        data_dir: PathBuf,
    },
    /// Nobody answers where the node should be.
    #[error("no node answers at {address}")]
    Unreachable {
        /// The API's address.
        address: String,
        /// What the system said.
        #[source]
        source: reqwest::Error,
    },
    /// The URL of a node is not one.
    #[error("'{url}' is not the URL of a node: {problem}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong with it.
        problem: String,
    },
    /// What is to be trusted cannot be read.
    #[error("the certificate or fingerprint to trust cannot be used: {problem}")]
    Trust {
        /// What is wrong with it.
        problem: String,
    },
    /// The node said no.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// The answer broke off or is not what this version expects.
    #[error("the node's answer to {what} could not be read; are client and node of one version?")]
    BadAnswer {
        /// The call.
        what: String,
        /// What was wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A local file or folder could not be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// `read` or `write`.
        action: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// An image is not where it should be.
    #[error("the image '{name}' could not be had: {problem}")]
    Image {
        /// Its name there.
        name: String,
        /// What the engine's command line said, or what the node lacks.
        problem: String,
    },
    /// The job file has a mistake, or names a file that is not there.
    #[error(transparent)]
    JobFile(#[from] Box<JobFileError>),
    /// Files were given to a job none of whose stages reads files.
    #[error("no stage of the job reads files, so the files given have no use")]
    ReadsNoFiles,
    /// The name does not end in `.toml`, `.yaml`, `.yml` or `.json`.
    #[error("{} is not a job file: its name ends in none of .toml, .yaml, .yml, .json", path.display())]
    UnknownFormat {
        /// Its path.
        path: PathBuf,
    },
    /// The job breaks a rule that only shows with its files.
    #[error("the job is not valid: {0}")]
    InvalidJob(#[from] InvalidJob),
    /// A receipt does not hold.
    #[error(transparent)]
    Receipt(#[from] ReceiptViewError),
    /// Neither `OPENSKY_DATA_DIR` nor `HOME` says where data folders are.
    #[error("no data folder: neither OPENSKY_DATA_DIR, XDG_DATA_HOME nor HOME is set")]
    NoHome,
}

impl ClientError {
    pub(crate) fn read(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::File { action: "read", path, source }
    }

    pub(crate) fn write(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        |source| Self::File { action: "write", path, source }
    }
}
