//! A sender's clocks against ours. Pure.
//!
//! In: when something was captured, by its RTP time and, where reports tell it, by the sender's wall clock; when it arrived. Out: when that
//! was on our line, as if everything came as quickly as the quickest. Both media of one person go by the same wall clock, so that they
//! are in step whatever their ways take. Never: a time far from the arrival, whatever a sender says.

/// Nanoseconds: on our line, since the server's origin.
pub(super) type Nanos = i64;

const SECOND: Nanos = 1_000_000_000;
const MILLISECOND: Nanos = 1_000_000;
/// Over how long the quickest is looked for, and at least as long again.
const WINDOW: Nanos = 5 * SECOND;
/// Until then the quickest is only being found.
const SETTLING: Nanos = SECOND / 2;
/// How fast the line follows: clocks drift apart by far less, and nobody sees or hears a five-hundredth.
const FOLLOWS: Nanos = 500;
/// What is farther off is gone to at once.
const FAR: Nanos = 250 * MILLISECOND;
/// A report tells the times of what came so long before it, too, where none came before.
const TELLS_BACK: Nanos = 10 * SECOND;
/// Nothing takes so long to come: a clock was set anew.
const SET_ANEW: Nanos = 4 * SECOND;

/// A time in ticks of a clock of `rate` hertz; of days, too.
pub(super) fn ticks(time: Nanos, rate: i64) -> i64 {
    (i128::from(time) * i128::from(rate) / i128::from(SECOND)) as i64
}

/// How much our line is ahead of another clock.
#[derive(Debug, Default)]
pub(super) struct Offset(Option<Known>);

#[derive(Debug)]
struct Known {
    value: Nanos,
    /// The least in the window before, and in this one.
    least: (Nanos, Nanos),
    began: Nanos,
    window: Nanos,
    last: Nanos,
}

impl Offset {
    /// Something of the other clock's time `clock` arrived.
    pub(super) fn note(&mut self, clock: Nanos, arrival: Nanos) {
        let sample = arrival.saturating_sub(clock);
        match &mut self.0 {
            Some(known) if sample.saturating_sub(known.value).saturating_abs() < SET_ANEW => known.note(sample, arrival),
            _ => self.0 = Some(Known { value: sample, least: (sample, sample), began: arrival, window: arrival, last: arrival }),
        }
    }

    /// When that is on our line; `None` before anything came.
    fn map(&self, clock: Nanos) -> Option<Nanos> {
        self.0.as_ref().map(|known| clock.saturating_add(known.value))
    }
}

impl Known {
    fn note(&mut self, sample: Nanos, arrival: Nanos) {
        self.least.1 = self.least.1.min(sample);
        let goal = self.least.0.min(self.least.1);
        let off = goal - self.value;
        let passed = (arrival - self.last).max(0);
        let settles = arrival - self.began < SETTLING;
        self.value += if settles || off.abs() > FAR { off } else { off.clamp(-passed / FOLLOWS, passed / FOLLOWS) };
        self.last = self.last.max(arrival);
        if arrival - self.window >= WINDOW {
            (self.least, self.window) = ((self.least.1, sample), arrival);
        }
    }
}

/// One stream's RTP time, without wrapping, and without a break where another stream takes its place.
#[derive(Debug)]
pub(super) struct RtpClock {
    rate: i64,
    newest: Option<Newest>,
}

#[derive(Clone, Copy, Debug)]
struct Newest {
    timestamp: u32,
    ticks: i64,
    arrival: Nanos,
}

impl RtpClock {
    pub(super) fn new(rate: u32) -> Self {
        Self { rate: rate.into(), newest: None }
    }

    /// The time of something that arrived, in ticks.
    pub(super) fn read(&mut self, timestamp: u32, arrival: Nanos) -> i64 {
        let Some(newest) = self.newest else {
            self.newest = Some(Newest { timestamp, ticks: 0, arrival });
            return 0;
        };
        let by_stream = i64::from(timestamp.wrapping_sub(newest.timestamp) as i32);
        let by_arrival = ticks(arrival - newest.arrival, self.rate);
        let broken = (by_stream - by_arrival).abs() > ticks(SET_ANEW, self.rate);
        let ticks = newest.ticks + if broken { by_arrival.max(0) } else { by_stream };
        if broken || ticks > newest.ticks {
            self.newest = Some(Newest { timestamp, ticks, arrival });
        }
        ticks
    }

    fn nanos(&self, ticks: i64) -> Nanos {
        (i128::from(ticks) * i128::from(SECOND) / i128::from(self.rate)) as Nanos
    }
}

/// When something was captured, as far as that is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Captured {
    /// RTP time, in ticks.
    pub(super) ticks: i64,
    wall: Option<Nanos>,
    /// When it arrived.
    pub(super) arrival: Nanos,
}

/// One stream on our line.
#[derive(Debug)]
pub(super) struct StreamClock {
    rtp: RtpClock,
    own: Offset,
    /// RTP time in ticks and what the sender's wall clock was then, where that was told first.
    told: Option<(i64, Nanos)>,
}

impl StreamClock {
    /// Of a stream whose clock has `rate` hertz.
    pub(super) fn new(rate: u32) -> Self {
        Self { rtp: RtpClock::new(rate), own: Offset::default(), told: None }
    }

    /// Takes note of something that arrived. `walls` is its sender's wall clock, `wall` what that said.
    pub(super) fn note(&mut self, walls: &mut Offset, timestamp: u32, wall: Option<Nanos>, arrival: Nanos) -> Captured {
        let ticks = self.rtp.read(timestamp, arrival);
        self.own.note(self.rtp.nanos(ticks), arrival);
        if let Some(wall) = wall {
            walls.note(wall, arrival);
            self.told.get_or_insert((ticks, wall));
        }
        Captured { ticks, wall, arrival }
    }

    /// When it was on our line.
    pub(super) fn time(&self, walls: &Offset, captured: Captured) -> Nanos {
        let by_wall = captured.wall.or_else(|| self.told_back(captured.ticks)).and_then(|wall| walls.map(wall));
        let time = by_wall.or_else(|| self.own.map(self.rtp.nanos(captured.ticks)));
        time.map_or(captured.arrival, |time| time.clamp(captured.arrival.saturating_sub(SET_ANEW), captured.arrival.saturating_add(FAR)))
    }

    fn told_back(&self, ticks: i64) -> Option<Nanos> {
        let (told, wall) = self.told?;
        let before = self.rtp.nanos(told - ticks);
        (0..TELLS_BACK).contains(&before).then(|| wall.saturating_sub(before))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RATE: u32 = 48_000;

    /// A stream of 20 ms packets from a clock that is `ppm` fast, with a wall clock that is years off; each packet takes `way` ms.
    /// Gives how far each is from 0.05 ms after it was made, in milliseconds.
    fn errors(seconds: i64, ppm: i64, reported: bool, way: impl Fn(i64) -> i64) -> Vec<i64> {
        let (mut walls, mut clock) = (Offset::default(), StreamClock::new(RATE));
        let of = |n: i64| {
            let made = 100 * SECOND + n * 20 * MILLISECOND;
            // By the stream's own clock, the packet is made when 960 samples of its are full
            let timestamp = (u32::MAX - 5000).wrapping_add((n * 960 + n * 960 * ppm / 1_000_000) as u32);
            let wall = reported.then_some(made - 77_777 * SECOND);
            let captured = clock.note(&mut walls, timestamp, wall, made + way(n) * MILLISECOND);
            (clock.time(&walls, captured) - made) / MILLISECOND
        };
        (0..seconds * 50).map(of).collect()
    }

    #[test]
    fn times_are_those_of_the_quickest_whatever_the_line_does() {
        let jitters = |n: i64| 30 + [0, 40, 7, 120, 3, 0, 60][n as usize % 7];
        for reported in [false, true] {
            let errors = errors(60, 0, reported, jitters);
            assert!(errors.iter().all(|error| (30..=33).contains(error)), "{reported}: {:?}", &errors[..20]);
        }
    }

    #[test]
    fn a_clock_that_drifts_is_followed_by_reports_and_without() {
        for ppm in [-300, 300] {
            let reported = errors(600, ppm, true, |_| 20);
            assert!(reported.iter().all(|error| (19..=21).contains(error)), "{ppm}");
            let alone = errors(600, ppm, false, |_| 20);
            assert!(alone.iter().all(|error| (14..=26).contains(error)), "{ppm}: {:?}", alone.iter().max());
        }
    }

    #[test]
    fn a_way_that_becomes_longer_is_followed_slowly() {
        let errors = errors(120, 0, true, |n| if n < 500 { 20 } else { 80 });
        assert!(errors[..1000].iter().all(|error| (20..45).contains(error)));
        assert!(errors.windows(2).all(|pair| (pair[1] - pair[0]).abs() <= 1));
        assert_eq!(errors.last(), Some(&80));
    }

    #[test]
    fn another_stream_goes_on_where_it_arrives() {
        let (mut walls, mut clock) = (Offset::default(), StreamClock::new(90_000));
        for (n, timestamp) in [(0, 1000u32), (1, 10_000), (2, 4_000_000_000), (3, 4_000_009_000)] {
            let arrival = (n + 1) * 100 * MILLISECOND;
            let captured = clock.note(&mut walls, timestamp, None, arrival);
            assert_eq!(clock.time(&walls, captured), arrival);
        }
    }

    #[test]
    fn a_wall_clock_that_is_set_leads_nobody_away() {
        let (mut walls, mut clock) = (Offset::default(), StreamClock::new(RATE));
        for n in 0..100 {
            let (arrival, set) = (n * 20 * MILLISECOND, if n < 50 { 0 } else { 3600 * SECOND });
            let captured = clock.note(&mut walls, n as u32 * 960, Some(arrival + set), arrival);
            assert_eq!(clock.time(&walls, captured), arrival);
        }
    }

    proptest! {
        #[test]
        fn whatever_is_said_times_stay_near_the_arrival(said in prop::collection::vec((any::<u32>(), any::<Option<i64>>(), 0..100_000i64), 1..200)) {
            let (mut walls, mut clock) = (Offset::default(), StreamClock::new(RATE));
            let taken: Vec<_> = said.iter().map(|(timestamp, wall, ms)| clock.note(&mut walls, *timestamp, *wall, ms * MILLISECOND)).collect();
            for captured in taken {
                let time = clock.time(&walls, captured);
                prop_assert!((captured.arrival - SET_ANEW..=captured.arrival + FAR).contains(&time));
            }
        }
    }
}
