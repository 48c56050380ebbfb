//! Our links in the stack's chain of interceptors, and which of the stack's own stand beside them.
//!
//! Listed from the wire to us; what comes in passes them in this order, what goes out in the other:
//!
//! | Slot | Link | What it does |
//! | --- | --- | --- |
//! | 2 000 | [`departures::Departures`] | numbers what leaves, hears what the client says of what it got |
//! | 6 500 | [`rtx::RtxUndo`] | turns retransmissions back into what was lost, before anyone looks at them |
//! | 8 000 | the stack's TWCC receiver | tells the sender when its packets came |
//! | 10 400 | [`line::LineReports`] | learns from the client's reports what its line is like |
//! | 10 500 | [`reports::ReportClock`] | puts both streams' sender reports on the room's one time line |
//! | 11 000 | the stack's sender reports | |
//! | 14 000 | [`tap::Tap`] | hands media and requests to the session |
//!
//! Receiver reports are the session's own (`reception`): the stack makes none for streams that no offer declares.
//! What is missing is asked for by the intakes (`ingest`), which know how long it is of use; the stack's NACK generator does not.
//! There is no pacer and no NACK responder: what leaves when, and again, the session decides (`pacing`). The stack's pacer is first in,
//! first out and would hold sound back behind pictures; its TWCC sender does not number retransmissions.

pub(super) mod departures;
pub(super) mod line;
pub(super) mod reports;
pub(super) mod rtx;
pub(super) mod streams;
pub(super) mod tap;

use std::collections::VecDeque;
use std::time::Instant;

use rtc::interceptor::{
    Interceptor, RTPHeaderExtension, Registry, SenderReportBuilder, Slot, StreamInfo, TaggedPacket, TwccReceiverBuilder,
    TwccReceiverInterceptor,
};
use rtc::sansio::Protocol;
use rtc::shared::error::Error;

use super::codecs::TRANSPORT_CC_URI;

/// The whole chain.
///
/// `transport_cc` is the id of the client's transport-wide sequence numbers, where it sends them.
pub(super) fn chain(
    departures: departures::Departures,
    undo: Option<rtx::RtxUndo>,
    transport_cc: Option<u8>,
    line: line::LineReports,
    clock: reports::ReportClock,
    tap: tap::Tap,
) -> Registry {
    let registry = Registry::new()
        .with(Slot::from(2_000), Link::new(departures))
        .with(Slot::TwccReceiver, twcc_receiver(transport_cc))
        .with(Slot::from(10_400), Link::new(line))
        .with(Slot::from(10_500), Link::new(clock))
        .with(Slot::SenderReport, SenderReportBuilder::new().build())
        .with(Slot::from(14_000), Link::new(tap));
    match undo {
        Some(undo) => registry.with(Slot::from(6_500), Link::new(undo)),
        None => registry,
    }
}

/// The stack's reporter of arrivals. It looks only for the extension of streams that it was told of, which simulcast layers are not: it
/// is told of one that stands for all.
fn twcc_receiver(extension: Option<u8>) -> TwccReceiverInterceptor {
    let mut receiver = TwccReceiverBuilder::new().build();
    let rtp_header_extensions =
        extension.map(|id| RTPHeaderExtension { uri: TRANSPORT_CC_URI.into(), id: id.into() }).into_iter().collect();
    receiver.bind_remote_stream(&StreamInfo { rtp_header_extensions, ..StreamInfo::default() });
    receiver
}

/// What one of our links does to a packet; [`Link`] does the rest that the stack asks of an interceptor.
pub(super) trait Work: Send + Sync + 'static {
    /// Something comes in; nothing is passed on where it gives nothing back.
    fn inbound(&mut self, packet: TaggedPacket) -> Option<TaggedPacket> {
        Some(packet)
    }

    /// Something goes out.
    fn outbound(&mut self, packet: TaggedPacket) -> TaggedPacket {
        packet
    }

    /// Something of its own that goes out before all else.
    fn own(&mut self) -> Option<TaggedPacket> {
        None
    }
}

/// A link of the chain around some work.
pub(super) struct Link<W> {
    work: W,
    read: VecDeque<TaggedPacket>,
    written: VecDeque<TaggedPacket>,
}

impl<W: Work> Link<W> {
    /// A link that does `work`.
    pub(super) fn new(work: W) -> Self {
        Self { work, read: VecDeque::new(), written: VecDeque::new() }
    }
}

// The chain empties both queues after every packet (rtc-interceptor, `Chain::walk`): they hold what one packet gives rise to
impl<W: Work> Protocol<TaggedPacket, TaggedPacket, ()> for Link<W> {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = Error;
    type Time = Instant;

    fn handle_read(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.read.extend(self.work.inbound(packet));
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.read.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), Error> {
        self.written.extend(std::iter::from_fn(|| self.work.own()));
        self.written.push_back(self.work.outbound(packet));
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.written.pop_front().or_else(|| self.work.own())
    }
}

impl<W: Work> Interceptor for Link<W> {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
