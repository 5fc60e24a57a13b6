use super::*;
use opensky_api::{
    network::{PathView, PeerView},
    progress::{JobSummary, StateView, TaskCounts},
    status::Status,
};
use opensky_types::{JobId, Keypair, Timestamp};
use serde_json::json;

const NOW: u64 = 1_795_708_800_000;

fn status() -> Status {
    let node = Keypair::from_seed([1; 32]).id();
    let sky = "ab".repeat(32);
    let value = json!({
        "node": node, "name": "attic", "version": "0.1.0", "started_at": NOW - 7_200_000, "now": NOW,
        "sky": { "sky": sky, "name": "home", "founder": node, "founded_at": NOW - 86_400_000, "economy_free": false },
        "data_dir": "/data",
        "network": { "peers": 1, "peers_relayed": 0, "listening": [], "external": [], "reachability": "public",
                     "sent_bytes": 2_000_000, "received_bytes": 3_000_000 },
        "offers": 2,
        "sharing": { "slots_total": 4, "slots_busy": 1, "closed_reason": "", "tasks_done": 17 },
        "jobs_open": 1,
        "ledger": { "height": 42, "at": NOW, "role": "validator", "role_note": "", "available_micros": 12_500_000 },
        "storage": { "used_bytes": 1_000_000, "cap_bytes": 20_000_000_000_u64 },
        "resident_bytes": 80_000_000,
    });
    serde_json::from_value(value).expect("a status")
}

fn job(number: u8, state: StateView) -> JobSummary {
    let id: JobId = format!("{number:016}").parse().expect("an id");
    JobSummary {
        job: id,
        name: format!("render {number}\u{1b}[31m"),
        state,
        submitted_at: Timestamp::from_millis(NOW - 60_000),
        changed_at: Timestamp::from_millis(NOW),
        tasks: TaskCounts { waiting: 1, running: 1, done: 2, failed: 0, skipped: 0 },
        reason: String::new(),
    }
}

fn seen() -> Seen {
    let peer = PeerView {
        node: Keypair::from_seed([2; 32]).id(),
        path: PathView::Direct,
        address: String::new(),
        rtt_us: Some(1_540),
        agent: String::new(),
        region: None,
    };
    let jobs = vec![job(1, StateView::Running), job(2, StateView::Succeeded)];
    Seen { status: status(), jobs, services: Vec::new(), peers: vec![peer], news: Default::default() }
}

#[test]
fn a_frame_shows_health_credits_work_peers_and_jobs() {
    insta::assert_snapshot!(text_of(&seen(), &Screen::default(), 100, 32));
}

#[test]
fn a_wide_frame_has_its_lists_side_by_side() {
    insta::assert_snapshot!(text_of(&seen(), &Screen::default(), 140, 26));
}

#[test]
fn any_size_is_drawn() {
    for (width, height) in [(1, 1), (10, 3), (40, 12), (110, 20), (300, 100)] {
        text_of(&seen(), &Screen::default(), width, height);
    }
}

#[test]
fn j5_names_of_others_control_no_terminal() {
    let text = text_of(&seen(), &Screen::default(), 140, 30);
    assert!(text.contains("render 1") && !text.contains('\u{1b}'), "{text}");
}

#[test]
fn what_changed_is_told_newest_first() {
    let before = seen();
    let mut later = seen();
    later.jobs = vec![job(3, StateView::Waiting), job(1, StateView::Failed), job(2, StateView::Succeeded)];
    later.jobs[1].reason = "a task failed".into();
    later.peers.clear();
    later.status.sharing.closed_reason = "outside its hours".into();
    let later = later.after(&before);
    let told: Vec<&str> = later.news.iter().map(|(_, what)| what.as_str()).collect();
    assert_eq!(told.len(), 4, "{told:?}");
    assert!(told[0].starts_with("job 0000000000000003") && told[0].ends_with("is waiting"), "{told:?}");
    assert!(told[1].ends_with("is failed: a task failed"), "{told:?}");
    assert!(told[2].ends_with("is gone") && told[3] == "not shared: outside its hours", "{told:?}");
    let quiet = seen().after(&seen());
    assert!(quiet.news.is_empty());
    let again = seen().after(&later);
    assert!(
        again.news.len() > told.len() && again.news[again.news.len() - 1] == later.news[3],
        "old news stays below"
    );
}

#[test]
fn keys_choose_scroll_hold_and_end() {
    let mut screen = Screen::default();
    let mut press = |code, modifiers| {
        let is_over = screen.press(KeyEvent::new(code, modifiers));
        (is_over, screen.panel, screen.scroll, screen.is_held)
    };
    let none = KeyModifiers::NONE;
    assert_eq!(press(KeyCode::Char('k'), none), (false, Panel::Jobs, 0, false));
    assert_eq!(press(KeyCode::Char('j'), none), (false, Panel::Jobs, 1, false));
    assert_eq!(press(KeyCode::Tab, none), (false, Panel::Services, 0, false));
    assert_eq!(press(KeyCode::BackTab, none), (false, Panel::Jobs, 0, false));
    assert_eq!(press(KeyCode::BackTab, none), (false, Panel::News, 0, false));
    assert!(press(KeyCode::Char('p'), none).3 && !press(KeyCode::Char('p'), none).3);
    assert!(!press(KeyCode::Char('c'), none).0 && press(KeyCode::Char('c'), KeyModifiers::CONTROL).0);
    assert!(press(KeyCode::Char('q'), none).0 && press(KeyCode::Esc, none).0);
}

#[test]
fn a_list_scrolls_to_its_end_and_no_further() {
    let mut many = seen();
    many.jobs = (1..=60).map(|number| job(number, StateView::Running)).collect();
    let screen = Screen { scroll: 1_000, ..Screen::default() };
    let text = text_of(&many, &screen, 100, 32);
    assert!(text.contains("render 60") && !text.contains("render 1 "), "{text}");
}

#[test]
fn without_colors_nothing_is_colored() {
    let drawn = |has_colors| {
        let mut terminal = Terminal::new(TestBackend::new(100, 30)).expect("memory");
        let screen = Screen { has_colors, ..Screen::default() };
        terminal.draw(|frame| draw::draw(frame, &seen(), &screen)).expect("memory");
        let colors =
            terminal.backend().buffer().content.iter().filter(|cell| cell.fg != ratatui::style::Color::Reset);
        colors.count()
    };
    assert!(drawn(true) > 0);
    assert_eq!(drawn(false), 0);
}
