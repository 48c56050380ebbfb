//! Counters, gauges and histograms, exported as Prometheus text. Units stand in the names; no label names a person.

mod process;

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// Picture or sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Media {
    /// Sound.
    Audio,
    /// Pictures.
    Video,
}

/// The label `media`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByMedia {
    /// Picture or sound.
    pub media: Media,
}

/// The label `reason`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByReason {
    /// A fixed word, never anything a peer sent.
    pub reason: &'static str,
}

/// To a better rendition or to a lower one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub enum Direction {
    /// To a better one, or from sound alone to pictures again.
    Up,
    /// To a lower one, or to sound alone.
    Down,
}

/// The label `direction`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ByDirection {
    /// Which way.
    pub direction: Direction,
}

/// Everything the server counts. Cloning shares the counters.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Live WebRTC sessions.
    pub sessions: Gauge,
    /// Sessions ended, by reason: `left`, `closed`, `vanished`, `failed`, `removed`, `shutdown`.
    pub sessions_ended: Family<ByReason, Counter>,
    /// Live rooms.
    pub rooms: Gauge,
    /// Recordings that are active.
    pub recordings: Gauge,
    /// Bytes of recordings that are on the disk.
    pub recorded_bytes: Counter,
    /// Bytes of recordings that were sent where they are uploaded to.
    pub uploaded_bytes: Counter,
    /// Tries to upload a file that did not do it.
    pub upload_failures: Counter,
    /// Files that play into rooms.
    pub players: Gauge,
    /// Live encoders: one per video rendition received, K+1 per room for sound.
    pub encoders: Family<ByMedia, Gauge>,
    /// Payload bytes out of encoders.
    pub encoded_bytes: Family<ByMedia, Counter>,
    /// Receivers that came from one video encoder to another.
    pub video_switches: Counter,
    /// Receivers moved between renditions for their lines' sake.
    pub rendition_moves: Family<ByDirection, Counter>,
    /// Ticks done.
    pub ticks: Family<ByMedia, Counter>,
    /// Ticks that began more than half a period late.
    pub late_ticks: Family<ByMedia, Counter>,
    /// Pictures or blocks given up because whoever takes them was behind.
    pub dropped: Family<ByReason, Counter>,
    /// RTP packets received.
    pub packets_received: Family<ByMedia, Counter>,
    /// RTP packets that never came, after reordering and retransmission.
    pub packets_lost: Family<ByMedia, Counter>,
    /// RTP packets asked for again; each counts each time.
    pub retransmissions_requested: Family<ByMedia, Counter>,
    /// RTP packets that came as retransmissions.
    pub retransmissions_received: Family<ByMedia, Counter>,
    /// RTP packets sent.
    pub packets_sent: Family<ByMedia, Counter>,
    /// Bytes of RTP payloads received.
    pub bytes_received: Family<ByMedia, Counter>,
    /// Bytes of RTP payloads sent.
    pub bytes_sent: Family<ByMedia, Counter>,
    /// Round trips to receivers, as their reports tell.
    pub round_trip_seconds: Histogram,
    /// Packets sent again because receivers asked for them.
    pub packets_resent: Counter,
    /// Payload bytes sent to learn what lines take.
    pub probe_bytes: Counter,
    /// What receivers' lines take, as it is estimated, twice a second.
    pub estimate_bytes_per_second: Histogram,
    /// The part that receivers' reports call lost, twice a second.
    pub sent_loss_ratio: Histogram,
    /// How long what is sent waits for its turn, twice a second.
    pub pacer_delay_seconds: Histogram,
    /// The part of what senders sent that never came, twice a second, over the second before.
    pub received_loss_ratio: Family<ByMedia, Histogram>,
    /// Interarrival jitter of what comes from senders, twice a second.
    pub jitter_seconds: Family<ByMedia, Histogram>,
    /// How long what arrives first waits to be shown or heard, twice a second.
    pub buffer_delay_seconds: Family<ByMedia, Histogram>,
    /// How much later senders' pictures come than their sounds, twice a second; below zero where they come earlier.
    pub skew_seconds: Histogram,
    /// Times that a sender's picture stood still while it should have moved.
    pub freezes: Counter,
    /// How long they did.
    pub frozen_seconds: Counter<f64, AtomicU64>,
    /// Keyframes asked of senders.
    pub keyframes_requested: Counter,
    /// Keyframes forced out of encoders.
    pub keyframes_forced: Counter,
    /// Access units that could not be decoded.
    pub decode_errors: Counter,
    /// 20 ms blocks made up by concealment.
    pub blocks_concealed: Counter,
    /// 20 ms blocks recovered from in-band FEC.
    pub blocks_recovered: Counter,
    /// How long sound that arrives first waits to be heard; an entry a second and sender.
    pub sound_delay_seconds: Histogram,
    /// Datagrams at the media port that belong to no session.
    pub datagrams_unknown: Counter,
    /// Time to decode a picture or block.
    pub decode_seconds: Family<ByMedia, Histogram>,
    /// Time to composite a canvas, from submission to the finished picture.
    pub composite_seconds: Histogram,
    /// Time to encode a picture or block.
    pub encode_seconds: Family<ByMedia, Histogram>,
    /// Time to scale a picture and encode it as JPEG, for a stream.
    pub jpeg_encode_seconds: Histogram,
    /// From a canvas's tick until its picture has been written to a client of an MJPEG stream.
    pub picture_stream_delay_seconds: Histogram,
    registry: std::sync::Arc<Registry>,
}

/// Bucket bounds for codec and compositor times: 62.5 µs to 128 ms.
fn time_histogram() -> Histogram {
    Histogram::new((0..12).map(|n| 62.5e-6 * f64::from(1u32 << n)))
}

/// Bucket bounds for parts of a whole: from one in two hundred to half.
fn ratio_histogram() -> Histogram {
    Histogram::new([0.0, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5])
}

/// Bucket bounds for what waits on the way: 1 ms to about a second.
fn wait_histogram() -> Histogram {
    Histogram::new([0.001, 0.0025, 0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 1.0])
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            sessions: Gauge::default(),
            sessions_ended: Family::default(),
            rooms: Gauge::default(),
            recordings: Gauge::default(),
            recorded_bytes: Counter::default(),
            uploaded_bytes: Counter::default(),
            upload_failures: Counter::default(),
            players: Gauge::default(),
            encoders: Family::default(),
            encoded_bytes: Family::default(),
            video_switches: Counter::default(),
            rendition_moves: Family::default(),
            ticks: Family::default(),
            late_ticks: Family::default(),
            dropped: Family::default(),
            packets_received: Family::default(),
            packets_lost: Family::default(),
            retransmissions_requested: Family::default(),
            retransmissions_received: Family::default(),
            packets_sent: Family::default(),
            bytes_received: Family::default(),
            bytes_sent: Family::default(),
            round_trip_seconds: Histogram::new((0..12).map(|n| 1e-3 * f64::from(1u32 << n))),
            packets_resent: Counter::default(),
            probe_bytes: Counter::default(),
            // 32 kb/s to 32 Mb/s, two to each doubling
            estimate_bytes_per_second: Histogram::new((0..21).map(|n| 4000.0 * 2f64.powf(f64::from(n) / 2.0))),
            sent_loss_ratio: ratio_histogram(),
            pacer_delay_seconds: wait_histogram(),
            received_loss_ratio: Family::new_with_constructor(ratio_histogram),
            jitter_seconds: Family::new_with_constructor(wait_histogram),
            buffer_delay_seconds: Family::new_with_constructor(wait_histogram),
            // EBU R37's −40 and +60 ms are among them
            skew_seconds: Histogram::new([-0.25, -0.1, -0.06, -0.04, -0.02, 0.0, 0.02, 0.04, 0.06, 0.1, 0.25]),
            freezes: Counter::default(),
            frozen_seconds: Counter::default(),
            keyframes_requested: Counter::default(),
            keyframes_forced: Counter::default(),
            decode_errors: Counter::default(),
            blocks_concealed: Counter::default(),
            blocks_recovered: Counter::default(),
            sound_delay_seconds: Histogram::new((1..=20).map(|n| 0.02 * f64::from(n))),
            datagrams_unknown: Counter::default(),
            decode_seconds: Family::new_with_constructor(time_histogram),
            composite_seconds: time_histogram(),
            encode_seconds: Family::new_with_constructor(time_histogram),
            jpeg_encode_seconds: time_histogram(),
            picture_stream_delay_seconds: wait_histogram(),
            registry: std::sync::Arc::default(),
        };
        metrics.registry = std::sync::Arc::new(metrics.registered());
        metrics
    }
}

impl Metrics {
    fn registered(&self) -> Registry {
        let mut registry = Registry::default();
        registry.register_collector(Box::new(process::Process));
        let r = registry.sub_registry_with_prefix("medley");
        r.register("sessions", "Live WebRTC sessions", self.sessions.clone());
        r.register("sessions_ended", "Sessions ended", self.sessions_ended.clone());
        r.register("rooms", "Live rooms", self.rooms.clone());
        r.register("recordings", "Active recordings", self.recordings.clone());
        r.register_with_unit("recorded", "Bytes of recordings on the disk", Unit::Bytes, self.recorded_bytes.clone());
        r.register_with_unit("uploaded", "Bytes of recordings sent to where they are uploaded", Unit::Bytes, self.uploaded_bytes.clone());
        r.register("upload_failures", "Tries to upload a file that did not do it", self.upload_failures.clone());
        r.register("players", "Files that play into rooms", self.players.clone());
        r.register("encoders", "Live encoders", self.encoders.clone());
        r.register_with_unit("encoded", "Payload bytes out of encoders", Unit::Bytes, self.encoded_bytes.clone());
        r.register("video_switches", "Receivers that came from one video encoder to another", self.video_switches.clone());
        r.register("rendition_moves", "Receivers moved between renditions for their lines' sake", self.rendition_moves.clone());
        r.register("ticks", "Ticks done", self.ticks.clone());
        r.register("late_ticks", "Ticks begun more than half a period late", self.late_ticks.clone());
        r.register("dropped", "Pictures or blocks given up because their taker was behind", self.dropped.clone());
        r.register("packets_received", "RTP packets received", self.packets_received.clone());
        r.register("packets_lost", "RTP packets that never came", self.packets_lost.clone());
        r.register("retransmissions_requested", "RTP packets asked for again", self.retransmissions_requested.clone());
        r.register("retransmissions_received", "RTP packets that came as retransmissions", self.retransmissions_received.clone());
        r.register("packets_sent", "RTP packets sent", self.packets_sent.clone());
        r.register_with_unit("received", "Bytes of RTP payloads received", Unit::Bytes, self.bytes_received.clone());
        r.register_with_unit("sent", "Bytes of RTP payloads sent", Unit::Bytes, self.bytes_sent.clone());
        r.register_with_unit("round_trip", "Round trips to receivers", Unit::Seconds, self.round_trip_seconds.clone());
        r.register("packets_resent", "Packets sent again because receivers asked for them", self.packets_resent.clone());
        r.register_with_unit("probe", "Payload bytes sent to learn what lines take", Unit::Bytes, self.probe_bytes.clone());
        self.register_lines(r);
        r.register("keyframes_requested", "Keyframes asked of senders", self.keyframes_requested.clone());
        r.register("keyframes_forced", "Keyframes forced out of encoders", self.keyframes_forced.clone());
        r.register("decode_errors", "Access units that could not be decoded", self.decode_errors.clone());
        r.register("blocks_concealed", "20 ms blocks made up by concealment", self.blocks_concealed.clone());
        r.register("blocks_recovered", "20 ms blocks recovered from in-band FEC", self.blocks_recovered.clone());
        r.register_with_unit("sound_delay", "Wait of sound that arrives first", Unit::Seconds, self.sound_delay_seconds.clone());
        r.register("datagrams_unknown", "Datagrams that belong to no session", self.datagrams_unknown.clone());
        r.register_with_unit("decode", "Time to decode", Unit::Seconds, self.decode_seconds.clone());
        r.register_with_unit("composite", "Time to composite a canvas", Unit::Seconds, self.composite_seconds.clone());
        r.register_with_unit("encode", "Time to encode", Unit::Seconds, self.encode_seconds.clone());
        r.register_with_unit("jpeg_encode", "Time to make a JPEG for a stream", Unit::Seconds, self.jpeg_encode_seconds.clone());
        let delay = self.picture_stream_delay_seconds.clone();
        r.register_with_unit("picture_stream_delay", "From a canvas's tick to its picture written to a client", Unit::Seconds, delay);
        registry
    }

    /// What lines are like, over all sessions.
    fn register_lines(&self, r: &mut Registry) {
        let [rate, ratio] = ["bytes_per_second", "ratio"].map(|unit| Unit::Other(unit.into()));
        r.register_with_unit("estimate", "What receivers' lines take", rate, self.estimate_bytes_per_second.clone());
        r.register_with_unit("sent_loss", "The part that receivers call lost", ratio.clone(), self.sent_loss_ratio.clone());
        r.register_with_unit("pacer_delay", "Wait of what is sent for its turn", Unit::Seconds, self.pacer_delay_seconds.clone());
        r.register_with_unit("received_loss", "The part of what is sent to us that never came", ratio, self.received_loss_ratio.clone());
        r.register_with_unit("jitter", "Interarrival jitter", Unit::Seconds, self.jitter_seconds.clone());
        r.register_with_unit("buffer_delay", "Wait of what arrives first to be used", Unit::Seconds, self.buffer_delay_seconds.clone());
        r.register_with_unit("skew", "Pictures after their sounds", Unit::Seconds, self.skew_seconds.clone());
        r.register("freezes", "Times that a sender's picture stood still", self.freezes.clone());
        r.register_with_unit("frozen", "How long senders' pictures stood still", Unit::Seconds, self.frozen_seconds.clone());
    }

    /// All of it as OpenMetrics text.
    pub fn text(&self) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).expect("a String takes any text");
        text
    }

    /// Counts one thing given up for a fixed reason.
    pub fn count_dropped(&self, reason: &'static str) {
        self.dropped.get_or_create(&ByReason { reason }).inc();
    }

    /// Counts `count` things given up for a fixed reason.
    pub fn count_dropped_by(&self, reason: &'static str, count: u64) {
        self.dropped.get_or_create(&ByReason { reason }).inc_by(count);
    }

    /// Notes how long a decode took.
    pub fn observe_decode(&self, media: Media, took: Duration) {
        self.decode_seconds.get_or_create(&ByMedia { media }).observe(took.as_secs_f64());
    }

    /// Notes how long an encode took.
    pub fn observe_encode(&self, media: Media, took: Duration) {
        self.encode_seconds.get_or_create(&ByMedia { media }).observe(took.as_secs_f64());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_names_units_and_labels() {
        let metrics = Metrics::default();
        metrics.observe_encode(Media::Video, Duration::from_millis(2));
        metrics.count_dropped("viewer_behind");
        metrics.bytes_sent.get_or_create(&ByMedia { media: Media::Audio }).inc_by(90);
        let text = metrics.text();
        assert!(text.contains("medley_encode_seconds_bucket{le=\"0.002\",media=\"Video\"} 1"), "{text}");
        metrics.estimate_bytes_per_second.observe(62_500.0);
        metrics.received_loss_ratio.get_or_create(&ByMedia { media: Media::Video }).observe(0.04);
        metrics.rendition_moves.get_or_create(&ByDirection { direction: Direction::Down }).inc();
        metrics.frozen_seconds.inc_by(0.5);
        let lines = metrics.text();
        for line in [
            "medley_estimate_bytes_per_second_count 1",
            "medley_received_loss_ratio_bucket{le=\"0.05\",media=\"Video\"} 1",
            "medley_rendition_moves_total{direction=\"Down\"} 1",
            "medley_frozen_seconds_total 0.5",
        ] {
            assert!(lines.contains(line), "{line} in {lines}");
        }
        assert!(text.contains("medley_sent_bytes_total{media=\"Audio\"} 90"), "{text}");
        assert!(text.contains("medley_dropped_total{reason=\"viewer_behind\"} 1"), "{text}");
    }
}
