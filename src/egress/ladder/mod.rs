//! Which rendition each receiver of a scene gets, and what each rendition's encoder may give: pure.

use serde::Serialize;
use utoipa::ToSchema;

/// Why a receiver gets the rendition that it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It is the best there is.
    Full,
    /// It is the best within what the receiver says it can take.
    Bounds,
    /// Its line takes no more.
    Line,
    /// Its line loses too much for more.
    Loss,
    /// Its line takes sound and no pictures.
    SoundOnly,
}
