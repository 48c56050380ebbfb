//! Fragmented MP4 (ISO/IEC 14496-12 §8.8) with H.264 (ISO/IEC 14496-15) and Opus ("Encapsulation of Opus in ISOBMFF").
//!
//! In: what the tracks are; samples. Out: a header, and parts of which each can be played as soon as it is there. A file is a header and
//! any number of parts; an HLS segment is one part or several. Never: a byte of an earlier part changed.

use bytes::{BufMut, Bytes, BytesMut};
use mp4_atom::{
    Audio, Avc1, Avc3, Avcc, Codec, Dinf, Dops, Dref, Encode, FourCC, Ftyp, Hdlr, Mdhd, Mdia, Mfhd, Minf, Moof, Moov, Mvex, Mvhd, Opus,
    Smhd, Stbl, Stco, Stsd, Tfdt, Tfhd, Tkhd, Traf, Trak, Trex, Trun, TrunEntry, Url, Visual, Vmhd,
};

use super::{PICTURE_CLOCK, SOUND_CLOCK};

const PICTURES: u32 = 1;
const SOUND: u32 = 2;
/// §8.8.3.1: it depends on no other sample.
const SYNC: u32 = 0x0200_0000;
/// It depends on others, and is no sync sample.
const NO_SYNC: u32 = 0x0101_0000;
/// Size and type of a box.
const BOX_HEADER: usize = 8;

/// H.264 pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PictureTrack {
    /// In pixels.
    pub width: u16,
    /// In pixels.
    pub height: u16,
    /// The sequence parameter set, without a start code; at least 4 bytes.
    pub sps: Bytes,
    /// The picture parameter set.
    pub pps: Bytes,
    /// Whether samples may bring other parameter sets (`avc3`), as where the size changes in between; else `avc1`.
    pub in_band: bool,
}

/// Opus sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SoundTrack {
    /// Channels: 1 or 2.
    pub channels: u8,
    /// Samples at 48 kHz that a decoder drops at the beginning.
    pub pre_skip: u16,
}

/// What a file has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tracks {
    /// Its pictures.
    pub pictures: Option<PictureTrack>,
    /// Its sound.
    pub sound: Option<SoundTrack>,
}

/// A picture, or an Opus packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// A picture's NAL units as [`length_prefixed`] puts them, or an Opus packet.
    pub payload: Bytes,
    /// Ticks until the next one of its track.
    pub duration: u32,
    /// Whether a decoder can start here; each sound is such.
    pub keyframe: bool,
}

/// Samples of both tracks that belong together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// Counts the file's parts, from 1 on.
    pub sequence: u32,
    /// When the first picture is shown, in ticks of [`PICTURE_CLOCK`] from the file's beginning on.
    pub pictures_at: u64,
    /// Pictures in order; may be empty.
    pub pictures: Vec<Sample>,
    /// When the first sound is heard, in ticks of [`SOUND_CLOCK`].
    pub sounds_at: u64,
    /// Sounds in order; may be empty.
    pub sounds: Vec<Sample>,
}

/// What a file begins with; as a segment of its own, what HLS calls the initialization section.
///
/// # Errors
/// Where a parameter set is too short to be one.
pub fn header(tracks: &Tracks) -> Result<Bytes, mp4_atom::Error> {
    let mut out = Vec::with_capacity(1024);
    let brands = [b"iso6", b"iso5", b"mp41", b"avc1"].map(FourCC::from);
    Ftyp { major_brand: b"iso6".into(), minor_version: 0, compatible_brands: brands.into() }.encode(&mut out)?;
    let pictures = tracks.pictures.as_ref().map(picture_track).transpose()?;
    let traks: Vec<_> = pictures.into_iter().chain(tracks.sound.as_ref().map(sound_track)).collect();
    let trex = |trak: &Trak| {
        let default_sample_flags = if trak.tkhd.track_id == SOUND { SYNC } else { 0 };
        Trex { track_id: trak.tkhd.track_id, default_sample_description_index: 1, default_sample_flags, ..Trex::default() }
    };
    let mvex = Some(Mvex { trex: traks.iter().map(trex).collect(), ..Mvex::default() });
    let mvhd = Mvhd { timescale: 1000, rate: 1.into(), volume: 1.into(), next_track_id: SOUND + 1, ..Mvhd::default() };
    Moov { mvhd, mvex, trak: traks, ..Moov::default() }.encode(&mut out)?;
    Ok(out.into())
}

/// One part: a movie fragment and its data.
///
/// # Errors
/// Where it is larger than a box may be.
pub fn part(part: &Part) -> Result<Bytes, mp4_atom::Error> {
    let bytes = |samples: &[Sample]| samples.iter().map(|sample| sample.payload.len()).sum::<usize>();
    let (picture_bytes, sound_bytes) = (bytes(&part.pictures), bytes(&part.sounds));
    let of = |data: usize| {
        let pictures = (!part.pictures.is_empty()).then(|| run(PICTURES, part.pictures_at, &part.pictures, data));
        let sounds = (!part.sounds.is_empty()).then(|| run(SOUND, part.sounds_at, &part.sounds, data + picture_bytes));
        Moof { mfhd: Mfhd { sequence_number: part.sequence }, traf: pictures.into_iter().chain(sounds).collect() }
    };
    // Where the data lie depends on the length of the box that says so, which does not depend on it
    let mut moof = Vec::with_capacity(256 + 16 * (part.pictures.len() + part.sounds.len()));
    of(0).encode(&mut moof)?;
    let data = moof.len() + BOX_HEADER;
    moof.clear();
    of(data).encode(&mut moof)?;
    let mut out = BytesMut::with_capacity(data + picture_bytes + sound_bytes);
    out.put_slice(&moof);
    let length = BOX_HEADER + picture_bytes + sound_bytes;
    out.put_u32(u32::try_from(length).map_err(|_| mp4_atom::Error::OutOfBounds)?);
    out.put_slice(b"mdat");
    part.pictures.iter().chain(&part.sounds).for_each(|sample| out.put_slice(&sample.payload));
    Ok(out.freeze())
}

/// NAL units, each after its length in four bytes (ISO/IEC 14496-15 §5.3.2), as samples have them.
pub fn length_prefixed(nal_units: &[Bytes]) -> Bytes {
    let mut sample = BytesMut::with_capacity(nal_units.iter().map(|nal| 4 + nal.len()).sum());
    for nal in nal_units {
        sample.put_u32(nal.len() as u32);
        sample.put_slice(nal);
    }
    sample.freeze()
}

fn run(track_id: u32, begins: u64, samples: &[Sample], data: usize) -> Traf {
    let entry = |sample: &Sample| TrunEntry {
        duration: Some(sample.duration),
        size: Some(sample.payload.len() as u32),
        flags: (track_id == PICTURES).then_some(if sample.keyframe { SYNC } else { NO_SYNC }),
        cts: None,
    };
    Traf {
        tfhd: Tfhd { track_id, default_base_is_moof: true, ..Tfhd::default() },
        tfdt: Some(Tfdt { base_media_decode_time: begins }),
        trun: vec![Trun { data_offset: Some(data as i32), samples: samples.iter().map(entry).collect::<Vec<_>>().into() }],
        ..Traf::default()
    }
}

fn picture_track(track: &PictureTrack) -> Result<Trak, mp4_atom::Error> {
    let visual = Visual {
        data_reference_index: 1,
        width: track.width,
        height: track.height,
        horizresolution: 72.into(),
        vertresolution: 72.into(),
        frame_count: 1,
        depth: 24,
        ..Visual::default()
    };
    let avcc = Avcc::new(&track.sps, &track.pps)?;
    let codec = match track.in_band {
        true => Codec::Avc3(Avc3 { visual, avcc, ..Avc3::default() }),
        false => Codec::Avc1(Avc1 { visual, avcc, ..Avc1::default() }),
    };
    let (width, height) = (track.width.into(), track.height.into());
    let tkhd = Tkhd { track_id: PICTURES, enabled: true, in_movie: true, width, height, ..Tkhd::default() };
    let hdlr = Hdlr { handler: b"vide".into(), name: "pictures".into() };
    Ok(trak(tkhd, PICTURE_CLOCK, hdlr, Minf { vmhd: Some(Vmhd::default()), ..minf(codec) }))
}

fn sound_track(track: &SoundTrack) -> Trak {
    let audio =
        Audio { data_reference_index: 1, channel_count: track.channels.into(), sample_size: 16, sample_rate: (SOUND_CLOCK as u16).into() };
    let dops = Dops {
        output_channel_count: track.channels,
        pre_skip: track.pre_skip,
        input_sample_rate: SOUND_CLOCK,
        output_gain: 0,
        channel_mapping: None,
    };
    let tkhd = Tkhd { track_id: SOUND, enabled: true, in_movie: true, volume: 1.into(), ..Tkhd::default() };
    let hdlr = Hdlr { handler: b"soun".into(), name: "sound".into() };
    let codec = Codec::Opus(Opus { audio, dops, btrt: None });
    trak(tkhd, SOUND_CLOCK, hdlr, Minf { smhd: Some(Smhd::default()), ..minf(codec) })
}

fn trak(tkhd: Tkhd, timescale: u32, hdlr: Hdlr, minf: Minf) -> Trak {
    let mdhd = Mdhd { timescale, language: "und".into(), ..Mdhd::default() };
    Trak { tkhd, mdia: Mdia { mdhd, hdlr, minf }, ..Trak::default() }
}

fn minf(codec: Codec) -> Minf {
    let dinf = Dinf { dref: Dref { entries: vec![Url::default().into()] } };
    let stbl = Stbl { stsd: Stsd { codecs: vec![codec] }, stco: Some(Stco::default()), ..Stbl::default() };
    Minf { dinf, stbl, ..Minf::default() }
}
