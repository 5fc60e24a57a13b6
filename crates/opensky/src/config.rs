//! The configuration: flag over environment over file over default, and where each value came from.

use crate::{
    fail::{Exit, Fail},
    settings::{KEYS, Key, Settings, key},
};
use anyhow::{Result, bail};
use opensky_api::config::{ConfigView, SettingSource, SettingView};
use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};

/// The configuration file's name in the data folder.
pub const FILE_NAME: &str = "config.toml";

/// All settings as texts, with their sources.
#[derive(Debug, Clone)]
pub struct Config {
    values: BTreeMap<&'static str, SettingView>,
}

impl Config {
    /// Puts the layers together. `flags` are those given, by the key's name.
    pub fn load(data_dir: &Path, flags: &BTreeMap<&'static str, String>) -> Result<Self> {
        let path = data_dir.join(FILE_NAME);
        let file = read_file(&path)?;
        let mut values = BTreeMap::new();
        for key in KEYS {
            let view = setting(key, flags, &file, &path);
            key.check(&view.value).map_err(|problem| {
                let origin = view.origin.clone().unwrap_or_default();
                Fail::new(Exit::Invalid, format!("{problem} (set by {origin})"))
            })?;
            values.insert(key.name, view);
        }
        Ok(Self { values })
    }

    /// All of it, for the API and `config show`.
    pub fn view(&self) -> ConfigView {
        ConfigView { settings: self.values.values().cloned().collect() }
    }

    /// Keeps another name of the node in the file, where that is what the next start goes by.
    pub fn rename(&self, data_dir: &Path, name: &str) -> Result<()> {
        let Some(view) = self.values.get("name") else { bail!("there is no setting 'name'") };
        if view.source < SettingSource::File {
            let origin = view.origin.as_deref().unwrap_or("its start");
            bail!("the name is set by {origin}, which wins over what is kept; change it there");
        }
        let Some(key) = key("name") else { bail!("there is no setting 'name'") };
        key.check(name).map_err(|problem| Fail::new(Exit::Invalid, problem))?;
        write_value(data_dir, "name", name).map(drop)
    }

    /// The settings as values.
    pub fn settings(&self) -> Result<Settings> {
        let value = |name: &str| self.values.get(name).map(|view| view.value.clone()).unwrap_or_default();
        Settings::read(value).map_err(|problem| Fail::new(Exit::Invalid, problem).into())
    }
}

fn setting(
    key: &'static Key,
    flags: &BTreeMap<&'static str, String>,
    file: &BTreeMap<String, String>,
    path: &Path,
) -> SettingView {
    let variable = key.variable();
    let found = flags
        .get(key.name)
        .map(|value| (value.clone(), SettingSource::Flag, Some(format!("--{}", key.name.replace('_', "-")))))
        .or_else(|| Some((std::env::var(&variable).ok()?, SettingSource::Environment, Some(variable))))
        .or_else(|| {
            Some((file.get(key.name)?.clone(), SettingSource::File, Some(path.display().to_string())))
        });
    let (value, source, origin) =
        found.unwrap_or_else(|| (key.default.to_owned(), SettingSource::Default, None));
    SettingView { key: key.name.into(), value, source, origin }
}

/// The file's settings as texts; none where there is no file.
pub fn read_file(path: &Path) -> Result<BTreeMap<String, String>> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => {
            return Err(anyhow::Error::new(error).context(format!("cannot read {}", path.display())));
        }
    };
    let invalid = |problem: String| Fail::new(Exit::Invalid, format!("{}: {problem}", path.display()));
    let table: toml::Table = toml::from_str(&text).map_err(|error| invalid(error.to_string()))?;
    let mut values = BTreeMap::new();
    for (name, value) in table {
        let Some(key) = key(&name) else {
            let known: Vec<&str> = KEYS.iter().map(|key| key.name).collect();
            return Err(invalid(format!("unknown setting '{name}'; there are: {}", known.join(", "))).into());
        };
        let value = match value {
            toml::Value::String(text) => text,
            toml::Value::Array(items) => {
                let texts =
                    items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned));
                texts.collect::<Vec<_>>().join(",")
            }
            other => other.to_string(),
        };
        key.check(&value).map_err(invalid)?;
        values.insert(name, value);
    }
    Ok(values)
}

/// Sets one value in the file, keeping the others. Comments are not kept.
pub fn write_value(data_dir: &Path, name: &str, value: &str) -> Result<PathBuf> {
    let path = data_dir.join(FILE_NAME);
    let mut values = read_file(&path)?;
    values.insert(name.to_owned(), value.to_owned());
    let table: toml::Table =
        values.into_iter().map(|(name, value)| (name, toml::Value::String(value))).collect();
    let temporary = path.with_extension("toml.new");
    std::fs::create_dir_all(data_dir)?;
    let mut file = std::fs::File::create(&temporary)?;
    file.write_all(toml::to_string(&table)?.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&temporary, &path)?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flag_over_file_over_default() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(FILE_NAME), "region = \"asia\"\nlisten = 5000\n").unwrap();
        let flags = BTreeMap::from([("region", "europe".to_owned())]);
        let config = Config::load(folder.path(), &flags).unwrap();
        let source = |name| (config.values[name].value.as_str(), config.values[name].source);
        assert_eq!(source("region"), ("europe", SettingSource::Flag));
        assert_eq!(source("listen"), ("5000", SettingSource::File));
        assert_eq!(source("blob_cap"), ("20GiB", SettingSource::Default));
        assert_eq!(config.settings().unwrap().listen_port, 5000);
    }

    #[test]
    fn a_name_is_kept_unless_something_wins_over_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let config = Config::load(folder.path(), &BTreeMap::new()).unwrap();
        config.rename(folder.path(), "attic").unwrap();
        let config = Config::load(folder.path(), &BTreeMap::new()).unwrap();
        assert_eq!(config.settings().unwrap().name, "attic");
        let long = "x".repeat(65);
        assert!(config.rename(folder.path(), &long).unwrap_err().to_string().contains("'name' cannot be"));
        let flags = BTreeMap::from([("name", "cellar".to_owned())]);
        let flagged = Config::load(folder.path(), &flags).unwrap();
        let refusal = flagged.rename(folder.path(), "roof").unwrap_err().to_string();
        assert!(refusal.contains("set by --name"), "{refusal}");
        assert_eq!(
            read_file(&folder.path().join(FILE_NAME)).unwrap()["name"],
            "attic",
            "nothing was written"
        );
    }

    #[test]
    fn unknown_and_bad_settings_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        for (text, problem) in [
            ("regoin = \"asia\"", "unknown setting 'regoin'"),
            ("region = \"atlantis\"", "'region' cannot be 'atlantis'"),
            ("api = \"0.0.0.0:1\"", "for this machine only"),
            ("remote_names = \"https://x\"", "is not a name"),
            ("listen = 70000", "'listen' cannot be '70000'"),
            ("= 3", "config.toml"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = Config::load(folder.path(), &BTreeMap::new()).unwrap_err().to_string();
            assert!(error.contains(problem), "{text}: {error}");
        }
    }

    #[test]
    fn set_keeps_the_other_values() {
        let folder = tempfile::tempdir().unwrap();
        write_value(folder.path(), "region", "asia").unwrap();
        write_value(folder.path(), "listen", "0").unwrap();
        let config = Config::load(folder.path(), &BTreeMap::new()).unwrap();
        assert_eq!(config.values["region"].value, "asia");
        assert_eq!(config.values["listen"].value, "0");
    }
}
