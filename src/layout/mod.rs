//! Layouts: templates as data, and where that puts how many people.
//!
//! In: templates and settings as JSON, a canvas's size, a number of people. Out: places on even pixels; cells that glide
//! from where they were to where they shall be. Never: who stands where (that is `room`), pixels, or a clock.
//!
//! | File | What it does |
//! | --- | --- |
//! | `fraction` | exact lengths: "1/3", 0.25 |
//! | `shows` | who may fill a region |
//! | `region`, `template` | the parts of a template, checked |
//! | `stock` | the templates that come with the server |
//! | `spec` | a layout as an admin asks for it, and as resolved against the templates |
//! | `grid` | alike tiles in a rectangle, as large as they can be |
//! | `places` | a resolved layout's places for so many people |
//! | `transition` | cells on their way |

mod fraction;
pub mod grid;
mod places;
mod region;
mod shows;
mod spec;
mod stock;
mod template;
mod transition;

pub use fraction::{Fraction, FractionError};
pub use places::Place;
pub use region::{Edge, HexColor, Region, RegionFit};
pub use shows::{Shows, ShowsError, ShowsList};
pub use spec::{Absent, Aspect, Layout, LayoutError, LayoutSpec, SelfView};
pub use stock::stock;
pub use template::{Arrangement, Orientation, People, Template};
pub use transition::Transition;
