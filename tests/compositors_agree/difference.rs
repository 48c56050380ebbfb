//! How far two canvases are apart, plane by plane.

use medley::media::Frame;

/// Of Y, U and V.
pub(crate) fn between(a: &Frame, b: &Frame) -> [Difference; 3] {
    [0, 1, 2].map(|plane| Difference::between(a.planes()[plane], b.planes()[plane]))
}

/// How far two planes are apart.
#[derive(Clone, Copy, Default)]
pub(crate) struct Difference {
    pub(crate) largest: u8,
    squares: u64,
    samples: u64,
}

impl Difference {
    fn between(a: &[u8], b: &[u8]) -> Self {
        assert_eq!(a.len(), b.len());
        let apart = || a.iter().zip(b).map(|(a, b)| a.abs_diff(*b));
        let squares = apart().map(|d| u64::from(d) * u64::from(d)).sum();
        Self { largest: apart().max().unwrap_or(0), squares, samples: a.len() as u64 }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.largest = self.largest.max(other.largest);
        self.squares += other.squares;
        self.samples += other.samples;
    }

    pub(crate) fn psnr_db(self) -> f64 {
        10.0 * (255.0 * 255.0 * self.samples as f64 / self.squares as f64).log10()
    }
}

/// In one line.
pub(crate) fn report(planes: &[Difference; 3]) -> String {
    let plane =
        |(name, difference): (&str, &Difference)| format!("{name} largest {} PSNR {:.1} dB", difference.largest, difference.psnr_db());
    ["Y", "U", "V"].into_iter().zip(planes).map(plane).collect::<Vec<_>>().join(", ")
}
