//! `volumes` of a Compose file: what the file names, and what services keep in them.

use crate::{
    import::Reading,
    lower::VOLUME_BYTES_DEFAULT,
    walk::{Keys, Verdict, entries, expected, is_empty, join, list},
};
use opensky_textfile::{
    Fault,
    tree::{Node, Value},
    values::At,
};
use opensky_types::{
    resources::ByteSize,
    service::{Volume, Volumes},
};
use std::collections::{BTreeMap, BTreeSet};

const OWN_FILES: &str = "nothing of a node is mounted into containers";
const PUT_INTO_IMAGE: &str =
    "put files that the program reads into its image, and what it writes into a named volume";
const ONE_OWNER: &str = "a volume is one service's own, and this one is another's already";

/// Most characters of a name that is made of a path: there is room for a number after it.
const OWN_NAME_CHARS_MAX: usize = 56;

/// Keys of one of the file's volumes.
const FILE_VOLUME: Keys = &[
    ("name", Verdict::Note("volumes are named by the file alone")),
    ("labels", Verdict::Note("labels are not kept")),
    ("driver", Verdict::Read),
    ("driver_opts", Verdict::Refused("volumes are folders of their hosts", "leave it out")),
    ("external", Verdict::Refused("there are no volumes but those of the file", "leave it out")),
    ("x-size", Verdict::Read),
];

/// Keys of a service's volume.
const SERVICE_VOLUME: Keys = &[
    ("type", Verdict::Read),
    ("source", Verdict::Read),
    ("target", Verdict::Read),
    ("read_only", Verdict::Note("it can be written")),
    ("volume", Verdict::Note("it begins empty, whatever the image has there")),
    ("tmpfs", Verdict::Note("the node says how large it gets")),
    ("bind", Verdict::Silent),
    ("consistency", Verdict::Silent),
];

/// The file's volumes: how much each holds, and which service has it.
#[derive(Debug, Default)]
pub(crate) struct Known {
    sizes: BTreeMap<String, u64>,
    taken: BTreeSet<String>,
}

/// What the file's `volumes` name.
pub(crate) fn known(reading: &mut Reading<'_>, tree: &Node) -> Result<Known, Fault> {
    let mut known = Known::default();
    let Some(node) = tree.get("volumes").filter(|node| !is_empty(node)) else { return Ok(known) };
    for (key, node) in entries(node)? {
        let path = join("volumes", &key.text);
        let mut size_bytes = VOLUME_BYTES_DEFAULT;
        if !is_empty(node) {
            reading.check_keys(&path, node, FILE_VOLUME)?;
            if let Some(driver) = node.get("driver").filter(|driver| !is_empty(driver)) {
                let name = reading.text(driver)?;
                if name != "local" {
                    let what = format!("'{name}' keeps no volumes here");
                    reading.refuse(&join(&path, "driver"), driver.span, &what, "leave it out");
                }
            }
            if let Some(size) = node.get("x-size") {
                size_bytes = self::size(&reading.text_at(size)?)?;
            }
        }
        known.sizes.insert(key.text.clone(), size_bytes);
    }
    Ok(known)
}

fn size(text: &At<String>) -> Result<u64, Fault> {
    let size = text.value.parse::<ByteSize>().map_err(|_| {
        Fault::new(text.span, format!("'{}' is no size", text.value)).with_hint("such as 2GiB")
    })?;
    Ok(size.get())
}

/// A volume as a service names it.
struct Mount {
    kind: Kind,
    source: Option<String>,
    target: At<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Volume,
    Bind,
    InMemory,
}

/// The volumes that a service has.
pub(crate) fn of_service(
    reading: &mut Reading<'_>,
    path: &str,
    node: &Node,
    known: &mut Known,
) -> Result<Option<Volumes>, Fault> {
    let Some(node) = node.get("volumes").filter(|node| !is_empty(node)) else { return Ok(None) };
    let path = join(path, "volumes");
    let mut mounts: Vec<Volume> = Vec::new();
    for item in list(node)? {
        let Some(mount) = read_mount(reading, &path, item)? else { continue };
        match mount.kind {
            Kind::Bind => reading.refuse(&path, item.span, OWN_FILES, PUT_INTO_IMAGE),
            Kind::InMemory if mount.target.value.trim_end_matches('/') == "/tmp" => {}
            Kind::InMemory => {
                let what = format!("{} cannot be written", mount.target.value);
                reading.refuse(&path, item.span, &what, "let the program write to /tmp");
            }
            Kind::Volume => {
                let target = mount.target.value.trim_end_matches('/').to_owned();
                let Some(name) = mount.source else {
                    let name = own_name(&target, &mounts, known);
                    mounts.push(Volume { name, path: target, size_bytes: VOLUME_BYTES_DEFAULT });
                    continue;
                };
                let size_bytes = match known.sizes.get(&name) {
                    Some(size_bytes) => *size_bytes,
                    None => return Err(unknown(item, &name, known)),
                };
                let is_new = mounts.iter().all(|other| other.name != name);
                if is_new && !known.taken.insert(name.clone()) {
                    reading.refuse(
                        &path,
                        item.span,
                        ONE_OWNER,
                        "let one of both reach the other by its name",
                    );
                    continue;
                }
                mounts.push(Volume { name, path: target, size_bytes });
            }
        }
    }
    if mounts.is_empty() {
        return Ok(None);
    }
    reading.note(&path, node.span, "volumes begin empty; each replica has its own, saved every minute", "");
    Ok(Some(Volumes::usual(mounts)))
}

/// A name for a volume that the file gives none: as its path reads, and no other volume's.
fn own_name(target: &str, mounts: &[Volume], known: &Known) -> String {
    let plain = target.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' });
    let plain: String =
        plain.collect::<String>().trim_matches('-').chars().take(OWN_NAME_CHARS_MAX).collect();
    let plain = if plain.is_empty() { "files".to_owned() } else { plain };
    let is_free =
        |name: &String| !known.sizes.contains_key(name) && mounts.iter().all(|other| other.name != *name);
    let numbered = (2..).map(|number| format!("{plain}-{number}"));
    std::iter::once(plain.clone()).chain(numbered).find(is_free).unwrap_or(plain)
}

fn unknown(item: &Node, name: &str, known: &Known) -> Fault {
    let fault = Fault::new(item.span, format!("the file has no volume '{name}'"));
    match opensky_textfile::nearest(name, known.sizes.keys().map(String::as_str)) {
        Some(near) => fault.with_hint(format!("did you mean '{near}'?")),
        None => fault.with_hint(format!("add volumes: {{ {name}: {{}} }} to the file")),
    }
}

/// A line such as `data:/var/lib/data:rw`, or a table.
fn read_mount(reading: &mut Reading<'_>, path: &str, item: &Node) -> Result<Option<Mount>, Fault> {
    if let Value::Table(_) = &item.value {
        return read_table(reading, path, item).map(Some);
    }
    let text = reading.text_at(item)?;
    let mut parts = text.value.split(':');
    let (first, second, rest) = (parts.next().unwrap_or_default(), parts.next(), parts.next());
    let at = |value: &str| At { span: text.span, value: value.to_owned() };
    if parts.next().is_some() || first.is_empty() {
        return Err(expected(item, "NAME:/PATH"));
    }
    if rest.is_some_and(|mode| mode.split(',').any(|word| word == "ro")) {
        reading.note(path, item.span, "it can be written", "");
    }
    let Some(target) = second else {
        return Ok(Some(Mount { kind: kind_of(first, true), source: None, target: at(first) }));
    };
    Ok(Some(Mount { kind: kind_of(first, false), source: Some(first.to_owned()), target: at(target) }))
}

/// Names are volumes; what looks like a path is a folder of this machine, unless it stands alone.
fn kind_of(source: &str, is_alone: bool) -> Kind {
    let is_path = source.starts_with(['.', '/', '~', '$']) || source.contains(['/', '\\']);
    if is_path && !is_alone { Kind::Bind } else { Kind::Volume }
}

fn read_table(reading: &mut Reading<'_>, path: &str, item: &Node) -> Result<Mount, Fault> {
    reading.check_keys(path, item, SERVICE_VOLUME)?;
    let target = item.get("target").ok_or_else(|| expected(item, "a volume with its target"))?;
    let source = item.get("source").filter(|node| !is_empty(node));
    let source = source.map(|node| reading.text(node)).transpose()?;
    let kind = match item.get("type").map(|node| reading.text(node)).transpose()?.as_deref() {
        None | Some("volume") => Kind::Volume,
        Some("tmpfs") => Kind::InMemory,
        Some(_) => Kind::Bind,
    };
    Ok(Mount { kind, source, target: reading.text_at(target)? })
}
