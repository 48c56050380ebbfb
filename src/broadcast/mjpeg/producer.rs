//! One view at one height and rate, for all who watch it: its thread.
//!
//! In: canvases. Out: parts, of which clients find the newest. Never: a wait for a client, or an encode that nobody watches.

use std::sync::Arc;

use tokio::sync::watch;

use super::maker::Maker;
use super::part::Part;
use super::{Key, Shared};
use crate::broadcast::ended;
use crate::broadcast::held::Held;
use crate::media::Composite;
use crate::rooms::Onlooker;

/// Where the parts of one key are found: the newest.
pub(super) type Channel = watch::Sender<Option<Part>>;

/// What the thread holds.
#[derive(Debug)]
pub(super) struct Producer {
    pub(super) shared: Arc<Shared>,
    pub(super) key: Key,
    pub(super) channel: Arc<Channel>,
    pub(super) onlooker: Onlooker,
    pub(super) maker: Maker,
    pub(super) held: Held,
}

impl Producer {
    /// Encodes until nobody watches, the room ends, or all streams are to.
    pub(super) fn run(mut self) {
        while let Some(canvas) = pollster::block_on(self.next()) {
            self.publish(&canvas);
            let Self { shared, key, held, .. } = &mut self;
            if held.is_over(canvas.at, || shared.rooms.is_held(&key.room)) {
                break;
            }
        }
        self.shared.forget(&self.key, &self.channel);
    }

    async fn next(&mut self) -> Option<Composite> {
        let mut ending = self.shared.ending.subscribe();
        loop {
            tokio::select! {
                biased;
                () = ended(&mut ending) => return None,
                // Somebody may have come in meanwhile
                () = self.channel.closed() => if self.shared.forget_unless_watched(&self.key, &self.channel) { return None },
                canvas = self.onlooker.next() => return canvas,
            }
        }
    }

    fn publish(&mut self, canvas: &Composite) {
        let (clock, metrics) = (self.shared.clock, &self.shared.metrics);
        let begun = clock.now();
        match self.maker.make(canvas) {
            Ok(Some(part)) => {
                metrics.jpeg_encode_seconds.observe(clock.now().since(begun).as_secs_f64());
                self.channel.send_replace(Some(part));
            }
            Ok(None) => {}
            Err(error) => {
                tracing::error!(%error, room = %self.key.room, "a picture was not encoded as JPEG");
                metrics.count_dropped("jpeg_encoder_failed");
            }
        }
    }
}
