//! Bits of a parameter set, and the numbers that they code (ITU-T H.264 §9.1).
//!
//! In: the bytes of a NAL unit. Out: flags and numbers, one after the other. Never: a bit beyond the last byte.

use super::SpsError;

/// §7.3.1: 0x000003 in a NAL unit stands for 0x0000.
pub(super) fn without_emulation_prevention(bytes: &[u8]) -> Vec<u8> {
    let mut rbsp = Vec::with_capacity(bytes.len());
    let mut zeros = 0;
    for &byte in bytes {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        rbsp.push(byte);
    }
    rbsp
}

/// Reads bits, most significant first; the end of the bytes is an error, never a panic.
pub(super) struct Bits<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Bits<'a> {
    /// From the first bit on.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// The next `count` bits, at most 32.
    pub(super) fn take(&mut self, count: u32) -> Result<u32, SpsError> {
        let mut value = 0u32;
        for _ in 0..count {
            let byte = *self.bytes.get(self.at / 8).ok_or(SpsError::Malformed)?;
            value = value << 1 | u32::from(byte >> (7 - self.at % 8) & 1);
            self.at += 1;
        }
        Ok(value)
    }

    pub(super) fn flag(&mut self) -> Result<bool, SpsError> {
        Ok(self.take(1)? == 1)
    }

    /// `ue(v)`, §9.1.
    pub(super) fn unsigned(&mut self) -> Result<u32, SpsError> {
        let mut zeros = 0;
        while !self.flag()? {
            zeros += 1;
            if zeros > 31 {
                return Err(SpsError::Malformed);
            }
        }
        Ok((1u32 << zeros) - 1 + self.take(zeros)?)
    }

    /// `se(v)`, §9.1.1.
    pub(super) fn signed(&mut self) -> Result<i32, SpsError> {
        let code = self.unsigned()?;
        let half = (code / 2) as i32;
        Ok(if code % 2 == 1 { half + 1 } else { -half })
    }
}
