//! Somebody who looks at a room's canvases as they are drawn, without an encoder: what is made of them is their own matter.
//!
//! In: a view. Out: its newest canvas, whenever there is a newer one. Never: an older one, or a wait of the compositor for whoever looks.

use std::sync::Arc;

use tokio::sync::watch;

use super::screens::Screens;
use super::{JoinError, Rooms, Seat, Wish};
use crate::media::{Composite, MediaTime, RoomName, ViewName};

/// Looks at a view's shared canvas. Dropping it ends that.
#[derive(Debug)]
pub struct Onlooker {
    seat: Seat,
    screens: Arc<Screens>,
    drawn: watch::Receiver<()>,
    seen: Option<MediaTime>,
}

impl Rooms {
    /// Looks at a view, which is drawn for it where nobody else watches it.
    ///
    /// # Errors
    /// Where there is no such room or view, or the server shuts down.
    pub fn look_on(self: &Arc<Self>, name: &RoomName, view: Option<ViewName>) -> Result<Onlooker, JoinError> {
        let wish = Wish { view: view.clone(), is_output: true, ..Wish::default() };
        let (live, admitted) = self.admit(name, &wish)?;
        let seat = live.seat(self, wish, admitted);
        live.show(seat.participant, view.unwrap_or_else(ViewName::main));
        let (screens, drawn) = (live.screens.clone(), live.screens.drawn());
        Ok(Onlooker { seat, screens, drawn, seen: None })
    }
}

impl Onlooker {
    /// The newest canvas that it has not had; `None` when the room has ended or sends it out. Cancel-safe.
    pub async fn next(&mut self) -> Option<Composite> {
        loop {
            let newest = self.screens.canvas_of(self.seat.participant);
            if let Some(canvas) = newest.filter(|canvas| self.seen.is_none_or(|seen| canvas.at > seen)) {
                self.seen = Some(canvas.at);
                return Some(canvas);
            }
            tokio::select! {
                changed = self.drawn.changed() => changed.ok()?,
                dismissed = self.seat.dismissed.wait_for(|dismissed| *dismissed) => {
                    drop(dismissed);
                    return None;
                }
            }
        }
    }
}
