//! WAV files that others write.

use std::f32::consts::TAU;

use proptest::prelude::*;

use super::*;

fn written(spec: hound::WavSpec, seconds: f32, mut sample: impl FnMut(f32, u16) -> f32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    let mut writer = hound::WavWriter::new(&mut bytes, spec).unwrap();
    for n in 0..(seconds * spec.sample_rate as f32) as u32 {
        for channel in 0..spec.channels {
            let sample = sample(n as f32 / spec.sample_rate as f32, channel);
            match spec.sample_format {
                hound::SampleFormat::Float => writer.write_sample(sample).unwrap(),
                hound::SampleFormat::Int => {
                    writer.write_sample((sample * ((1i64 << (spec.bits_per_sample - 1)) - 1) as f32) as i32).unwrap()
                }
            }
        }
    }
    writer.finalize().unwrap();
    bytes.into_inner()
}

fn spec(channels: u16, sample_rate: u32, bits_per_sample: u16) -> hound::WavSpec {
    let sample_format = if bits_per_sample == 32 { hound::SampleFormat::Float } else { hound::SampleFormat::Int };
    hound::WavSpec { channels, sample_rate, bits_per_sample, sample_format }
}

fn heard(file: Vec<u8>) -> Vec<f32> {
    joined(&sounds(&mut Media::read(Bytes::from(file)).unwrap()).unwrap())
}

#[test]
fn a_tone_of_any_rate_and_width_is_heard_as_it_is_from_its_first_sample_to_its_last() {
    for (rate, bits) in [(8_000, 16), (16_000, 8), (44_100, 16), (44_100, 24), (48_000, 32), (96_000, 24), (192_000, 16)] {
        let all = heard(written(spec(1, rate, bits), 0.5, |t, _| 0.5 * (TAU * 440.0 * t).sin()));
        assert_eq!(all.len(), 24_000, "{rate} Hz");
        let tone = |n: usize| 0.5 * (TAU * 440.0 * n as f32 / 48_000.0).sin();
        let worst = (500..23_500).map(|n| (all[n] - tone(n)).abs()).fold(0.0, f32::max);
        // One sample too early or late is 0.03, a step of 8 bits 0.008
        assert!(worst < 0.045, "{rate} Hz, {bits} bits: {worst}");
    }
}

#[test]
fn channels_are_folded_to_one() {
    let all = heard(written(spec(2, 48_000, 16), 0.1, |_, channel| [0.5, -0.25][usize::from(channel)]));
    assert!(all.iter().all(|sample| (sample - 0.125).abs() < 1e-3));
}

#[test]
fn a_file_whose_length_was_never_filled_in_is_played_to_its_end() {
    let whole = written(spec(1, 48_000, 16), 0.25, |t, _| t);
    let data = whole.windows(4).position(|four| four == b"data").unwrap() + 4;
    for claim in [0, u32::MAX] {
        let mut file = whole.clone();
        file[data..data + 4].copy_from_slice(&claim.to_le_bytes());
        assert_eq!(heard(file).len(), 12_000);
    }
    assert_eq!(heard(whole[..whole.len() - 12_000].to_vec()).len(), 6_000);
}

#[test]
fn laws_of_telephones_are_known() {
    let mut file = written(spec(1, 8_000, 8), 0.1, |_, _| 0.0);
    let (tag, data) = (20, file.windows(4).position(|four| four == b"data").unwrap() + 8);
    // Full scale of both laws
    for (law, loudest) in [(6u8, 0xaa_u8), (7, 0x80)] {
        file[tag] = law;
        file[data..].fill(loudest);
        let all = heard(file.clone());
        assert!(all[2400] > 0.9, "law {law}: {}", all[2400]);
    }
}

#[test]
fn samples_that_are_no_numbers_are_silent_and_those_beyond_full_scale_are_at_it() {
    let all = heard(written(spec(1, 48_000, 32), 0.01, |t, _| if t < 0.005 { f32::NAN } else { f32::INFINITY }));
    assert!(all[..240].iter().all(|sample| *sample == 0.0) && all[240..].iter().all(|sample| *sample == 1.0));
}

#[test]
fn what_cannot_be_played_is_refused_with_why() {
    let refused = |edit: &dyn Fn(&mut Vec<u8>)| {
        let mut file = written(spec(2, 48_000, 16), 0.1, |_, _| 0.0);
        edit(&mut file);
        Media::read(Bytes::from(file)).unwrap_err().to_string()
    };
    assert!(refused(&|file| file[20] = 0x55).contains("format 0x55 with 16 bits"));
    assert!(refused(&|file| file[24..28].copy_from_slice(&4_000_000u32.to_le_bytes())).contains("4000000 Hz"));
    assert!(refused(&|file| file[22] = 200).contains("200 channels"));
    assert!(refused(&|file| file.truncate(36)).contains("data chunk"));
    assert!(refused(&|file| file.truncate(44)).contains("no samples"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn damage_never_panics_and_never_makes_more_than_is_there(at in 0usize..60, with in any::<u8>(), cut in 0usize..2000) {
        let mut file = written(spec(2, 44_100, 16), 0.01, |t, _| t);
        file[at.min(43)] = with;
        file.truncate(file.len().saturating_sub(cut));
        let length = file.len();
        if let Ok(mut media) = Media::read(Bytes::from(file)) {
            let made: usize = sounds(&mut media).unwrap_or_default().iter().map(|sound| match sound {
                CodedSound::Samples { samples, .. } => samples.len(),
                CodedSound::Opus { .. } => 0,
            }).sum();
            prop_assert!(made <= 12 * length);
        }
    }
}
