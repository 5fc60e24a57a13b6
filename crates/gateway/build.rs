//! Builds the dashboard (`web/`) and writes the table of its files that `dashboard.rs` includes.
//!
//! Without npm, without its registry, or with `OPENSKY_SKIP_WEB=1`, a page that says so takes its place:
//! nobody needs Node.js to build the node.

use std::{
    env, fmt,
    fmt::Write as _,
    fs, io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::SystemTime,
};

/// What the build reads; each that exists is watched.
const SOURCES: [&str; 7] = [
    "src",
    "public",
    "index.html",
    "package.json",
    "package-lock.json",
    "vite.config.ts",
    // The test run of the first day.
    "../examples/programs/hello.wasm",
];

fn main() -> io::Result<()> {
    let crate_folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let (web, built) = (crate_folder.join("../../web"), out.join("dashboard"));
    println!("cargo::rerun-if-env-changed=OPENSKY_SKIP_WEB");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=pages/not_built.html");
    for source in SOURCES.iter().map(|name| web.join(name)).filter(|path| path.exists()) {
        println!("cargo::rerun-if-changed={}", source.display());
    }
    if let Err(reason) = build(&web, &built) {
        println!("cargo::warning=the dashboard is not in this build: {reason}");
        fs::create_dir_all(&built)?;
        fs::copy(crate_folder.join("pages/not_built.html"), built.join("index.html"))?;
    }
    fs::write(out.join("dashboard_files.rs"), table(&built)?)
}

/// Why there is no dashboard.
enum Skipped {
    Asked,
    Failed { what: &'static str, output: String },
    Io(io::Error),
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Asked => f.write_str("OPENSKY_SKIP_WEB is set"),
            Self::Failed { what, output } => write!(f, "`{what}` failed: {output}"),
            Self::Io(error) => write!(f, "{error}; is Node.js with npm installed?"),
        }
    }
}

impl From<io::Error> for Skipped {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn build(web: &Path, built: &Path) -> Result<(), Skipped> {
    match fs::remove_dir_all(built) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    if env::var_os("OPENSKY_SKIP_WEB").is_some_and(|value| value == "1") {
        return Err(Skipped::Asked);
    }
    let (wanted, installed) = (web.join("package-lock.json"), web.join("node_modules/.package-lock.json"));
    if Some(changed(&wanted)?) > changed(&installed).ok() {
        npm(web, "npm ci", &["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1"])?;
    }
    let folder = built.to_string_lossy();
    npm(web, "npm run build", &["run", "build", "--silent", "--", "--outDir", &folder])
}

fn changed(path: &Path) -> io::Result<SystemTime> {
    fs::metadata(path)?.modified()
}

fn npm(web: &Path, what: &'static str, args: &[&str]) -> Result<(), Skipped> {
    let output = Command::new("npm").args(args).current_dir(web).stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let output = said.lines().map(str::trim).filter(|line| !line.is_empty()).take(4).collect::<Vec<_>>();
    Err(Skipped::Failed { what, output: output.join("; ") })
}

/// The Rust source of the table.
fn table(built: &Path) -> io::Result<String> {
    let mut files = Vec::new();
    list(built, built, &mut files)?;
    files.sort();
    let mut table = "static FILES: &[File] = &[\n".to_owned();
    for name in files {
        let path = built.join(&name);
        writeln!(table, "    File {{ path: {name:?}, bytes: include_bytes!({path:?}) }},")
            .expect("a string grows");
    }
    Ok(table + "];\n")
}

fn list(root: &Path, folder: &Path, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            list(root, &path, files)?;
        } else if let Ok(below) = path.strip_prefix(root) {
            files.push(below.to_string_lossy().replace('\\', "/"));
        }
    }
    Ok(())
}
