//! `secrets` of a Compose file: what the file names, and how services take it.

use crate::{
    import::Reading,
    secrets::{PlannedSecret, SecretSource},
    walk::{Keys, Verdict, entries, expected, is_empty, join, list},
};
use opensky_textfile::{
    Fault,
    tree::{Node, Value},
    values::At,
};
use opensky_types::service::Secret;
use std::collections::BTreeMap;

/// Where programs find secrets.
const FOLDER: &str = "/run/secrets/";

/// The file's secrets by name.
pub(crate) type Known = BTreeMap<String, SecretSource>;

/// Keys of one of the file's secrets.
const FILE_SECRET: Keys = &[
    ("file", Verdict::Read),
    ("environment", Verdict::Read),
    ("name", Verdict::Silent),
    ("labels", Verdict::Note("labels are not kept")),
    (
        "external",
        Verdict::Refused(
            "nothing keeps secrets for others here",
            "name a `file` or an `environment` variable",
        ),
    ),
    (
        "driver",
        Verdict::Refused(
            "secrets are sealed for their hosts here",
            "name a `file` or an `environment` variable",
        ),
    ),
    ("driver_opts", Verdict::Silent),
    ("template_driver", Verdict::Refused("values are given as they are", "fill them in before")),
];

/// Keys of a service's secret.
const SERVICE_SECRET: Keys = &[
    ("source", Verdict::Read),
    ("target", Verdict::Read),
    ("uid", Verdict::Note("it is readable for the program, and nobody else")),
    ("gid", Verdict::Note("it is readable for the program, and nobody else")),
    ("mode", Verdict::Note("it is readable for the program, and nobody else")),
];

/// What the file's `secrets` name.
pub(crate) fn known(reading: &mut Reading<'_>, tree: &Node) -> Result<Known, Fault> {
    let mut known = Known::new();
    let Some(node) = tree.get("secrets") else { return Ok(known) };
    for (key, node) in entries(node)? {
        let path = join("secrets", &key.text);
        reading.check_keys(&path, node, FILE_SECRET)?;
        let given = |name: &str| node.get(name).filter(|node| !is_empty(node));
        let source = match (given("file"), given("environment")) {
            (Some(file), None) => SecretSource::File(reading.text(file)?),
            (None, Some(variable)) => SecretSource::Variable(reading.text(variable)?),
            (Some(_), Some(second)) => {
                return Err(Fault::new(second.span, "its value is in two places")
                    .with_hint("keep one of file and environment"));
            }
            // One of others is refused as such.
            (None, None) if given("external").is_some() || given("driver").is_some() => {
                SecretSource::File(String::new())
            }
            (None, None) => {
                return Err(Fault::new(key.span, "nothing says where its value is")
                    .with_hint("add file: PATH or environment: NAME"));
            }
        };
        known.insert(key.text.clone(), source);
    }
    Ok(known)
}

/// The secrets that a service takes.
pub(crate) fn of_service(
    reading: &mut Reading<'_>,
    path: &str,
    node: &Node,
    known: &Known,
) -> Result<Vec<PlannedSecret>, Fault> {
    let Some(node) = node.get("secrets") else { return Ok(Vec::new()) };
    let path = join(path, "secrets");
    let mut taken = Vec::new();
    for item in list(node)? {
        let (source, target) = match &item.value {
            Value::Table(_) => {
                reading.check_keys(&path, item, SERVICE_SECRET)?;
                let source = item.get("source").ok_or_else(|| expected(item, "a secret with its source"))?;
                let target = item.get("target").filter(|node| !is_empty(node));
                (reading.text_at(source)?, target.map(|node| reading.text_at(node)).transpose()?)
            }
            _ => (reading.text_at(item)?, None),
        };
        let Some(found) = known.get(&source.value) else {
            let names: Vec<&str> = known.keys().map(String::as_str).collect();
            return Err(unknown(&source, &names));
        };
        let target = target.unwrap_or_else(|| source.clone());
        let name = target.value.strip_prefix(FOLDER).unwrap_or(&target.value).to_owned();
        if name.contains('/') {
            let what = format!("'{}' cannot be written: secrets are in {FOLDER}", target.value);
            reading.refuse(&path, target.span, &what, "name a target without folders");
            continue;
        }
        taken.push(PlannedSecret {
            secret: Secret { name, is_file: true, env: None },
            source: At { span: source.span, value: found.clone() },
        });
    }
    Ok(taken)
}

fn unknown(name: &At<String>, names: &[&str]) -> Fault {
    let fault = Fault::new(name.span, format!("the file has no secret '{}'", name.value));
    match opensky_textfile::nearest(&name.value, names.iter().copied()) {
        Some(near) => fault.with_hint(format!("did you mean '{near}'?")),
        None => fault.with_hint(format!("add secrets: {{ {}: {{ file: PATH }} }}", name.value)),
    }
}
