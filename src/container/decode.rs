//! AAC-LC and PCM, decoded to one channel.
//!
//! In: packets. Out: samples, full scale ±1, at the file's rate. Never: a panic or a sample that is no number, whatever the packets hold.

use symphonia::core::audio::Channels;
use symphonia::core::codecs::audio::well_known::CODEC_ID_AAC;
use symphonia::core::codecs::audio::{AudioCodecId, AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::packet::PacketRef;
use symphonia::core::units::{Duration, Timestamp};
use symphonia::default::codecs::{AacDecoder, PcmDecoder};

use super::{ContainerError, malformed};

/// Channels that are taken.
const MOST_CHANNELS: u16 = 32;
/// ISO/IEC 14496-3 table 1.18.
const AAC_RATES: [u32; 13] = [96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350];

/// Decodes one track.
pub(super) struct Decoder {
    codec: Box<dyn AudioDecoder>,
    rate: u32,
    interleaved: Vec<f32>,
}

impl Decoder {
    /// AAC with this AudioSpecificConfig (ISO/IEC 14496-3 §1.6.2.1).
    pub(super) fn aac(config: &[u8]) -> Result<Self, ContainerError> {
        let &[first, second, ..] = config else {
            return Err(malformed("AAC without its configuration"));
        };
        let index = usize::from(first & 7) << 1 | usize::from(second >> 7);
        let &rate = AAC_RATES.get(index).ok_or_else(|| ContainerError::Codec("AAC of no usual rate".into()))?;
        let mut parameters = AudioCodecParameters::new();
        parameters.for_codec(CODEC_ID_AAC).with_extra_data(config.into());
        let codec = AacDecoder::try_new(&parameters, &AudioDecoderOptions::default());
        let codec = codec.map_err(|_| ContainerError::Codec("AAC other than AAC-LC of one or two channels".into()))?;
        Ok(Self { codec: Box::new(codec), rate, interleaved: Vec::new() })
    }

    /// PCM of this kind.
    pub(super) fn pcm(kind: AudioCodecId, rate: u32, channels: u16) -> Result<Self, ContainerError> {
        if !(1..=MOST_CHANNELS).contains(&channels) {
            return Err(ContainerError::Codec(format!("PCM of {channels} channels (1 to {MOST_CHANNELS} are played)")));
        }
        let mut parameters = AudioCodecParameters::new();
        parameters.for_codec(kind).with_sample_rate(rate).with_channels(Channels::Discrete(channels));
        let codec = PcmDecoder::try_new(&parameters, &AudioDecoderOptions::default()).map_err(failed)?;
        Ok(Self { codec: Box::new(codec), rate, interleaved: Vec::new() })
    }

    /// Samples a second.
    pub(super) fn rate(&self) -> u32 {
        self.rate
    }

    /// Decodes a packet, its channels folded to one, and appends its samples.
    pub(super) fn decode(&mut self, packet: &[u8], mono: &mut Vec<f32>) -> Result<(), ContainerError> {
        let packet = PacketRef::new(0, Timestamp::ZERO, Duration::ZERO, packet);
        let decoded = self.codec.decode_ref(&packet).map_err(failed)?;
        let channels = decoded.num_planes().max(1);
        decoded.copy_to_vec_interleaved(&mut self.interleaved);
        let fold = |all: &[f32]| match all.iter().sum::<f32>() / channels as f32 {
            sample if sample.is_nan() => 0.0,
            sample => sample.clamp(-1.0, 1.0),
        };
        mono.extend(self.interleaved.chunks_exact(channels).map(fold));
        Ok(())
    }
}

fn failed(error: Error) -> ContainerError {
    malformed(error.to_string())
}
