//! What became of the datagrams of a line, by what they carried.
//!
//! In: what the line did with each. Out: sums. A datagram is told by the part of it that SRTP leaves in clear.

use std::ops::{AddAssign, Sub};

use serde::Serialize;

/// What a datagram carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A packet of sound.
    Sound,
    /// A packet of a picture, for the first time.
    Picture,
    /// A packet of a picture again (RTX), or padding in its place.
    Repair,
    /// RTCP.
    Control,
    /// STUN, DTLS and what comes in it.
    Other,
}

/// Which RTP payload types carry what; what is none of these is a picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PayloadTypes {
    /// Of sound.
    pub sound: u8,
    /// Of sound that repeats what came before it (RFC 2198).
    pub red: Option<u8>,
    /// Of repeated packets of pictures.
    pub repair: Option<u8>,
}

impl PayloadTypes {
    /// What a datagram carries (RFC 7983 §7, RFC 5761 §4, RFC 3711 §3.1).
    pub fn kind(&self, datagram: &[u8]) -> Kind {
        let &[first, second, ..] = datagram else { return Kind::Other };
        match second & 0x7f {
            _ if !(128..192).contains(&first) => Kind::Other,
            64..=95 => Kind::Control,
            payload_type if payload_type == self.sound || Some(payload_type) == self.red => Kind::Sound,
            payload_type if Some(payload_type) == self.repair => Kind::Repair,
            _ => Kind::Picture,
        }
    }
}

/// Datagrams of one kind, one way. Those sent and their copies are the lost ones, the arrived ones and those under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// That set out.
    pub sent: u64,
    /// Lost by [`Loss`](super::Loss).
    pub lost: u64,
    /// Lost in a black-out.
    pub blacked_out: u64,
    /// Lost because the queue before the rate limit was full.
    pub overflowed: u64,
    /// That arrived, copies with them.
    pub arrived: u64,
    /// Copies that the line made.
    pub duplicated: u64,
}

impl Tally {
    /// All that were lost, whatever the reason.
    pub fn gone(&self) -> u64 {
        self.lost + self.blacked_out + self.overflowed
    }
}

/// One way of a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct WayReport {
    /// Packets of sound.
    pub sound: Tally,
    /// Packets of pictures, sent for the first time.
    pub pictures: Tally,
    /// Packets of pictures that were sent again, and padding.
    pub repairs: Tally,
    /// RTCP.
    pub control: Tally,
    /// STUN and DTLS.
    pub other: Tally,
    /// Datagrams that are under way.
    pub under_way: u64,
    /// Packets that the receiver asked for again, each counted as often as it was asked for.
    pub asked_again: u64,
}

impl WayReport {
    /// Packets of pictures that were lost, first sendings and repetitions.
    pub fn pictures_gone(&self) -> u64 {
        self.pictures.gone() + self.repairs.gone()
    }

    /// All kinds together.
    pub fn all(&self) -> Tally {
        let mut all = Tally::default();
        [self.sound, self.pictures, self.repairs, self.control, self.other].into_iter().for_each(|tally| all += tally);
        all
    }

    /// The tally of a kind.
    pub(super) fn of(&mut self, kind: Kind) -> &mut Tally {
        match kind {
            Kind::Sound => &mut self.sound,
            Kind::Picture => &mut self.pictures,
            Kind::Repair => &mut self.repairs,
            Kind::Control => &mut self.control,
            Kind::Other => &mut self.other,
        }
    }

    /// What came since `earlier`, which is an earlier report of the same way.
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            sound: self.sound - earlier.sound,
            pictures: self.pictures - earlier.pictures,
            repairs: self.repairs - earlier.repairs,
            control: self.control - earlier.control,
            other: self.other - earlier.other,
            under_way: self.under_way,
            asked_again: self.asked_again.saturating_sub(earlier.asked_again),
        }
    }
}

/// Both ways of a bot's line in the time that is measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct LineReport {
    /// From the bot to the server.
    pub up: WayReport,
    /// From the server to the bot.
    pub down: WayReport,
    /// What the bot's own estimate says that it may send, in bits a second.
    pub estimate_bps: Option<u64>,
    /// What its picture's encoder is set to, in bits a second.
    pub encoder_bps: Option<u64>,
    /// How often the bot came to another address.
    pub moves: u64,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.sent += other.sent;
        self.lost += other.lost;
        self.blacked_out += other.blacked_out;
        self.overflowed += other.overflowed;
        self.arrived += other.arrived;
        self.duplicated += other.duplicated;
    }
}

impl Sub for Tally {
    type Output = Self;
    fn sub(self, earlier: Self) -> Self {
        Self {
            sent: self.sent.saturating_sub(earlier.sent),
            lost: self.lost.saturating_sub(earlier.lost),
            blacked_out: self.blacked_out.saturating_sub(earlier.blacked_out),
            overflowed: self.overflowed.saturating_sub(earlier.overflowed),
            arrived: self.arrived.saturating_sub(earlier.arrived),
            duplicated: self.duplicated.saturating_sub(earlier.duplicated),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_datagram_carries_is_read_from_what_stands_in_clear() {
        let types = PayloadTypes { sound: 111, red: Some(63), repair: Some(109) };
        let kinds = [(&[0x80, 111][..], Kind::Sound), (&[0x90, 0x80 | 108], Kind::Picture), (&[0x80, 109], Kind::Repair)];
        let others = [(&[0x80, 200][..], Kind::Control), (&[0x81, 205], Kind::Control), (&[22, 254], Kind::Other), (&[0, 1], Kind::Other)];
        for (datagram, kind) in kinds.into_iter().chain(others).chain([(&[][..], Kind::Other)]) {
            assert_eq!(types.kind(datagram), kind, "{datagram:?}");
        }
    }
}
