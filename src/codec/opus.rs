//! Opus by libopus: 48 kHz mono, 20 ms out; whatever a peer sends in.
//!
//! In: blocks of the room's mixes, packets of any duration and channel count. Out: the other of the two.
//! Never: DTX, or more than one packet for a block.

use bytes::Bytes;
use opus::{Application, Bitrate, Channels, packet};

use super::{DecodeError, EncodeError};
use crate::media::{Block, SAMPLE_RATE};

/// The most samples that a packet holds: 120 ms (RFC 6716 §3.2.5, R5).
pub const MAX_PACKET_SAMPLES: usize = 5760;

/// Of 10. A block takes 0.09 ms at 1 and 0.24 ms at 5, where the quantizer weighs several futures of each sample: that pays
/// at 20 kb/s, not here.
const COMPLEXITY: i32 = 1;
/// Bytes of a packet at most: 20 ms at the highest target is 170, and constrained VBR stays near it.
const MAX_PACKET_BYTES: usize = 1200;

/// How a block is encoded with respect to the one before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prediction {
    /// As usual: from what the decoder has heard.
    Allowed,
    /// Hardly at all: for a listener who comes from another encoder with this block.
    Disabled,
}

/// The loss that in-band FEC is sized for. The more is expected, the finer libopus makes the copy of each block that the next packet
/// carries, and the higher is the target, so that the block itself stays as good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum ExpectedLoss {
    /// Of a good line; FEC is there already when the first packet is lost.
    #[default]
    Percent5,
    /// Of a line that loses some.
    Percent10,
    /// Of a bad line.
    Percent20,
    /// Of the worst line that sound is sized for.
    Percent30,
}

impl ExpectedLoss {
    /// For a line that loses this share of its packets, 0 to 1: what covers it, but for a quarter.
    pub fn of(share: f32) -> Self {
        match share {
            0.0625..0.125 => Self::Percent10,
            0.125..0.225 => Self::Percent20,
            0.225.. => Self::Percent30,
            _ => Self::Percent5,
        }
    }

    fn percent(self) -> i32 {
        [5, 10, 20, 30][self as usize]
    }

    /// Target of a mix, in bits a second.
    fn bitrate_bps(self) -> i32 {
        [56_000, 58_000, 64_000, 64_000][self as usize]
    }
}

/// Encodes one mix.
pub struct AudioEncoder {
    codec: opus::Encoder,
    prediction: Prediction,
    expected: ExpectedLoss,
}

impl AudioEncoder {
    /// An encoder for speech, with in-band FEC.
    ///
    /// # Errors
    /// Where libopus refuses, which it does for want of memory only.
    pub fn new() -> Result<Self, EncodeError> {
        let codec = set_up().map_err(|error| EncodeError::Codec(error.to_string()))?;
        Ok(Self { codec, prediction: Prediction::Allowed, expected: ExpectedLoss::default() })
    }

    /// Sizes in-band FEC for another loss, from the next block on; costs nothing where it is the same.
    ///
    /// # Errors
    /// Where libopus refuses.
    pub fn expect(&mut self, loss: ExpectedLoss) -> Result<(), EncodeError> {
        if loss != self.expected {
            size_for(&mut self.codec, loss).map_err(|error| EncodeError::Codec(error.to_string()))?;
            self.expected = loss;
        }
        Ok(())
    }

    /// Encodes 20 ms into one packet.
    ///
    /// # Errors
    /// Where libopus refuses.
    pub fn encode(&mut self, block: &Block, prediction: Prediction) -> Result<Bytes, EncodeError> {
        let failed = |error: opus::Error| EncodeError::Codec(error.to_string());
        if prediction != self.prediction {
            self.codec.set_prediction_disabled(prediction == Prediction::Disabled).map_err(failed)?;
            self.prediction = prediction;
        }
        let mut packet = [0; MAX_PACKET_BYTES];
        let length = self.codec.encode_float(&block.0, &mut packet).map_err(failed)?;
        Ok(Bytes::copy_from_slice(&packet[..length]))
    }
}

/// `Voip` below complexity 7 always keeps the SILK layer, where in-band FEC lives (RFC 6716 §2.1.7); `Audio` gives it up at
/// this rate.
fn set_up() -> opus::Result<opus::Encoder> {
    let mut codec = opus::Encoder::new(SAMPLE_RATE, Channels::Mono, Application::Voip)?;
    codec.set_vbr(true)?;
    codec.set_vbr_constraint(true)?;
    codec.set_inband_fec(true)?;
    codec.set_dtx(false)?;
    codec.set_complexity(COMPLEXITY)?;
    size_for(&mut codec, ExpectedLoss::default())?;
    Ok(codec)
}

fn size_for(codec: &mut opus::Encoder, loss: ExpectedLoss) -> opus::Result<()> {
    codec.set_packet_loss_perc(loss.percent())?;
    codec.set_bitrate(Bitrate::Bits(loss.bitrate_bps()))
}

/// Decodes one sender's sound to mono.
pub struct AudioDecoder {
    codec: opus::Decoder,
}

impl AudioDecoder {
    /// A decoder that has heard nothing.
    ///
    /// # Errors
    /// Where libopus refuses, which it does for want of memory only.
    pub fn new() -> Result<Self, DecodeError> {
        opus::Decoder::new(SAMPLE_RATE, Channels::Mono).map(|codec| Self { codec }).map_err(failed)
    }

    /// Decodes a packet, stereo folded to mono; gives the samples written, at most [`MAX_PACKET_SAMPLES`].
    ///
    /// # Errors
    /// Where the packet is malformed or longer than `samples`; the decoder stays usable.
    pub fn decode(&mut self, packet: &[u8], samples: &mut [f32]) -> Result<usize, DecodeError> {
        // libopus takes no bytes for a lost packet; from a peer it is a malformed one.
        packet_samples(packet)?;
        self.codec.decode_float(packet, samples, false).map_err(failed)
    }

    /// Recovers what the packet *before* `next` held from `next`'s in-band FEC; conceals where it has none. `samples` is as
    /// long as the lost packet, a multiple of 120 (2.5 ms).
    ///
    /// # Errors
    /// Where the packet is malformed or the length is no such multiple.
    pub fn recover(&mut self, next: &[u8], samples: &mut [f32]) -> Result<usize, DecodeError> {
        packet_samples(next)?;
        self.codec.decode_float(next, samples, true).map_err(failed)
    }

    /// Makes up `samples`, a multiple of 120 (2.5 ms) long and at most [`MAX_PACKET_SAMPLES`], from what was heard before.
    ///
    /// # Errors
    /// Where the length is no such multiple.
    pub fn conceal(&mut self, samples: &mut [f32]) -> Result<usize, DecodeError> {
        self.codec.decode_float(&[], samples, false).map_err(failed)
    }
}

/// How many samples at 48 kHz a packet holds, by its own header.
///
/// # Errors
/// Where it is empty, malformed, or longer than 120 ms.
pub fn packet_samples(packet: &[u8]) -> Result<usize, DecodeError> {
    if packet.is_empty() {
        return Err(DecodeError::Codec("empty packet".into()));
    }
    packet::get_nb_samples(packet, SAMPLE_RATE).map_err(failed)
}

/// Whether a packet carries in-band FEC for the packet before it (RFC 6716 §4.2.3): SILK or hybrid with an LBRR flag.
pub fn has_fec(packet: &[u8]) -> bool {
    let Ok(parts) = packet::parse(packet) else {
        return false;
    };
    let (Some(frame), config) = (parts.frames.first(), packet[0] >> 3) else {
        return false;
    };
    // §3.1: configurations 16 to 31 are CELT only. §4.2.3: VAD flags of each 20 ms, then the LBRR flag.
    let silk_frames = match config {
        0..12 => [1, 1, 2, 3][usize::from(config) % 4],
        12..16 => 1,
        _ => return false,
    };
    frame.first().is_some_and(|first| first >> (7 - silk_frames) & 1 == 1)
}

fn failed(error: opus::Error) -> DecodeError {
    DecodeError::Codec(error.to_string())
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use proptest::prelude::*;

    use super::*;
    use crate::media::BLOCK_SAMPLES;

    /// Block `n` of a sine at `hertz` and half of full scale.
    fn tone(hertz: f32, n: usize) -> Block {
        let mut block = Block::SILENCE;
        for (i, sample) in block.0.iter_mut().enumerate() {
            *sample = 0.5 * (TAU * hertz * ((n * BLOCK_SAMPLES + i) % 48_000) as f32 / 48_000.0).sin();
        }
        block
    }

    /// Level of one frequency, 0 dB for a full-scale sine (Goertzel over whole periods).
    fn level_db(samples: &[f32], hertz: f32) -> f32 {
        let (mut re, mut im) = (0.0f64, 0.0f64);
        for (i, sample) in samples.iter().enumerate() {
            let phase = f64::from(TAU * hertz * (i % 48_000) as f32 / 48_000.0);
            re += f64::from(*sample) * phase.cos();
            im += f64::from(*sample) * phase.sin();
        }
        let amplitude = 2.0 * (re * re + im * im).sqrt() / samples.len() as f64;
        20.0 * amplitude.max(1e-9).log10() as f32
    }

    /// Block `n` of something that the codec takes for a voice: harmonics of 140 Hz, swelling four times a second.
    fn voice(n: usize) -> Block {
        let mut block = Block::SILENCE;
        for harmonic in 1..12 {
            block.0.iter_mut().zip(tone(140.0 * harmonic as f32, n).0).for_each(|(sum, s)| *sum += s / (1 + harmonic) as f32);
        }
        for (i, sample) in block.0.iter_mut().enumerate() {
            *sample *= (TAU * 2.0 * ((n * BLOCK_SAMPLES + i) % 48_000) as f32 / 48_000.0).sin().powi(2);
        }
        block
    }

    fn packets(count: usize) -> Vec<Bytes> {
        let mut encoder = AudioEncoder::new().unwrap();
        (0..count).map(|n| encoder.encode(&voice(n), Prediction::Allowed).unwrap()).collect()
    }

    #[test]
    fn a_mix_of_tones_comes_back_with_them_and_hardly_anything_else() {
        let tones = [440.0, 620.0, 810.0, 1130.0];
        let mut encoder = AudioEncoder::new().unwrap();
        let mut decoder = AudioDecoder::new().unwrap();
        let mut heard = Vec::new();
        for n in 0..100 {
            let mut block = Block::SILENCE;
            for hertz in tones {
                block.0.iter_mut().zip(tone(hertz, n).0).for_each(|(sum, s)| *sum += 0.3 * s);
            }
            let packet = encoder.encode(&block, Prediction::Allowed).unwrap();
            let mut samples = [0.0; MAX_PACKET_SAMPLES];
            let length = decoder.decode(&packet, &mut samples).unwrap();
            heard.extend_from_slice(&samples[..length]);
        }
        let second = &heard[48_000..];
        for hertz in tones {
            assert!((level_db(second, hertz) - 20.0 * 0.15f32.log10()).abs() < 3.0);
        }
        for hertz in [330.0, 530.0, 715.0, 970.0, 1500.0] {
            assert!(level_db(second, hertz) < -57.0, "{hertz} Hz: {}", level_db(second, hertz));
        }
    }

    #[test]
    fn a_lost_packet_is_recovered_from_the_next_ones_fec() {
        let packets = packets(60);
        let lost = (40..59).find(|n| has_fec(&packets[n + 1])).expect("a voice is protected");
        let heard = |recover: bool| {
            let (mut decoder, mut samples) = (AudioDecoder::new().unwrap(), [0.0; BLOCK_SAMPLES]);
            packets[..lost].iter().for_each(|packet| assert!(decoder.decode(packet, &mut samples).is_ok()));
            let made =
                if recover { decoder.recover(&packets[lost + 1], &mut samples) } else { decoder.decode(&packets[lost], &mut samples) };
            assert_eq!(made, Ok(BLOCK_SAMPLES));
            samples
        };
        let (whole, recovered) = (heard(false), heard(true));
        let difference: f32 = whole.iter().zip(&recovered).map(|(a, b)| (a - b).powi(2)).sum();
        let energy: f32 = whole.iter().map(|s| s * s).sum();
        assert!(difference < 0.2 * energy, "{difference} of {energy}");
    }

    #[test]
    fn most_of_a_voice_carries_fec() {
        assert!(packets(150).iter().filter(|packet| has_fec(packet)).count() > 75);
    }

    /// How much louder the voice is than what is wrong with every fifth block, recovered from the next one's FEC, in decibels.
    fn recovered_db(loss: ExpectedLoss) -> f32 {
        let mut encoder = AudioEncoder::new().unwrap();
        encoder.expect(loss).unwrap();
        let packets: Vec<Bytes> = (0..200).map(|n| encoder.encode(&voice(n), Prediction::Allowed).unwrap()).collect();
        let (mut whole, mut lossy) = (AudioDecoder::new().unwrap(), AudioDecoder::new().unwrap());
        let (mut difference, mut energy) = (0.0, 0.0);
        for n in 0..199 {
            let (mut one, mut other) = ([0.0; BLOCK_SAMPLES], [0.0; BLOCK_SAMPLES]);
            whole.decode(&packets[n], &mut one).unwrap();
            let lost = n % 5 == 4;
            let made = if lost { lossy.recover(&packets[n + 1], &mut other) } else { lossy.decode(&packets[n], &mut other) };
            assert_eq!(made, Ok(BLOCK_SAMPLES));
            let counted = if lost { 1.0 } else { 0.0 };
            difference += one.iter().zip(&other).map(|(a, b)| (a - b).powi(2)).sum::<f32>() * counted;
            energy += one.iter().map(|s| s * s).sum::<f32>() * counted;
        }
        10.0 * (energy / difference).log10()
    }

    #[test]
    fn the_more_loss_is_expected_the_better_is_what_is_recovered() {
        let steps = [0.0, 0.1, 0.2, 0.5].map(ExpectedLoss::of);
        assert!(steps.is_sorted_by(|less, more| less < more));
        let heard = steps.map(recovered_db);
        assert!(heard.is_sorted() && heard[0] > 15.0 && heard[3] > heard[0] + 3.0, "{heard:?}");
    }

    #[test]
    fn tones_carry_fec_too() {
        let mut encoder = AudioEncoder::new().unwrap();
        let protected = (0..200).filter(|n| has_fec(&encoder.encode(&tone(486.0, *n), Prediction::Allowed).unwrap())).count();
        assert!(protected > 190, "{protected}");
    }

    #[test]
    fn loss_that_is_no_number_expects_none() {
        assert_eq!([f32::NAN, -1.0].map(ExpectedLoss::of), [ExpectedLoss::Percent5; 2]);
    }

    #[test]
    fn concealment_gives_as_many_samples_as_asked_for() {
        let mut decoder = AudioDecoder::new().unwrap();
        let mut samples = [0.0; MAX_PACKET_SAMPLES];
        for packet in packets(5) {
            assert_eq!(decoder.decode(&packet, &mut samples), Ok(BLOCK_SAMPLES));
        }
        for length in [120, 480, 960, 5760] {
            assert_eq!(decoder.conceal(&mut samples[..length]), Ok(length));
        }
    }

    #[test]
    fn stereo_packets_of_every_duration_fold_to_mono() {
        for milliseconds_times_ten in [25, 50, 100, 200, 400, 600] {
            let length = milliseconds_times_ten * 48 / 10;
            let mut encoder = opus::Encoder::new(SAMPLE_RATE, Channels::Stereo, Application::Audio).unwrap();
            let stereo: Vec<f32> = (0..length).flat_map(|i| [0.4 * (TAU * i as f32 / 96.0).sin(), 0.0]).collect();
            let packet = encoder.encode_vec_float(&stereo, 1500).unwrap();
            assert_eq!(packet_samples(&packet), Ok(length));
            let mut samples = [0.0; MAX_PACKET_SAMPLES];
            assert_eq!(AudioDecoder::new().unwrap().decode(&packet, &mut samples), Ok(length));
        }
    }

    #[test]
    fn a_mixs_packets_stay_small() {
        let sizes: Vec<_> = packets(100).iter().map(Bytes::len).collect();
        assert!(sizes.iter().all(|size| (3..=280).contains(size)), "{sizes:?}");
    }

    proptest! {
        #[test]
        fn random_packets_never_panic(packet in proptest::collection::vec(any::<u8>(), 0..200), short in 1usize..50) {
            let mut decoder = AudioDecoder::new().unwrap();
            let mut samples = [0.0; MAX_PACKET_SAMPLES];
            has_fec(&packet);
            if let Ok(length) = decoder.decode(&packet, &mut samples) {
                prop_assert_eq!(packet_samples(&packet), Ok(length));
                prop_assert!(samples[..length].iter().all(|sample| sample.is_finite()));
            }
            let _ = decoder.recover(&packet, &mut samples[..short * 120 % 5760 + 120]);
            let _ = decoder.decode(&packet, &mut samples[..short]);
        }
    }
}
