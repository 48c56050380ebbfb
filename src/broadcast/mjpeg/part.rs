//! A part of a multipart stream (RFC 2046 §5.1): one picture with its header, made once for all who get it.
//!
//! In: JPEG. Out: bytes that can be written as they are. Never: a part whose end is seen only with the next one's beginning: the
//! delimiter stands behind each picture, since browsers show a picture when they have read the delimiter after it.

use bytes::Bytes;

use crate::media::MediaTime;

/// What stands between the parts.
pub const BOUNDARY: &str = "medley-picture";

/// What stands before the first part.
pub const OPENING: Bytes = Bytes::from_static(b"--medley-picture\r\n");

/// One picture as it is sent.
#[derive(Clone, Debug)]
pub struct Part {
    /// The video tick of its canvas.
    pub at: MediaTime,
    /// Counts the parts of one stream, without gaps.
    pub number: u64,
    /// Header, picture and delimiter.
    pub bytes: Bytes,
}

/// Header, picture and delimiter; `taken` is the canvas's moment in milliseconds since 1970.
pub(super) fn write(jpeg: &[u8], taken: u64) -> Bytes {
    let (length, seconds, millis) = (jpeg.len(), taken / 1000, taken % 1000);
    let head = format!("Content-Type: image/jpeg\r\nContent-Length: {length}\r\nX-Timestamp: {seconds}.{millis:03}\r\n\r\n");
    [head.as_bytes(), jpeg, b"\r\n", &OPENING].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_its_header_its_picture_and_the_delimiter_after_it() {
        assert_eq!(&OPENING[..], format!("--{BOUNDARY}\r\n").as_bytes());
        let wanted = "Content-Type: image/jpeg\r\nContent-Length: 4\r\nX-Timestamp: 1700000000.042\r\n\r\nJPEG\r\n--medley-picture\r\n";
        assert_eq!(&write(b"JPEG", 1_700_000_000_042)[..], wanted.as_bytes());
    }
}
