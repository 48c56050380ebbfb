//! What a client that is not connected yet will be shown first.
//!
//! In: the room's pictures from the moment the seat is taken. Out: once the client can receive, the pictures since the last
//! keyframe, or the advice to ask for another. So the keyframe that is made for a newcomer is not wasted on its handshake.

use std::sync::Arc;

use crate::media::EncodedPicture;

/// Beyond this a fresh keyframe is the better beginning: a burst of it fits every receiver's socket buffer.
const MAX_BYTES: usize = 96 * 1024;
/// A quarter of a second at 30 pictures a second; what is older would only be caught up with.
const MAX_PICTURES: usize = 8;

/// Pictures since the last keyframe.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    pictures: Vec<Arc<EncodedPicture>>,
    bytes: usize,
    /// The pictures since the last keyframe are too many or too large.
    overrun: bool,
}

impl Backlog {
    /// Keeps a picture.
    pub(super) fn push(&mut self, picture: Arc<EncodedPicture>) {
        if picture.keyframe {
            *self = Self::default();
        }
        self.bytes += picture.payloads.iter().map(bytes::Bytes::len).sum::<usize>();
        self.overrun |= self.bytes > MAX_BYTES || self.pictures.len() == MAX_PICTURES;
        if self.overrun {
            self.pictures.clear();
        } else {
            self.pictures.push(picture);
        }
    }

    /// What to send at once: nothing where a keyframe is to be asked for.
    pub(super) fn take(&mut self) -> Option<Vec<Arc<EncodedPicture>>> {
        let Self { pictures, .. } = std::mem::take(self);
        pictures.first().is_some_and(|first| first.keyframe).then_some(pictures)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::media::MediaTime;

    fn picture(number: u64, keyframe: bool, bytes: usize) -> Arc<EncodedPicture> {
        Arc::new(EncodedPicture {
            payloads: vec![Bytes::from(vec![0; bytes])],
            at: MediaTime::ZERO,
            keyframe,
            number,
            ..EncodedPicture::default()
        })
    }

    fn taken(pictures: impl IntoIterator<Item = Arc<EncodedPicture>>) -> Option<Vec<u64>> {
        let mut backlog = Backlog::default();
        pictures.into_iter().for_each(|p| backlog.push(p));
        backlog.take().map(|pictures| pictures.iter().map(|p| p.number).collect())
    }

    #[test]
    fn a_client_begins_at_the_last_keyframe() {
        assert_eq!(taken([picture(1, true, 10), picture(2, false, 10), picture(3, true, 10), picture(4, false, 10)]), Some(vec![3, 4]));
    }

    #[test]
    fn too_many_or_too_large_pictures_make_place_for_a_fresh_keyframe() {
        assert_eq!(taken([picture(1, true, MAX_BYTES + 1), picture(2, false, 1)]), None);
        assert_eq!(taken((0..20).map(|n| picture(n, n == 0, 1))), None);
        assert_eq!(taken([]), None);
    }
}
