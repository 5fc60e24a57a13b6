//! Data folders: one process, one place, and what a running node leaves in them.

use opensky_identity::{
    ApiToken, DataFolder, FolderError, KeyFile, Layout, Protection, RunningNode, Twin, generate, rotation,
};
use std::{
    fs,
    io::{BufRead, BufReader},
    os::unix::fs::PermissionsExt,
    path::Path,
    process::{Command, Stdio},
};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// A data folder with a key.
fn folder_with_key(root: &Path) -> DataFolder {
    let folder = DataFolder::open(root).unwrap();
    KeyFile::create(&folder.layout().key(), &generate(), Protection::None).unwrap();
    folder
}

fn copy(from: &Path, to: &Path) {
    assert!(Command::new("cp").arg("-a").arg(from).arg(to).status().unwrap().success());
}

#[test]
fn a_folder_is_made_for_its_owner_only() {
    let parent = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(&parent.path().join("a/b")).unwrap();
    let layout = folder.layout();
    for path in [layout.root(), &layout.identity(), &layout.run(), &layout.blobs(), &layout.scratch()] {
        assert_eq!(mode(path), 0o700, "{}", path.display());
    }
    fs::set_permissions(layout.identity(), fs::Permissions::from_mode(0o755)).unwrap();
    let root = layout.root().to_owned();
    drop(folder);
    let folder = DataFolder::open(&root).unwrap();
    assert_eq!(mode(&folder.layout().identity()), 0o700, "a folder that was opened to others is closed");
}

/// Set for the child process: the folder to hold.
const FOLDER: &str = "OPENSKY_TEST_LOCK_FOLDER";

/// The child's part; does nothing in a run of the whole suite.
#[test]
fn child_that_holds_a_folder() {
    let Some(root) = std::env::var_os(FOLDER) else { return };
    let folder = DataFolder::open(Path::new(&root)).unwrap();
    RunningNode::publish(folder.layout(), "127.0.0.1:7070".into()).unwrap();
    println!("holding");
    // Until the parent is done or dies.
    std::io::stdin().lock().read_line(&mut String::new()).unwrap();
    std::process::exit(0);
}

#[test]
fn a_folder_held_by_another_process_names_it() {
    let parent = tempfile::tempdir().unwrap();
    let root = parent.path().join("data");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_that_holds_a_folder", "--nocapture"])
        .env(FOLDER, &root)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("holding")));

    let error = DataFolder::open(&root).unwrap_err();
    assert!(matches!(error, FolderError::InUse { pid: Some(pid), .. } if pid == child.id()), "{error}");
    assert!(error.to_string().contains("opensky down"));
    let layout = Layout::new(&root);
    let running = RunningNode::find(&layout).unwrap().expect("the child runs");
    assert_eq!((running.pid, running.api.as_str()), (child.id(), "127.0.0.1:7070"));

    child.kill().unwrap();
    child.wait().unwrap();
    assert!(layout.running().exists(), "it was killed before it could clean up");
    assert_eq!(RunningNode::find(&layout).unwrap(), None, "what it left is seen to be stale");
    let folder = DataFolder::open(&root).expect("a killed process holds nothing");
    assert!(!layout.running().exists());
    assert_eq!(folder.start().count(), 2);
}

#[test]
fn a_copied_folder_is_refused_until_its_owner_decides() {
    let parent = tempfile::tempdir().unwrap();
    let (original, copied) = (parent.path().join("original"), parent.path().join("copied"));
    let folder = folder_with_key(&original);
    copy(&original, &copied);
    let error = DataFolder::open(&copied).unwrap_err();
    assert!(matches!(error, FolderError::Copied { .. }), "{error}");
    assert!(error.to_string().contains("--moved") && error.to_string().contains("rotate-keys"));
    drop(folder);
    DataFolder::open(&original).expect("the original is not touched by its copy");

    let folder = DataFolder::open_moved(&copied).expect("its owner may say that it was moved");
    let before = KeyFile::load(&folder.layout().key()).unwrap().id();
    let fresh = rotation::start_afresh(&folder, Protection::None).unwrap();
    assert_ne!(fresh.id(), before);
    assert!(folder.layout().retired_key(before).exists());
    drop(folder);
    let folder = DataFolder::open(&copied).expect("from then on it is at home");
    assert_eq!(KeyFile::load(&folder.layout().key()).unwrap().id(), fresh.id());
}

#[test]
fn a_renamed_folder_is_still_itself() {
    let parent = tempfile::tempdir().unwrap();
    let (before, after) = (parent.path().join("before"), parent.path().join("after"));
    drop(folder_with_key(&before));
    fs::rename(&before, &after).unwrap();
    DataFolder::open(&after).expect("a rename makes no second folder");
}

#[test]
fn a_folder_whose_place_was_lost_is_not_trusted() {
    let parent = tempfile::tempdir().unwrap();
    let folder = folder_with_key(parent.path());
    let binding = folder.layout().identity().join("folder-id");
    drop(folder);
    for bytes in [&b""[..], b"garbage"] {
        fs::write(&binding, bytes).unwrap();
        assert!(matches!(DataFolder::open(parent.path()), Err(FolderError::Copied { .. })));
    }
    fs::remove_file(&binding).unwrap();
    assert!(matches!(DataFolder::open(parent.path()), Err(FolderError::Copied { .. })));
}

#[test]
fn starts_are_counted_and_twins_found() {
    let parent = tempfile::tempdir().unwrap();
    let first = DataFolder::open(parent.path()).unwrap().start();
    let folder = DataFolder::open(parent.path()).unwrap();
    let second = folder.start();
    assert_eq!((first.count(), second.count()), (1, 2));
    assert_ne!(first.nonce(), second.nonce());
    assert!(second.first_sequence() > first.first_sequence() + 1_000_000);

    let sequence = second.first_sequence() + 5;
    assert_eq!(second.judge(sequence, true), Twin::None);
    assert_eq!(second.judge(first.first_sequence() + 9, false), Twin::None, "its own, from before");
    assert_eq!(second.judge(sequence, false), Twin::Found, "as many starts, but not its offer");
    assert_eq!(first.judge(sequence, false), Twin::Found, "a copy that started more often");

    fs::write(folder.layout().identity().join("starts"), b"garbage").unwrap();
    drop(folder);
    assert!(matches!(DataFolder::open(parent.path()), Err(FolderError::StartsDamaged { .. })));
}

#[test]
fn k1_the_api_token_is_new_each_time_and_private() {
    let parent = tempfile::tempdir().unwrap();
    let folder = DataFolder::open(parent.path()).unwrap();
    let layout = folder.layout();
    assert!(ApiToken::read(layout).unwrap().is_none());
    let token = ApiToken::create(layout).unwrap();
    assert_eq!(mode(&layout.api_token()), 0o600);
    let read = ApiToken::read(layout).unwrap().unwrap();
    assert!(token.matches(read.expose()));
    assert!(!token.matches("") && !token.matches(&read.expose()[1..]));
    assert!(!format!("{token:?}").contains(token.expose()));
    let next = ApiToken::create(layout).unwrap();
    assert!(!next.matches(token.expose()));
    RunningNode::clear(layout).unwrap();
    assert!(!layout.api_token().exists());
}
