//! What happens to a session's line and its addresses in the course of time.
//!
//! In: the line's relocations, the server's fragments. Out: another socket under the stack, and where the bot knows of it, new ICE
//! credentials in it.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use str0m::Candidate;

use super::Session;
use crate::bots::line::{LineSettings, Move, Relocation};
use crate::bots::relocation::{Restart, renewed};
use crate::media::MediaTime;

/// How long a bot that came to another address may be without a connection.
const MOVING: Duration = Duration::from_secs(10);

/// Where a bot is on its way.
#[derive(Default)]
pub(super) struct Journey {
    /// When the line was laid, in real time.
    laid: Option<MediaTime>,
    moves: VecDeque<Relocation>,
    moved: Option<MediaTime>,
    restart: Option<Restart>,
}

impl Journey {
    /// Over a line that is not laid yet.
    pub(super) fn of(line: &LineSettings) -> Self {
        Self { moves: line.moves.iter().copied().collect(), ..Self::default() }
    }

    /// What the server says to new credentials; waits for ever where it was told none. Cancel-safe.
    pub(super) async fn answered(&mut self) -> Result<String, String> {
        match &mut self.restart {
            Some(restart) => restart.answered().await,
            None => std::future::pending().await,
        }
    }
}

impl Session {
    pub(super) fn begin_line(&mut self) {
        let now = self.real();
        self.journey.laid.get_or_insert(now);
        self.wire.lay(now);
    }

    pub(super) fn lay(&mut self, line: LineSettings) {
        let now = self.real();
        self.journey.laid = Some(now);
        self.journey.moves = line.moves.iter().copied().collect();
        self.wire.replace(line, now);
    }

    pub(super) fn move_due(&self) -> Option<MediaTime> {
        Some(self.journey.laid? + self.journey.moves.front()?.at)
    }

    pub(super) fn is_moving(&self) -> bool {
        self.journey.moved.is_some_and(|moved| self.real().since(moved) < MOVING)
    }

    pub(super) fn move_if_due(&mut self) -> Result<(), String> {
        let now = self.real();
        if self.move_due().is_none_or(|due| due > now) {
            return Ok(());
        }
        let Some(relocation) = self.journey.moves.pop_front() else { return Ok(()) };
        let address = self.wire.move_away().map_err(|error| format!("no other socket: {error}"))?;
        tracing::debug!(%address, kind = ?relocation.kind, "bot moves");
        self.journey.moved = Some(now);
        self.ends.ledger.note(|line| line.moves += 1);
        if relocation.kind == Move::Restart {
            self.begin_restart(address);
        }
        Ok(())
    }

    /// From another network with new credentials; the server's come by HTTP.
    fn begin_restart(&mut self, address: SocketAddr) {
        self.address = address;
        let mut changes = self.rtc.sdp_api();
        let credentials = changes.ice_restart(false);
        if let Some((_, pending)) = changes.apply() {
            self.journey.restart = Some(Restart::begin(pending, &credentials, &self.signalling));
        }
    }

    pub(super) fn end_restart(&mut self, fragment: Result<String, String>) -> Result<(), String> {
        let Some(restart) = self.journey.restart.take() else { return Ok(()) };
        let answer = renewed(&self.signalling.answer, &fragment?)?;
        self.rtc.sdp_api().accept_answer(restart.take_pending(), answer).map_err(|error| error.to_string())?;
        let candidate = Candidate::host(self.address, "udp").map_err(|error| error.to_string())?;
        self.rtc.add_local_candidate(candidate);
        Ok(())
    }
}
