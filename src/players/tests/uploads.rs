//! Files that come in, stay, and are played.

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::codec::h264::nal;
use crate::container::mp4::{Part, PictureTrack, Sample, SoundTrack, Tracks, header, length_prefixed, part};
use crate::container::ogg::Writer;
use crate::media::ShortName;
use crate::players::{FileError, FileLimits, FileReport, Files, PictureSize, UnfitError};

pub(super) fn name(text: &str) -> ShortName {
    text.parse().unwrap()
}

/// A tape of Opus and pictures at 10 a second as an MP4 file.
pub(super) fn mp4(tape: &Tape) -> Vec<u8> {
    let set = |kind| tape.pictures[0].nal_units.iter().find(|unit| nal::kind(unit) == kind).cloned().unwrap();
    let pictures = PictureTrack { width: 320, height: 180, sps: set(nal::SPS), pps: set(nal::PPS), in_band: false };
    let tracks = Tracks { pictures: Some(pictures), sound: Some(SoundTrack { channels: 1, pre_skip: 0 }) };
    let picture =
        |picture: &CodedPicture| Sample { payload: length_prefixed(&picture.nal_units), duration: 9000, keyframe: picture.keyframe };
    let sound = |sound: &CodedSound| match sound {
        CodedSound::Opus { packet, .. } => Sample { payload: packet.clone(), duration: 960, keyframe: true },
        CodedSound::Samples { .. } => panic!("no Opus"),
    };
    let (pictures, sounds) = (tape.pictures.iter().map(picture).collect(), tape.sounds.iter().map(sound).collect());
    let all = Part { sequence: 1, pictures_at: 0, pictures, sounds_at: 0, sounds };
    [header(&tracks).unwrap(), part(&all).unwrap()].concat()
}

/// A WAV file of so many samples of a tone.
pub(super) fn wav(samples: usize) -> Vec<u8> {
    let data: Vec<u8> = (0..samples).flat_map(|n| ((tone(1000.0, n) * 32_767.0) as i16).to_le_bytes()).collect();
    let size = |bytes: usize| (bytes as u32).to_le_bytes();
    let format = [&[1u8, 0, 1, 0][..], &48_000u32.to_le_bytes(), &96_000u32.to_le_bytes(), &[2, 0, 16, 0]].concat();
    [b"RIFF", &size(36 + data.len())[..], b"WAVEfmt ", &size(16), &format, b"data", &size(data.len()), &data].concat()
}

/// A tape of Opus as an Ogg file, of which a decoder drops the first 312 samples.
fn ogg(tape: &Tape) -> Vec<u8> {
    let (mut writer, mut file) = Writer::begin(7, 1, 312, 10);
    for sound in &tape.sounds {
        let CodedSound::Opus { packet, .. } = sound else { panic!("no Opus") };
        file = [file, writer.push(packet).unwrap()].concat().into();
    }
    [file, writer.end()].concat()
}

pub(super) async fn upload(files: &Arc<Files>, file_name: &str, bytes: &[u8]) -> Result<(bool, FileReport), FileError> {
    let mut upload = files.receive(&name(file_name), Some(bytes.len() as u64)).await?;
    for piece in bytes.chunks(50_000) {
        upload.write(Bytes::copy_from_slice(piece)).await?;
    }
    upload.finish().await
}

fn open(folder: &Path) -> Arc<Files> {
    Files::open(Some(folder), FileLimits { max_bytes: 300_000, max_total_bytes: 500_000 }).unwrap()
}

fn on_disk(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder.join("files")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[tokio::test]
async fn what_was_uploaded_is_told_replaced_and_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let film = mp4(&Tape::default().with_pictures(10, 10, [120, 90, 160]).with_opus(440.0, 50));
    let files = open(folder.path());
    let (was_there, report) = upload(&files, "film", &film).await.unwrap();
    let video = Some(PictureSize { width: 320, height: 180 });
    let expected = FileReport { name: name("film"), bytes: film.len() as u64, duration_ms: 1000, video, audio: true, players: 0 };
    assert_eq!((was_there, &report), (false, &expected));
    assert!(upload(&files, "gong", &wav(4800)).await.is_ok());
    let (was_there, gong) = upload(&files, "gong", &wav(9600)).await.unwrap();
    assert_eq!((was_there, gong.duration_ms, gong.video), (true, 200, None));
    std::fs::write(folder.path().join("files/x.tmp"), b"RIFF").unwrap();
    std::fs::write(folder.path().join("files/cut.media"), b"RIFF").unwrap();
    drop(files);
    let files = open(folder.path());
    assert_eq!(files.list(), [report, gong]);
    assert_eq!(on_disk(folder.path()), ["cut.media.broken", "film.media", "gong.media"]);
    files.forget(&name("film")).unwrap();
    assert!(matches!(files.forget(&name("film")), Err(FileError::NotFound(_))));
    assert_eq!(open(folder.path()).list().len(), 1);
}

#[tokio::test]
async fn files_of_each_kind_are_taken_by_what_is_in_them_and_play_without_a_gap() {
    let folder = tempfile::tempdir().unwrap();
    let files = open(folder.path());
    let (opus, film) = (Tape::default().with_opus(440.0, 50), Tape::default().with_pictures(10, 10, [120, 90, 160]).with_opus(440.0, 50));
    let annex_b = film.pictures.iter().flat_map(|picture| &picture.nal_units).flat_map(|nal| [&[0, 0, 0, 1], nal.as_ref()].concat());
    for (bytes, sounds, video) in
        [(wav(48_000), 100, false), (ogg(&opus), 100, false), (mp4(&film), 100, true), (annex_b.collect(), 0, true)]
    {
        let (_, report) = upload(&files, "file", &bytes).await.unwrap();
        assert!((300..1010).contains(&report.duration_ms), "{report:?}");
        assert_eq!((report.audio, report.video.is_some()), (sounds > 0, video));
        let path = files.lend(&name("file")).unwrap().path.clone();
        let mut score = Score::open(Box::new(move || crate::container::Media::open(&path)), Passes::Endless).unwrap();
        let cues = cues(&mut score, 130);
        let times: Vec<_> = cues.iter().filter(|cue| !is_picture(cue)).map(|cue| cue.at).take(sounds).collect();
        assert!(
            times.len() == sounds && times.windows(2).all(|pair| (pair[1] - pair[0]).abs_diff(Duration::from_millis(20)).as_nanos() < 2)
        );
    }
}

#[tokio::test]
async fn what_cannot_be_played_or_does_not_fit_leaves_nothing_and_the_one_before_stays() {
    let folder = tempfile::tempdir().unwrap();
    let files = open(folder.path());
    upload(&files, "gong", &wav(4800)).await.unwrap();
    let film = mp4(&Tape::default().with_pictures(10, 10, [120, 90, 160]).with_opus(440.0, 50));
    for broken in [&b""[..], b"<html><body>film</body></html>", &film[..300], &wav(4800)[..44], &[0xff; 5000]] {
        assert!(matches!(upload(&files, "gong", broken).await, Err(FileError::Unfit(UnfitError::File(_)))), "{} bytes", broken.len());
    }
    assert!(matches!(upload(&files, "gong", &wav(200_000)).await, Err(FileError::TooLong(_))), "by its length, before it comes");
    let mut unsaid = files.receive(&name("gong"), None).await.unwrap();
    unsaid.write(vec![0; 299_999].into()).await.unwrap();
    assert!(matches!(unsaid.write(vec![0; 2].into()).await, Err(FileError::TooLong(_))));
    drop(unsaid);
    upload(&files, "more", &wav(100_000)).await.unwrap();
    let mut coming = files.receive(&name("next"), None).await.unwrap();
    coming.write(vec![0; 250_000].into()).await.unwrap();
    let full = upload(&files, "last", &wav(100_000)).await.unwrap_err();
    assert!(matches!(full, FileError::NoRoom(_)), "{full}");
    drop(coming);
    assert!(upload(&files, "last", &wav(100_000)).await.is_ok(), "what was given up takes no room");
    assert_eq!(on_disk(folder.path()), ["gong.media", "last.media", "more.media"]);
    assert_eq!(files.get(&name("gong")).unwrap().duration_ms, 100);
}

#[tokio::test]
async fn so_many_uploads_come_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let files = open(folder.path());
    let mut coming = Vec::new();
    for n in 0..4 {
        coming.push(files.receive(&name(&format!("n{n}")), None).await.unwrap());
    }
    assert!(matches!(files.receive(&name("more"), None).await, Err(FileError::Busy)));
    coming.pop();
    assert!(files.receive(&name("more"), None).await.is_ok());
}

#[tokio::test]
async fn a_file_that_is_being_replaced_or_removed_is_told_and_lent_to_nobody_until_it_is_done() {
    let folder = tempfile::tempdir().unwrap();
    let files = open(folder.path());
    upload(&files, "gong", &wav(4800)).await.unwrap();
    let change = files.change(&name("gong")).unwrap();
    assert!(matches!(files.lend(&name("gong")), Err(FileError::Changing(_))));
    assert_eq!(files.list().len(), 1);
    drop(change);
    let loan = files.lend(&name("gong")).unwrap();
    assert!(matches!(files.change(&name("gong")), Err(FileError::Playing(_))));
    drop(loan);
    files.forget(&name("gong")).unwrap();
}
