//! Where a resolved layout puts how many people.

use std::sync::Arc;

use super::Shows;
use crate::media::{Border, Fit, Rect, ShortName};

/// One place for one person.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// The region it is in.
    pub region: ShortName,
    /// Where, on even pixels.
    pub rect: Rect,
    /// Paint order.
    pub z: i32,
    /// How pictures fill it.
    pub fit: Fit,
    /// 0 to 1.
    pub opacity: f32,
    /// The region's own edge line.
    pub border: Option<Border>,
    /// In pixels.
    pub corner_radius: u32,
    /// Who may fill it, best first.
    pub shows: Arc<[Shows]>,
}
