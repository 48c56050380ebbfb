//! A room's sound: a thread that encodes each mix that somebody hears, once.
//!
//! In: one tick's mixes; receivers that come and go. Out: a packet for each mix that is heard, so K+1 for K talkers.
//! Never: an encoder for a mix that nobody hears, a gap in what a receiver hears when it comes from one mix to another, or
//! DTX: the sound of an empty room goes on.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver as Deliveries, SyncSender, sync_channel};

use bytes::Bytes;
use prometheus_client::metrics::gauge::Gauge;

use super::fanout::{Fanout, Publisher, Receiver};
use super::mixes::{Mix, SoundQueue, Turn, blocks};
use crate::codec::EncodeError;
use crate::codec::opus::{AudioEncoder, ExpectedLoss, Prediction};
use crate::media::{Block, Clock, EncodedSound, MixSet, ParticipantId, SentTraffic};
use crate::metrics::{ByMedia, Media, Metrics};

/// Ticks that wait for the worker at most: 100 ms.
const TICKS_WAITING: usize = 5;

/// A room's sound: one encoder for all who listen, one for each talker.
#[derive(Debug)]
pub struct AudioEgress {
    deliveries: SyncSender<MixSet>,
    fanout: Arc<Fanout<SoundQueue>>,
    metrics: Metrics,
    /// Encoders at work; the worker's.
    encoders: Arc<AtomicUsize>,
}

impl AudioEgress {
    /// Starts the worker; it ends when this is dropped.
    pub fn start(clock: Clock, metrics: Metrics) -> Self {
        let (deliveries, ticks) = sync_channel(TICKS_WAITING);
        let fanout = Arc::<Fanout<SoundQueue>>::default();
        let sound = RoomSound::new(clock, metrics.clone(), fanout.clone());
        let encoders = sound.count.clone();
        std::thread::Builder::new()
            .name("audio-encode".into())
            .spawn(move || sound.run(&ticks))
            .expect("a thread can be started when a room is");
        Self { deliveries, fanout, metrics, encoders }
    }

    /// Encoders at work: one for each mix that somebody hears.
    pub fn encoders(&self) -> usize {
        self.encoders.load(Ordering::Relaxed)
    }

    /// Takes one tick's mixes; gives them up (counted) where the worker is more than 100 ms behind. Never blocks.
    pub fn deliver(&self, mixes: MixSet) {
        if self.deliveries.try_send(mixes).is_err() {
            self.metrics.count_dropped("audio_encoder_behind");
        }
    }

    /// One more receiver: gets the mix without `own` while they talk, the listeners' mix otherwise. In-band FEC of what it gets is
    /// sized for the loss that its line reports, or another one's who hears the same and loses more.
    pub fn subscribe(&self, own: Option<ParticipantId>, line: Arc<SentTraffic>) -> AudioSubscription {
        AudioSubscription(self.fanout.subscribe(SoundQueue::new(own, line)))
    }
}

/// One receiver's sound. Dropping it unsubscribes.
#[derive(Debug)]
pub struct AudioSubscription(Receiver<SoundQueue>);

impl AudioSubscription {
    /// The next 20 ms; `None` at the end. Cancel-safe.
    pub async fn next(&mut self) -> Option<Arc<EncodedSound>> {
        self.0.next().await
    }
}

/// What the worker holds.
struct RoomSound {
    clock: Clock,
    metrics: Metrics,
    receivers: Publisher<SoundQueue>,
    encoders: BTreeMap<Mix, MixEncoder>,
    /// How many they are, for whoever asks.
    count: Arc<AtomicUsize>,
    /// The blocks of the tick before.
    before: BTreeMap<Mix, Arc<Block>>,
}

/// What a mix that is heard needs at a tick.
#[derive(Clone, Copy)]
struct Need {
    prediction: Prediction,
    /// What one who comes to it has heard until then.
    from: Option<Mix>,
    /// The most that any of its lines loses.
    loss: f32,
}

impl RoomSound {
    fn new(clock: Clock, metrics: Metrics, fanout: Arc<Fanout<SoundQueue>>) -> Self {
        let (encoders, count, before) = Default::default();
        Self { clock, metrics, receivers: Publisher(fanout), encoders, count, before }
    }

    fn run(mut self, ticks: &Deliveries<MixSet>) {
        while let Ok(mixes) = ticks.recv() {
            self.take(&mixes);
        }
    }

    fn take(&mut self, mixes: &MixSet) {
        let blocks = blocks(mixes);
        let needs = self.needs(&blocks);
        self.encoders.retain(|mix, _| needs.contains_key(mix));
        let mut sounds = BTreeMap::new();
        for (mix, need) in needs {
            match self.encode(mix, need, &blocks[&mix]) {
                Ok(payload) => drop(sounds.insert(mix, Arc::new(EncodedSound { payload, at: mixes.at }))),
                Err(error) => {
                    tracing::error!(%error, "a block was not encoded; starting a fresh encoder");
                    self.metrics.count_dropped("audio_encoder_failed");
                    self.encoders.remove(&mix);
                }
            }
        }
        self.receivers.0.each(|queue| {
            if queue.offer(&sounds) {
                self.metrics.count_dropped("listener_behind");
            }
        });
        self.before = blocks;
        self.count.store(self.encoders.len(), Ordering::Relaxed);
    }

    /// Puts every receiver on its mix; the mixes that are heard.
    fn needs(&self, blocks: &BTreeMap<Mix, Arc<Block>>) -> BTreeMap<Mix, Need> {
        let mut needs = BTreeMap::new();
        self.receivers.0.each(|queue| {
            let (mix, turn) = queue.turn(blocks);
            let need = needs.entry(mix).or_insert(Need { prediction: Prediction::Allowed, from: None, loss: 0.0 });
            need.loss = need.loss.max(queue.loss());
            // A decoder that comes to this mix has not heard what the encoder would predict from.
            match turn {
                Turn::Stays => {}
                Turn::Joins => need.prediction = Prediction::Disabled,
                Turn::Comes { from } => *need = Need { prediction: Prediction::Disabled, from: Some(from), ..*need },
            }
        });
        needs
    }

    fn encode(&mut self, mix: Mix, need: Need, block: &Block) -> Result<Bytes, EncodeError> {
        let encoder = match self.encoders.entry(mix) {
            Entry::Occupied(live) => live.into_mut(),
            Entry::Vacant(place) => {
                let heard = need.from.and_then(|from| self.before.get(&from));
                place.insert(MixEncoder::new(heard.map(|block| &**block), &self.metrics)?)
            }
        };
        let begun = self.clock.now();
        encoder.codec.expect(ExpectedLoss::of(need.loss))?;
        let payload = encoder.codec.encode(block, need.prediction)?;
        self.metrics.observe_encode(Media::Audio, self.clock.now().since(begun));
        self.metrics.encoded_bytes.get_or_create(&ByMedia { media: Media::Audio }).inc_by(payload.len() as u64);
        Ok(payload)
    }
}

/// An encoder that is counted while it lives.
struct MixEncoder {
    codec: AudioEncoder,
    count: Gauge,
}

impl MixEncoder {
    /// An encoder that goes on from `heard`: it looks 6.5 ms ahead, so that a fresh one would begin with as much silence.
    fn new(heard: Option<&Block>, metrics: &Metrics) -> Result<Self, EncodeError> {
        let mut codec = AudioEncoder::new()?;
        if let Some(heard) = heard {
            codec.encode(heard, Prediction::Allowed)?;
        }
        let count = metrics.encoders.get_or_create(&ByMedia { media: Media::Audio }).clone();
        count.inc();
        Ok(Self { codec, count })
    }
}

impl Drop for MixEncoder {
    fn drop(&mut self) {
        self.count.dec();
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use pollster::block_on;

    use super::*;
    use crate::codec::opus::AudioDecoder;
    use crate::media::{BLOCK_SAMPLES, MediaTime};
    use crate::metrics::ByReason;

    /// Block `tick` of a sine of 330 Hz, at half of full scale.
    fn tone(tick: u64) -> Arc<Block> {
        let mut block = Block::SILENCE;
        for (i, sample) in block.0.iter_mut().enumerate() {
            *sample = 0.5 * (TAU * 330.0 * ((tick as usize * BLOCK_SAMPLES + i) % 48_000) as f32 / 48_000.0).sin();
        }
        Arc::new(block)
    }

    /// Everybody hears the same tone, whoever of them counts as talking.
    fn mixes(tick: u64, talkers: &[u32]) -> MixSet {
        let at = MediaTime::from_millis(20 * tick);
        MixSet { at, listeners: tone(tick), talkers: talkers.iter().map(|id| (ParticipantId(*id), tone(tick))).collect() }
    }

    fn room() -> (RoomSound, Metrics, Arc<Fanout<SoundQueue>>) {
        let (metrics, fanout) = (Metrics::default(), Arc::<Fanout<SoundQueue>>::default());
        (RoomSound::new(Clock::new(), metrics.clone(), fanout.clone()), metrics, fanout)
    }

    fn subscribe(fanout: &Arc<Fanout<SoundQueue>>, own: u32) -> AudioSubscription {
        AudioSubscription(fanout.subscribe(SoundQueue::new(Some(ParticipantId(own)), Arc::default())))
    }

    fn live(metrics: &Metrics) -> i64 {
        metrics.encoders.get_or_create(&ByMedia { media: Media::Audio }).get()
    }

    fn heard(subscription: &mut AudioSubscription, decoder: &mut AudioDecoder) -> [f32; BLOCK_SAMPLES] {
        let mut samples = [0.0; BLOCK_SAMPLES];
        decoder.decode(&block_on(subscription.next()).unwrap().payload, &mut samples).unwrap();
        samples
    }

    fn largest_step(samples: &[f32]) -> f32 {
        samples.windows(2).map(|two| (two[1] - two[0]).abs()).fold(0.0, f32::max)
    }

    fn largest_bend(samples: &[f32]) -> f32 {
        samples.windows(3).map(|three| (three[2] - 2.0 * three[1] + three[0]).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn k_talkers_take_k_and_one_encoders_however_many_listen() {
        let (mut room, metrics, fanout) = room();
        let mut everybody: Vec<_> = (1..=8).map(|own| subscribe(&fanout, own)).collect();
        for (tick, talkers, encoders) in [(0, &[][..], 1), (1, &[2, 5], 3), (2, &[2, 5, 7], 4), (3, &[5], 2), (4, &[], 1)] {
            room.take(&mixes(tick, talkers));
            assert_eq!(live(&metrics), encoders, "{talkers:?} talk");
            assert!(everybody.iter_mut().all(|one| block_on(one.next()).unwrap().at.as_millis() == 20 * tick));
        }
    }

    #[test]
    fn a_mix_that_nobody_hears_is_not_encoded() {
        let (mut room, metrics, fanout) = room();
        room.take(&mixes(0, &[1, 2]));
        assert_eq!(live(&metrics), 0);
        let (one, two) = (subscribe(&fanout, 1), subscribe(&fanout, 2));
        room.take(&mixes(1, &[1, 2]));
        assert_eq!(live(&metrics), 2, "both talk, so that nobody hears the listeners' mix");
        drop((one, two));
        room.take(&mixes(2, &[1, 2]));
        assert_eq!(live(&metrics), 0);
    }

    #[test]
    fn a_listener_moved_between_encoders_hears_no_click() {
        for talks_at in 50..57 {
            let stops_at = talks_at + 25;
            let (mut room, metrics, fanout) = room();
            let (mut moved, _listener) = (subscribe(&fanout, 1), subscribe(&fanout, 2));
            let (mut decoder, mut samples) = (AudioDecoder::new().unwrap(), Vec::new());
            for tick in 0..100 {
                room.take(&mixes(tick, if (talks_at..stops_at).contains(&tick) { &[1] } else { &[] }));
                assert_eq!(live(&metrics), if (talks_at..stops_at).contains(&tick) { 2 } else { 1 });
                samples.extend_from_slice(&heard(&mut moved, &mut decoder));
            }
            // The tone's own slope and bend, as the codec renders them, from the second block on.
            let own = &samples[2 * BLOCK_SAMPLES..45 * BLOCK_SAMPLES];
            for moment in [talks_at, stops_at] {
                let around = &samples[moment as usize * BLOCK_SAMPLES - 100..(moment as usize + 1) * BLOCK_SAMPLES + 400];
                assert!(largest_step(around) < 1.3 * largest_step(own), "moved at {moment}: {}", largest_step(around));
                assert!(largest_bend(around) < 3.0 * largest_bend(own), "moved at {moment}: {}", largest_bend(around));
            }
        }
    }

    #[test]
    fn one_who_comes_into_the_middle_hears_the_tone_from_the_second_block_on() {
        let (mut room, _, fanout) = room();
        let _first = subscribe(&fanout, 1);
        (0..50).for_each(|tick| room.take(&mixes(tick, &[])));
        let (mut late, mut decoder) = (subscribe(&fanout, 2), AudioDecoder::new().unwrap());
        room.take(&mixes(50, &[]));
        heard(&mut late, &mut decoder);
        room.take(&mixes(51, &[]));
        let block = heard(&mut late, &mut decoder);
        let rms = (block.iter().map(|s| s * s).sum::<f32>() / BLOCK_SAMPLES as f32).sqrt();
        assert!((rms - 0.5 / 2f32.sqrt()).abs() < 0.05, "{rms}");
    }

    #[test]
    fn fec_is_sized_for_the_worst_line_among_those_who_hear_the_same() {
        let (mut room, _, fanout) = room();
        let bad = Arc::<SentTraffic>::default();
        bad.note_loss(0.2);
        let of = |line: Arc<SentTraffic>| fanout.subscribe(SoundQueue::new(None, line));
        let (_good, worst) = (of(Arc::default()), of(bad));
        let mut bytes = |ticks: std::ops::Range<u64>| {
            let sizes = ticks.map(|tick| {
                room.take(&mixes(tick, &[]));
                room.metrics.encoded_bytes.get_or_create(&ByMedia { media: Media::Audio }).get()
            });
            let totals: Vec<_> = sizes.collect();
            totals[totals.len() - 1] - totals[totals.len() - 51]
        };
        let protected = bytes(0..150);
        drop(worst);
        assert!(bytes(150..300) < protected * 19 / 20);
    }

    #[test]
    fn ticks_that_a_worker_far_behind_cannot_take_are_given_up_and_counted() {
        let (deliveries, _ticks) = sync_channel(TICKS_WAITING);
        let egress = AudioEgress { deliveries, fanout: Arc::default(), metrics: Metrics::default(), encoders: Arc::default() };
        (0..8).for_each(|tick| egress.deliver(mixes(tick, &[])));
        assert_eq!(egress.metrics.dropped.get_or_create(&ByReason { reason: "audio_encoder_behind" }).get(), 3);
    }

    #[test]
    fn the_worker_ends_with_the_room_and_so_do_its_receivers() {
        let egress = AudioEgress::start(Clock::new(), Metrics::default());
        let mut subscription = egress.subscribe(None, Arc::default());
        for tick in 0..3 {
            egress.deliver(mixes(tick, &[4]));
            assert_eq!(block_on(subscription.next()).unwrap().at.as_millis(), 20 * tick);
        }
        drop(egress);
        assert!(block_on(subscription.next()).is_none());
    }
}
