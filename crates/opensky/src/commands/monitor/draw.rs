//! A frame of the monitor: from what is seen to what is shown.

use super::seen::Seen;
use crate::{
    compose::sky_name,
    output::{ago, size},
    terminal::clean,
};
use opensky_api::{network::PathView, progress::StateView, service::ServiceStateView};
use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Color, Modifier, Style},
    text::{Line, Span},
    widgets::{Block, Paragraph, Row, Table},
};

/// A list of the screen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Panel {
    #[default]
    Jobs,
    Services,
    Peers,
    News,
}

impl Panel {
    /// All of them, in order of the tabulator key.
    pub const ALL: [Self; 4] = [Self::Jobs, Self::Services, Self::Peers, Self::News];
}

/// How it is looked at.
#[derive(Debug, Clone, Default)]
pub struct Screen {
    pub has_colors: bool,
    /// The list that is scrolled.
    pub panel: Panel,
    /// Lines above it that are out of sight.
    pub scroll: usize,
    /// Whether the picture is held still.
    pub is_held: bool,
    /// Why the node did not answer.
    pub problem: Option<String>,
}

/// How a word is meant.
#[derive(Clone, Copy)]
enum Mood {
    Good,
    Busy,
    Bad,
    Plain,
}

impl Screen {
    fn style(&self, mood: Mood) -> Style {
        let style = Style::default();
        match (self.has_colors, mood) {
            (false, Mood::Bad) => style.add_modifier(Modifier::BOLD),
            (false, _) | (true, Mood::Plain) => style,
            (true, Mood::Good) => style.fg(Color::Green),
            (true, Mood::Busy) => style.fg(Color::Yellow),
            (true, Mood::Bad) => style.fg(Color::Red).add_modifier(Modifier::BOLD),
        }
    }

    fn block(&self, panel: Panel, title: String) -> Block<'static> {
        let is_chosen = self.panel == panel;
        let mark = if is_chosen { "▸ " } else { "" };
        let style = if is_chosen { Style::default().add_modifier(Modifier::BOLD) } else { Style::default() };
        Block::bordered().title(Line::styled(format!(" {mark}{title} "), style))
    }

    /// How many lines of a list are out of sight, so that its last one stays in it.
    fn skipped(&self, panel: Panel, count: usize, height: u16) -> usize {
        let room = usize::from(height.saturating_sub(3));
        if self.panel == panel { self.scroll.min(count.saturating_sub(room)) } else { 0 }
    }
}

/// Draws all of it.
pub fn draw(frame: &mut Frame, seen: &Seen, screen: &Screen) {
    let rows = [Constraint::Length(6), Constraint::Min(5), Constraint::Length(8), Constraint::Length(1)];
    let [head, lists, news, foot] = Layout::vertical(rows).areas(frame.area());
    frame.render_widget(summary(seen, screen), head);
    // Side by side where there is room.
    if lists.width >= 110 {
        let halves = Layout::horizontal([Constraint::Fill(3), Constraint::Fill(2)]);
        let [left, right] = halves.areas(lists);
        let [upper, lower] = Layout::vertical([Constraint::Fill(1), Constraint::Fill(1)]).areas(right);
        jobs(frame, seen, screen, left);
        services(frame, seen, screen, upper);
        peers(frame, seen, screen, lower);
    } else {
        let thirds = [Constraint::Fill(2), Constraint::Fill(1), Constraint::Fill(1)];
        let [upper, middle, lower] = Layout::vertical(thirds).areas(lists);
        jobs(frame, seen, screen, upper);
        services(frame, seen, screen, middle);
        peers(frame, seen, screen, lower);
    }
    happenings(frame, seen, screen, news);
    frame.render_widget(footer(screen), foot);
}

fn summary(seen: &Seen, screen: &Screen) -> Paragraph<'static> {
    let status = &seen.status;
    let sharing = &status.sharing;
    let (mood, given) = match sharing.closed_reason.as_str() {
        "" if sharing.slots_busy > 0 => {
            (Mood::Busy, format!("{} of {} slots busy", sharing.slots_busy, sharing.slots_total))
        }
        "" => (Mood::Good, format!("{} slots free", sharing.slots_total)),
        reason => (Mood::Bad, format!("not now: {}", clean(reason))),
    };
    let ledger = &status.ledger;
    let credits =
        ledger.available_micros.map_or_else(|| "none in this sky".to_owned(), |amount| amount.to_string());
    let (role_mood, role) = match ledger.role_note.as_str() {
        "" => (Mood::Plain, ledger.role.as_str().to_owned()),
        why => (Mood::Bad, format!("{}: {}", ledger.role.as_str(), clean(why))),
    };
    let network = &status.network;
    let field = |name: &'static str| Span::raw(format!("{name:<9}"));
    let lines = vec![
        Line::from(vec![
            field("credits"),
            Span::raw(credits),
            Span::raw(format!("   height {}, ", ledger.height)),
            Span::styled(role, screen.style(role_mood)),
        ]),
        Line::from(vec![
            field("given"),
            Span::styled(given, screen.style(mood)),
            Span::raw(format!(", {} tasks done for others", sharing.tasks_done)),
        ]),
        Line::from(vec![
            field("taken"),
            Span::raw(format!(
                "{} own jobs open   store {} of {}   memory {}",
                status.jobs_open,
                size(status.storage.used_bytes),
                size(status.storage.cap_bytes),
                size(status.resident_bytes),
            )),
        ]),
        Line::from(vec![
            field("network"),
            Span::raw(format!(
                "{} peers ({} relayed), {} out, {} in",
                network.peers,
                network.peers_relayed,
                size(network.sent_bytes),
                size(network.received_bytes),
            )),
        ]),
    ];
    let title = format!(
        " {} in {} · {} · up since {} ",
        clean(&status.name),
        clean(&sky_name(&status.sky.name, status.sky.sky)),
        clean(&status.version),
        ago(status.now, status.started_at),
    );
    Paragraph::new(lines).block(Block::bordered().title(title))
}

fn jobs(frame: &mut Frame, seen: &Seen, screen: &Screen, area: Rect) {
    let skipped = screen.skipped(Panel::Jobs, seen.jobs.len(), area.height);
    let rows = seen.jobs.iter().skip(skipped).map(|job| {
        let mood = match job.state {
            StateView::Waiting => Mood::Plain,
            StateView::Running => Mood::Busy,
            StateView::Succeeded => Mood::Good,
            StateView::Failed | StateView::Cancelled => Mood::Bad,
        };
        let tasks = format!("{}/{}", job.tasks.done, job.tasks.total());
        let since = ago(seen.status.now, job.submitted_at);
        let state = Span::styled(job.state.as_str(), screen.style(mood));
        Row::new(vec![
            Line::raw(job.job.to_string()),
            Line::raw(clean(&job.name)),
            Line::from(state),
            Line::raw(tasks),
            Line::raw(since),
            Line::raw(clean(&job.reason)),
        ])
    });
    let widths = [
        Constraint::Length(16),
        Constraint::Fill(2),
        Constraint::Length(9),
        Constraint::Length(11),
        Constraint::Length(12),
        Constraint::Fill(3),
    ];
    let head = Row::new(["JOB", "NAME", "STATE", "DONE", "SUBMITTED", "WHY"]);
    let title = format!("Jobs ({})", seen.jobs.len());
    frame.render_widget(Table::new(rows, widths).header(head).block(screen.block(Panel::Jobs, title)), area);
}

fn services(frame: &mut Frame, seen: &Seen, screen: &Screen, area: Rect) {
    let skipped = screen.skipped(Panel::Services, seen.services.len(), area.height);
    let rows = seen.services.iter().skip(skipped).map(|service| {
        let mood = match service.state {
            ServiceStateView::Healthy => Mood::Good,
            ServiceStateView::Starting | ServiceStateView::Updating => Mood::Busy,
            ServiceStateView::Degraded | ServiceStateView::Down => Mood::Bad,
            ServiceStateView::Removed => Mood::Plain,
        };
        let whose = if service.own { "own".to_owned() } else { service.owner.short() };
        Row::new(vec![
            Line::raw(clean(&service.name)),
            Line::from(Span::styled(service.state.as_str(), screen.style(mood))),
            Line::raw(service.replicas.len().to_string()),
            Line::raw(whose),
        ])
    });
    let widths = [Constraint::Fill(2), Constraint::Length(9), Constraint::Length(8), Constraint::Fill(1)];
    let head = Row::new(["SERVICE", "STATE", "REPLICAS", "OWNER"]);
    let title = format!("Services ({})", seen.services.len());
    frame.render_widget(
        Table::new(rows, widths).header(head).block(screen.block(Panel::Services, title)),
        area,
    );
}

fn peers(frame: &mut Frame, seen: &Seen, screen: &Screen, area: Rect) {
    let skipped = screen.skipped(Panel::Peers, seen.peers.len(), area.height);
    let rows = seen.peers.iter().skip(skipped).map(|peer| {
        let path = match peer.path {
            PathView::Direct => "direct",
            PathView::Relayed => "relayed",
        };
        let rtt = peer.rtt_us.map_or_else(String::new, |us| format!("{}.{} ms", us / 1_000, us / 100 % 10));
        let region = peer.region.map_or_else(String::new, |region| region.to_string());
        Row::new(vec![peer.node.short(), path.to_owned(), rtt, region])
    });
    let widths = [Constraint::Fill(2), Constraint::Length(8), Constraint::Length(10), Constraint::Fill(1)];
    let head = Row::new(["PEER", "PATH", "ROUND TRIP", "REGION"]);
    let title = format!("Peers ({})", seen.peers.len());
    frame.render_widget(Table::new(rows, widths).header(head).block(screen.block(Panel::Peers, title)), area);
}

fn happenings(frame: &mut Frame, seen: &Seen, screen: &Screen, area: Rect) {
    let skipped = screen.skipped(Panel::News, seen.news.len(), area.height + 1);
    let lines: Vec<Line> = match seen.news.is_empty() {
        true => vec![Line::raw("nothing yet")],
        false => {
            seen.news.iter().skip(skipped).map(|(at, what)| Line::raw(format!("{at}  {what}"))).collect()
        }
    };
    let block = screen.block(Panel::News, "Happenings (UTC)".to_owned());
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

fn footer(screen: &Screen) -> Line<'static> {
    if let Some(problem) = &screen.problem {
        return Line::styled(
            format!(" the node does not answer: {}", clean(problem)),
            screen.style(Mood::Bad),
        );
    }
    let held = if screen.is_held { " · held still" } else { "" };
    Line::raw(format!(" q ends · tab next list · j k scroll · p holds still{held}"))
}
