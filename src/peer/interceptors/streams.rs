//! Which of a sender's simulcast layers a packet is of, and which stream a retransmission is for.
//!
//! In: RTP headers. Out: a layer by its place in the offer; the stream of the layer that a repair packet repairs.
//! Never: more than one stream and one repair stream remembered for a layer, whatever a sender makes up.
//!
//! A layer's first packets name it in a header extension (RFC 8852); once the sender has heard of us it leaves the name out, and
//! the stream tells the layer.

use rtc::rtp::Header;

use super::super::simulcast::Layers;

/// One sender's streams.
#[derive(Clone, Debug, Default)]
pub(in super::super) struct Streams {
    rids: Vec<String>,
    rid: Option<u8>,
    repaired: Option<u8>,
    /// By layer; at least one.
    known: Vec<Known>,
    /// A packet has named its layer.
    named: bool,
}

/// The newest streams of a layer.
#[derive(Clone, Copy, Debug, Default)]
struct Known {
    media: Option<u32>,
    repair: Option<u32>,
}

impl Streams {
    /// Those of an offer; what it does not say is learnt.
    pub(in super::super) fn new(layers: &Layers) -> Self {
        let Layers { rids, rid, repaired, streams, .. } = layers.clone();
        let mut known: Vec<_> = streams.into_iter().map(|(ssrc, repair)| Known { media: Some(ssrc), repair }).collect();
        known.resize(known.len().max(rids.len()).max(1), Known::default());
        Self { rids, rid, repaired, known, named: false }
    }

    /// The layer of a media packet; `None` for a stream that fits nowhere.
    pub(in super::super) fn layer_of(&mut self, header: &Header) -> Option<u8> {
        if let Some(layer) = self.named(header, self.rid) {
            self.named = true;
            // A stream has one layer: what it names last
            self.known.iter_mut().filter(|known| known.media == Some(header.ssrc)).for_each(|known| known.media = None);
            self.known[layer].media = Some(header.ssrc);
            return Some(layer as u8);
        }
        let found = self.known.iter().position(|known| known.media == Some(header.ssrc));
        let layer = found.or_else(|| self.has_one().then_some(0))?;
        self.known[layer].media = Some(header.ssrc);
        Some(layer as u8)
    }

    /// The stream that a repair packet is for, where it is known.
    pub(in super::super) fn repaired_by(&mut self, header: &Header) -> Option<u32> {
        let named = self.named(header, self.repaired);
        let found = || self.known.iter().position(|known| known.repair == Some(header.ssrc));
        let layer = named.or_else(found).or_else(|| self.has_one().then_some(0))?;
        self.known[layer].repair = Some(header.ssrc);
        self.known[layer].media
    }

    fn named(&self, header: &Header, extension: Option<u8>) -> Option<usize> {
        let name = header.get_extension(extension.filter(|_| !self.rids.is_empty())?)?;
        self.rids.iter().position(|rid| rid.as_bytes() == name.as_ref())
    }

    /// Whether all that comes is of one layer: there is no other, or the sender may name layers and never has.
    fn has_one(&self) -> bool {
        self.known.len() == 1 || !self.rids.is_empty() && !self.named
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use proptest::prelude::*;

    use super::*;

    fn simulcast() -> Streams {
        let rids = ["h", "m", "l"].map(String::from).to_vec();
        Streams::new(&Layers { rids, mid: Some(4), rid: Some(10), repaired: Some(11), streams: Vec::new() })
    }

    fn header(ssrc: u32, extension: u8, name: &str) -> Header {
        let mut header = Header { ssrc, ..Default::default() };
        if !name.is_empty() {
            header.set_extension(extension, Bytes::copy_from_slice(name.as_bytes())).unwrap();
        }
        header
    }

    #[test]
    fn a_stream_that_has_named_its_layer_is_known_by_its_number() {
        let mut streams = simulcast();
        let mut layer = |ssrc, name| streams.layer_of(&header(ssrc, 10, name));
        assert_eq!([layer(71, "h"), layer(72, "m"), layer(73, "l")], [Some(0), Some(1), Some(2)]);
        assert_eq!([layer(73, ""), layer(71, ""), layer(99, ""), layer(98, "q")], [Some(2), Some(0), None, None]);
        assert_eq!([layer(75, "h"), layer(71, ""), layer(75, "")], [Some(0), None, Some(0)], "the newest stream of a layer counts");
    }

    #[test]
    fn a_retransmission_finds_its_stream_by_name_and_then_by_number() {
        let mut streams = simulcast();
        let repaired = |streams: &mut Streams, ssrc, name| streams.repaired_by(&header(ssrc, 11, name));
        assert_eq!(repaired(&mut streams, 81, "l"), None, "nothing has come of that layer");
        streams.layer_of(&header(71, 10, "h"));
        streams.layer_of(&header(73, 10, "l"));
        assert_eq!([repaired(&mut streams, 81, ""), repaired(&mut streams, 82, "h")], [Some(73), Some(71)]);
        assert_eq!([repaired(&mut streams, 82, ""), repaired(&mut streams, 83, "")], [Some(71), None]);
    }

    #[test]
    fn a_sender_of_one_layer_may_send_on_any_stream() {
        let mut streams = Streams::new(&Layers::single(Some(7), Some(8)));
        assert_eq!((streams.repaired_by(&header(8, 11, "")), streams.layer_of(&header(9, 10, ""))), (Some(7), Some(0)));
        assert_eq!(streams.repaired_by(&header(55, 11, "")), Some(9));
        let mut nameless = simulcast();
        assert_eq!(nameless.layer_of(&header(5, 10, "")), Some(0), "simulcast was offered and is not used");
    }

    #[test]
    fn declared_streams_are_layers_in_their_order() {
        let layers = Layers { streams: vec![(1, Some(11)), (2, None), (3, Some(13))], ..Layers::default() };
        let mut streams = Streams::new(&layers);
        assert_eq!([1, 3, 4].map(|ssrc| streams.layer_of(&header(ssrc, 10, ""))), [Some(0), Some(2), None]);
        assert_eq!([11, 13, 14].map(|ssrc| streams.repaired_by(&header(ssrc, 11, ""))), [Some(1), Some(3), None]);
    }

    proptest! {
        #[test]
        fn no_sender_makes_the_tables_grow(packets in prop::collection::vec((any::<u32>(), 0..14u8, "[hmlq]{0,2}"), 0..200)) {
            let mut streams = simulcast();
            for (ssrc, extension, name) in packets {
                let header = header(ssrc, extension.max(1), &name);
                let (layer, _) = (streams.layer_of(&header), streams.repaired_by(&header));
                prop_assert!(layer.is_none_or(|layer| layer < 3));
                prop_assert_eq!(streams.known.len(), 3);
            }
        }
    }
}
