//! Values of secrets: read where a file or an option says, which is never the command line.

use super::file::variables;
use crate::{
    commands::Context,
    fail::{Exit, Fail},
};
use anyhow::Result;
use opensky_api::service::{SecretText, SecretView};
use opensky_servicefile::{Plan, PlannedSecret, PlannedService, SecretSource};
use opensky_types::service::SECRETS_BYTES_MAX;
use std::{
    io::{self, IsTerminal},
    path::Path,
};
use tokio::io::AsyncReadExt;

/// The secrets of a service with their values, which nothing but the node's own API gets.
pub async fn read_secrets(
    context: &Context,
    plan: &Plan,
    service: &PlannedService,
    folder: &Path,
) -> Result<Vec<SecretView>> {
    let mut secrets = Vec::with_capacity(service.secrets.len());
    for planned in &service.secrets {
        let mut value = read(context, folder, planned).await.map_err(|error| {
            let problem = format!("the secret '{}': {error}", planned.secret.name);
            Fail::new(Exit::Invalid, plan.error_at(&planned.source, problem, hint(planned)).to_string())
        })?;
        let secret = &planned.secret;
        // The end of the last line is none of a variable.
        if secret.env.is_some() && value.last() == Some(&b'\n') {
            value.pop();
        }
        secrets.push(SecretView {
            name: secret.name.clone(),
            file: secret.is_file,
            env: secret.env.clone(),
            value: Some(SecretText::new(value)),
        });
    }
    Ok(secrets)
}

async fn read(context: &Context, folder: &Path, planned: &PlannedSecret) -> io::Result<Vec<u8>> {
    match &planned.source.value {
        SecretSource::File(path) => read_all(tokio::fs::File::open(folder.join(path)).await?).await,
        SecretSource::Variable(name) => {
            let known = variables(folder).map_err(io::Error::other)?;
            let value = known.get(name).ok_or_else(|| io::Error::other(format!("no variable {name}")))?;
            Ok(value.clone().into_bytes())
        }
        SecretSource::Input => {
            if io::stdin().is_terminal() {
                context.say(format!("{}: reading standard input, to its end", planned.secret.name));
            }
            read_all(tokio::io::stdin()).await
        }
    }
}

async fn read_all(from: impl tokio::io::AsyncRead + Unpin) -> io::Result<Vec<u8>> {
    let mut value = Vec::new();
    from.take(SECRETS_BYTES_MAX as u64 + 1).read_to_end(&mut value).await?;
    if value.len() > SECRETS_BYTES_MAX {
        return Err(io::Error::other(format!("over {SECRETS_BYTES_MAX} bytes")));
    }
    Ok(value)
}

fn hint(planned: &PlannedSecret) -> Option<String> {
    match planned.source.value {
        SecretSource::File(_) => Some("paths are relative to the file that names them".to_owned()),
        SecretSource::Variable(_) => {
            Some("set it, or write it into the file .env beside this one".to_owned())
        }
        SecretSource::Input => None,
    }
}
