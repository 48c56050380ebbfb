//! Whole calls over loopback: a server and real WebRTC participants on an independent stack, in real time.
//!
//! One call at a time: two cores carry one at its full rate. What is asserted is what must hold at any load; figures of speed
//! are the benches' and the bots' reports.

#![expect(clippy::unwrap_used, reason = "a test says by panicking what is not as it should be")]

mod hostile;
mod people;
mod recorded;
mod room;
mod seats;
