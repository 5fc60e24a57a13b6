//! `opensky monitor`: the node at a glance, live.

mod draw;
mod seen;

use crate::{
    commands::Context,
    fail::{Exit, Fail},
};
use anyhow::Result;
use clap::Args;
use draw::{Panel, Screen};
use opensky_client::Client;
use ratatui::{
    Terminal,
    backend::TestBackend,
    crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers},
};
use seen::Seen;
use std::{
    io::IsTerminal,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{
    signal::unix::{SignalKind, signal},
    sync::mpsc,
    time::MissedTickBehavior,
};

/// How often the node is asked.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// How often the keyboard's thread looks whether it is over.
const KEYS_POLL: Duration = Duration::from_millis(100);
/// Size of a frame where there is no terminal.
const FRAME: (u16, u16) = (100, 32);

/// Watch the node, its jobs, services and peers in the terminal
#[derive(Debug, Args)]
#[command(after_help = "\
Keys: tab and shift-tab go from list to list, arrows and j, k scroll, p holds the picture still, q ends.
Without colors if NO_COLOR is set.

Examples:
  opensky monitor
  opensky monitor --once          one frame as text
  opensky monitor --once --json   what it is made of")]
pub struct MonitorArgs {
    /// Print one frame and end
    #[arg(long)]
    once: bool,
}

pub async fn run(context: &Context, args: MonitorArgs) -> Result<()> {
    let client = context.client()?;
    if args.once {
        let seen = Seen::ask(&client).await?;
        return context.format.print(&seen, frame);
    }
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        let fail = Fail::new(Exit::Failed, "there is no terminal to draw in");
        return Err(fail.next("opensky monitor --once prints one frame").into());
    }
    // The first answer comes before the screen is taken, so that its error is read as others are.
    let seen = Seen::ask(&client).await?;
    let mut signals = signal(SignalKind::terminate())?;
    // Takes the screen; gives it back when the program panics, too.
    let mut terminal = ratatui::try_init()?;
    let watched = tokio::select! {
        watched = watch(&mut terminal, &client, seen) => watched,
        _ = signals.recv() => Ok(()),
    };
    ratatui::try_restore()?;
    watched
}

/// One frame as text.
fn frame(seen: &Seen) -> String {
    let width = terminal_width().unwrap_or(FRAME.0);
    let screen = Screen { has_colors: false, ..Screen::default() };
    text_of(seen, &screen, width, FRAME.1)
}

fn terminal_width() -> Option<u16> {
    ratatui::crossterm::terminal::size().ok().map(|(width, _)| width).filter(|width| *width > 0)
}

/// What a screen of this size shows, without the spaces at the ends of lines.
fn text_of(seen: &Seen, screen: &Screen, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).expect("memory takes anything");
    terminal.draw(|frame| draw::draw(frame, seen, screen)).expect("memory takes anything");
    let buffer = terminal.backend().buffer();
    let line = |y| {
        let cells = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol());
        cells.collect::<String>().trim_end().to_owned()
    };
    let lines: Vec<String> = (0..buffer.area.height).map(line).collect();
    lines.join("\n").trim_end().to_owned()
}

async fn watch(terminal: &mut ratatui::DefaultTerminal, client: &Client, mut seen: Seen) -> Result<()> {
    let has_colors = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut screen = Screen { has_colors, ..Screen::default() };
    let mut keys = Keyboard::listen();
    let mut ticks = tokio::time::interval(ASK_EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        terminal.draw(|frame| draw::draw(frame, &seen, &screen))?;
        tokio::select! {
            event = keys.events.recv() => match event {
                // A new size is drawn at once, like everything else.
                Some(Event::Key(key)) if key.kind != KeyEventKind::Release => {
                    if screen.press(key) {
                        return Ok(());
                    }
                }
                Some(_) => {}
                None => return Ok(()),
            },
            _ = ticks.tick(), if !screen.is_held => match Seen::ask(client).await {
                Ok(now) => {
                    seen = now.after(&seen);
                    screen.problem = None;
                }
                Err(error) => screen.problem = Some(error.to_string()),
            },
        }
    }
}

/// What is typed, read by a thread of its own, which ends with it.
struct Keyboard {
    events: mpsc::Receiver<Event>,
    is_over: Arc<AtomicBool>,
}

impl Keyboard {
    fn listen() -> Self {
        let (sender, events) = mpsc::channel(64);
        let is_over = Arc::new(AtomicBool::new(false));
        let over = Arc::clone(&is_over);
        std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                match event::poll(KEYS_POLL).and_then(|is_there| is_there.then(event::read).transpose()) {
                    Ok(None) => {}
                    Ok(Some(event)) => {
                        if sender.blocking_send(event).is_err() {
                            return;
                        }
                    }
                    Err(_) => return,
                }
            }
        });
        Self { events, is_over }
    }
}

impl Drop for Keyboard {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

impl Screen {
    /// Does what a key is for; whether it is the one that ends it.
    fn press(&mut self, key: KeyEvent) -> bool {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if is_control => return true,
            KeyCode::Char('q') | KeyCode::Esc => return true,
            KeyCode::Char('p') | KeyCode::Char(' ') => self.is_held = !self.is_held,
            KeyCode::Tab | KeyCode::Right => self.go(1),
            KeyCode::BackTab | KeyCode::Left => self.go(Panel::ALL.len() - 1),
            KeyCode::Down | KeyCode::Char('j') => self.scroll = self.scroll.saturating_add(1),
            KeyCode::Up | KeyCode::Char('k') => self.scroll = self.scroll.saturating_sub(1),
            KeyCode::Home | KeyCode::Char('g') => self.scroll = 0,
            _ => {}
        }
        false
    }

    fn go(&mut self, by: usize) {
        let place = Panel::ALL.iter().position(|panel| *panel == self.panel).unwrap_or(0);
        self.panel = Panel::ALL[(place + by) % Panel::ALL.len()];
        self.scroll = 0;
    }
}

#[cfg(test)]
mod tests;
