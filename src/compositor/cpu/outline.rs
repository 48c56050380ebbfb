//! The shape of a rounded rectangle or of its border, as coverage by row.
//!
//! In: a size, a radius, a border's width; out: bytes of coverage. All four corners are one table, mirrored.
//! Never: pixels or colours.

/// A shape's coverage.
#[derive(Debug)]
pub(super) struct Outline {
    width: usize,
    height: usize,
    /// How far from the edge coverage differs from `inside`, even.
    depth: usize,
    /// `depth × depth`: the upper left corner.
    corner: Vec<u8>,
    /// Coverage by distance from a straight edge, `depth` bytes.
    edge: Vec<u8>,
    inside: u8,
}

/// What two neighbouring rows are covered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rows {
    /// Everywhere wholly.
    Solid,
    /// Only the first and the last so many pixels, at all.
    Sides(usize),
    /// By the bytes written.
    Mixed,
}

impl Outline {
    /// A rounded rectangle, all of it; sides even.
    pub(super) fn filled(width: usize, height: usize, radius: f32) -> Self {
        Self::new(width, height, radius, radius, |distance| (0.5 - distance).clamp(0.0, 1.0))
    }

    /// The inner `line` pixels along a rounded rectangle's edge; sides even.
    pub(super) fn border(width: usize, height: usize, radius: f32, line: f32) -> Self {
        let cover = |distance: f32| (0.5 - distance).clamp(0.0, 1.0);
        Self::new(width, height, radius, radius.max(line), move |distance| cover(distance) - cover(distance + line))
    }

    fn new(width: usize, height: usize, radius: f32, depth: f32, cover: impl Fn(f32) -> f32) -> Self {
        let half = width.min(height) / 2;
        let radius = radius.clamp(0.0, half as f32);
        let depth = (depth.ceil() as usize).next_multiple_of(2).min(half);
        let byte = |distance: f32| (cover(distance) * 255.0).round() as u8;
        let corner = (0..depth * depth).map(|i| byte(corner_distance(i % depth, i / depth, radius))).collect();
        let edge = (0..depth).map(|i| byte(-(i as f32 + 0.5))).collect();
        Self { width, height, depth, corner, edge, inside: byte(-(depth as f32 + 0.5)) }
    }

    /// The coverage of rows `y` and `y + 1` (`y` even).
    pub(super) fn rows(&self, y: usize, rows: [&mut [u8]; 2]) -> Rows {
        let between_corners = y.min(self.height - 2 - y) >= self.depth;
        if between_corners && self.inside == 255 {
            return Rows::Solid;
        }
        for (row, out) in (y..).zip(rows) {
            self.row(row, out);
        }
        // A depth below half the width is even, so chroma has whole samples on either side.
        if between_corners && 2 * self.depth < self.width { Rows::Sides(self.depth) } else { Rows::Mixed }
    }

    fn row(&self, y: usize, out: &mut [u8]) {
        let from_edge = y.min(self.height - 1 - y);
        let (side, middle) = match self.corner.chunks_exact(self.depth.max(1)).nth(from_edge) {
            Some(corner) => (corner, self.edge[from_edge]),
            None => (&self.edge[..], self.inside),
        };
        out.fill(middle);
        out[..self.depth].copy_from_slice(side);
        for (out, &side) in out[self.width - self.depth..].iter_mut().rev().zip(side) {
            *out = side;
        }
    }
}

/// The signed distance of a pixel's centre from the edge, counted from the upper left corner.
fn corner_distance(x: usize, y: usize, radius: f32) -> f32 {
    let (qx, qy) = (radius - (x as f32 + 0.5), radius - (y as f32 + 0.5));
    qx.max(0.0).hypot(qy.max(0.0)) + qx.max(qy).min(0.0) - radius
}

#[cfg(test)]
mod tests {
    use super::*;

    fn coverage(outline: &Outline, width: usize, height: usize) -> Vec<Vec<u8>> {
        let row = |y| {
            let mut out = vec![0; width];
            outline.row(y, &mut out);
            out
        };
        (0..height).map(row).collect()
    }

    #[test]
    fn a_square_shape_is_solid() {
        let outline = Outline::filled(8, 4, 0.0);
        assert_eq!(outline.rows(0, [&mut [0; 8], &mut [0; 8]]), Rows::Solid);
    }

    #[test]
    fn a_disc_has_its_area_and_four_like_quarters() {
        let rows = coverage(&Outline::filled(40, 40, 20.0), 40, 40);
        let area = rows.iter().flatten().map(|&c| f64::from(c)).sum::<f64>() / 255.0;
        assert!((area - std::f64::consts::PI * 400.0).abs() < 8.0, "{area}");
        for y in 0..40 {
            assert_eq!(rows[y], rows[39 - y]);
            assert!(rows[y].iter().eq(rows[y].iter().rev()));
        }
    }

    #[test]
    fn a_border_is_a_line_of_its_width_and_nothing_else() {
        let rows = coverage(&Outline::border(20, 12, 0.0, 4.0), 20, 12);
        assert_eq!(rows[6], [vec![255; 4], vec![0; 12], vec![255; 4]].concat());
        assert_eq!(rows[3], vec![255; 20]);
        let round = coverage(&Outline::border(40, 40, 12.0, 2.0), 40, 40);
        assert_eq!((round[0][0], round[0][20], round[20][1], round[20][2]), (0, 255, 255, 0));
    }

    #[test]
    fn a_border_wider_than_the_shape_fills_it() {
        assert!(coverage(&Outline::border(6, 6, 1.0, 50.0), 6, 6)[2..4].iter().flatten().all(|&c| c == 255));
    }
}
