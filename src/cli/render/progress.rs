//! How far a film is, on a terminal: one line that is written over itself. Where standard error is no terminal, nothing.

use std::io::{IsTerminal, Write};
use std::time::Duration;

use crate::media::{Clock, MediaTime};
use crate::render::Progress;

/// How often the line is written.
const EVERY: Duration = Duration::from_millis(200);

/// The line.
pub(super) struct ProgressLine {
    clock: Clock,
    /// When it is to be written next; `None` where nobody looks.
    due: Option<MediaTime>,
}

impl ProgressLine {
    pub(super) fn begin() -> Self {
        let due = std::io::stderr().is_terminal().then_some(MediaTime::ZERO);
        Self { clock: Clock::new(), due }
    }

    /// Writes it, where it is time.
    pub(super) fn tell(&mut self, progress: Progress) {
        let now = self.clock.now();
        if self.due.is_some_and(|due| now >= due) {
            self.due = Some(now + EVERY);
            self.write(&line(progress, now.since(MediaTime::ZERO)));
        }
    }

    /// Takes it away.
    pub(super) fn end(self) {
        if self.due.is_some() {
            self.write("");
        }
    }

    fn write(&self, text: &str) {
        let mut terminal = std::io::stderr().lock();
        // A terminal that is gone is no reason to end a film
        let _ = write!(terminal, "\r{text}\x1b[K").and_then(|()| terminal.flush());
    }
}

fn line(Progress { at, of }: Progress, took: Duration) -> String {
    let (at, of, took) = (at.as_secs_f64(), of.as_secs_f64(), took.as_secs_f64());
    let speed = at / took.max(1e-3);
    let left = if speed > 0.0 { format!(", {:.0} s left", (of - at).max(0.0) / speed) } else { String::new() };
    format!("{at:.1} of {of:.1} s, {speed:.1} times real time{left}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_how_fast_and_how_long_yet() {
        let told = |at, of, took| line(Progress { at: Duration::from_secs(at), of: Duration::from_secs(of) }, Duration::from_secs(took));
        assert_eq!(told(30, 60, 5), "30.0 of 60.0 s, 6.0 times real time, 5 s left");
        assert_eq!(told(61, 60, 10), "61.0 of 60.0 s, 6.1 times real time, 0 s left");
        assert_eq!(told(0, 60, 0), "0.0 of 60.0 s, 0.0 times real time");
    }
}
