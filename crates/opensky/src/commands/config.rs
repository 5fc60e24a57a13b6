//! `opensky config`

use crate::{
    commands::Context,
    config::{Config, FILE_NAME, read_file, write_value},
    fail::{Exit, Fail},
    output::table,
    settings::{KEYS, key},
};
use anyhow::Result;
use clap::Subcommand;
use opensky_api::config::{ConfigView, SettingSource};
use std::{collections::BTreeMap, path::PathBuf};

/// Show or change the configuration
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Show every setting and where its value comes from
    #[command(after_help = "Of a running node, what it runs with; else what it would start with.\n\
        A flag wins over an environment variable (OPENSKY_NAME), that over the file, that over the default.")]
    Show,
    /// Show one setting
    Get {
        /// Its name
        name: String,
    },
    /// Set one value in the file; holds from the next start
    #[command(after_help = "Example:\n  opensky config set region europe")]
    Set {
        /// Its name
        name: String,
        /// Its value
        value: String,
    },
    /// Check a configuration file
    Validate {
        /// The file [default: the one in the data folder]
        file: Option<PathBuf>,
    },
}

pub async fn run(context: &Context, command: ConfigCommand) -> Result<()> {
    match command {
        ConfigCommand::Show => context.format.print(&effective(context).await?, show),
        ConfigCommand::Get { name } => {
            known(&name)?;
            let view = effective(context).await?;
            match view.settings.iter().find(|setting| setting.key == name) {
                Some(setting) => context.format.print(setting, |setting| setting.value.clone()),
                None => Err(Fail::new(Exit::NotFound, format!("the node has no setting '{name}'")).into()),
            }
        }
        ConfigCommand::Set { name, value } => {
            known(&name)?.check(&value).map_err(|problem| Fail::new(Exit::Invalid, problem))?;
            let path = write_value(&context.own_data_dir()?, &name, &value)?;
            let set = serde_json::json!({ "key": name, "value": value, "file": path });
            context.format.print(&set, |_| {
                format!("{name} = {value} in {}; it holds from the node's next start", path.display())
            })
        }
        ConfigCommand::Validate { file } => {
            let path = match file {
                Some(file) => file,
                None => context.own_data_dir()?.join(FILE_NAME),
            };
            if !path.exists() {
                return Err(Fail::new(Exit::NotFound, format!("there is no {}", path.display())).into());
            }
            let values = read_file(&path)?;
            let checked = serde_json::json!({ "file": path, "settings": values });
            context
                .format
                .print(&checked, |_| format!("{} is right: {} setting(s)", path.display(), values.len()))
        }
    }
}

async fn effective(context: &Context) -> Result<ConfigView> {
    if context.is_elsewhere() {
        return Ok(context.client()?.config().await?);
    }
    if let Ok(client) = context.client()
        && let Ok(view) = client.config().await
    {
        return Ok(view);
    }
    Ok(Config::load(&context.data_dir()?, &BTreeMap::new())?.view())
}

fn known(name: &str) -> Result<&'static crate::settings::Key> {
    let names: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
    key(name).ok_or_else(|| {
        let what = format!("there is no setting '{name}'");
        Fail::new(Exit::NotFound, what).next(format!("there are: {}", names.join(", "))).into()
    })
}

fn show(view: &ConfigView) -> String {
    let rows = view.settings.iter().map(|setting| {
        let source = match setting.source {
            SettingSource::Flag => "flag",
            SettingSource::Environment => "environment",
            SettingSource::File => "file",
            SettingSource::Default => "default",
        };
        let origin = setting.origin.clone().unwrap_or_default();
        let help = key(&setting.key).map(|key| key.help.to_owned()).unwrap_or_default();
        vec![setting.key.clone(), setting.value.clone(), source.to_owned(), origin, help]
    });
    table(&["SETTING", "VALUE", "FROM", "WHERE", "MEANING"], rows)
}
