//! Layouts: templates as data, and where that puts how many people.
//!
//! In: templates and settings as JSON, a canvas's size, a number of people. Out: places on even pixels; cells that glide
//! from where they were to where they shall be. Never: who stands where (that is `room`), pixels, or a clock.
//!
//! | File | What it does |
//! | --- | --- |
//! | `fraction`, `color`, `people` | exact lengths: "1/3", 0.25; `#14171c`; "2-6" people |
//! | `shows` | who may fill a region |
//! | `region`, `template` | the parts of a template, checked |
//! | `stock` | the templates that come with the server |
//! | `spec` | a layout as an admin asks for it; resolving it against the templates |
//! | `grid` | alike tiles in a rectangle, as large as they can be |
//! | `places` | a resolved layout, and its places for so many people |
//! | `transition` | cells on their way |

mod color;
mod fraction;
pub mod grid;
mod people;
mod places;
mod region;
mod shows;
mod spec;
mod stock;
mod template;
#[cfg(test)]
mod tests;
mod transition;

pub use color::{HexColor, HexColorError};
pub(crate) use fraction::above_zero;
pub use fraction::{Fraction, FractionError};
pub use people::{People, PeopleError};
pub use places::{Layout, Place, usage};
pub use region::{Edge, Region, RegionFit};
pub use shows::{Shows, ShowsError, ShowsList};
pub use spec::{Absent, Aspect, LayoutError, LayoutSpec, SelfView};
pub use stock::stock;
pub use template::{Arrangement, Orientation, Template};
pub use transition::Transition;
