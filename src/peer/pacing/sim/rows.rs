//! The rows of the table of "Good calls on bad lines" that are decided here, and what must hold on any line.

use super::*;

impl Played {
    /// The rendition and the estimate at a time.
    fn at(&self, ms: u64) -> (usize, f64) {
        let (_, estimate, rendition) = self.estimates.iter().rfind(|(at, ..)| *at <= ms).unwrap();
        (*rendition, *estimate)
    }

    fn fps(&self, from_ms: u64, to_ms: u64) -> f64 {
        self.shown.iter().filter(|at| (from_ms..to_ms).contains(*at)).count() as f64 * 1000.0 / (to_ms - from_ms) as f64
    }

    fn longest_gap(&self, from_ms: u64, to_ms: u64) -> u64 {
        let shown: Vec<u64> = self.shown.iter().copied().filter(|at| (from_ms..to_ms).contains(at)).chain([to_ms]).collect();
        shown.iter().zip(std::iter::once(&from_ms).chain(&shown)).map(|(b, a)| b - a).max().unwrap()
    }

    fn print(&self, name: &str) {
        let line: Vec<String> =
            self.estimates.iter().step_by(16).map(|(ms, bps, r)| format!("{}:{:.2}/{r}", ms / 1000, bps / 1e6)).collect();
        eprintln!(
            "{name}: deaf {:?} shown {} given up {} keyframes {} lost {} asked {} sounds {}/{}\n{}",
            (0..self.sounds_sent as u64 / 100)
                .map(|n| 100 - self.sounds.iter().filter(|(at, _)| at / 2000 == n).count())
                .collect::<Vec<_>>(),
            self.shown.len(),
            self.given_up,
            self.keyframes,
            self.lost,
            self.asked,
            self.sounds.len(),
            self.sounds_sent,
            line.join(" ")
        );
    }
}

fn losing(loss: f64) -> Way {
    Way { loss, ..GOOD }
}

fn of_rate(bits_per_second: f64) -> Way {
    Way { bits_per_second, ..GOOD }
}

#[test]
fn trace() {
    for loss in [0.0, 0.05, 0.1, 0.2] {
        let p = Play::of(60, move |_| losing(loss)).run();
        p.print(&format!("loss {loss} fps {} gap {}", p.fps(5000, 60000), p.longest_gap(5000, 60000)));
    }
    for queue_ms in [100, 300] {
        let mut play = Play::of(90, |ms| of_rate(if (20_000..40_000).contains(&ms) { 5e5 } else { 3e6 }));
        play.queue_ms = queue_ms;
        let p = play.run();
        p.print(&format!(
            "3-0.5-3 queue {queue_ms} fps {} {} {} gap {}",
            p.fps(5000, 20000),
            p.fps(22000, 40000),
            p.fps(45000, 90000),
            [p.longest_gap(5000, 20000), p.longest_gap(19000, 25000), p.longest_gap(25000, 40000), p.longest_gap(40000, 90000)]
                .map(|g| g.to_string())
                .join("/")
        ));
        let mut play = Play::of(60, |_| of_rate(3e5));
        play.queue_ms = queue_ms;
        let p = play.run();
        p.print(&format!("300k queue {queue_ms} fps {} gap {}", p.fps(5000, 60000), p.longest_gap(5000, 60000)));
        let mut play = Play::of(60, |_| of_rate(1e5));
        play.queue_ms = queue_ms;
        let p = play.run();
        p.print(&format!("100k queue {queue_ms} fps {} gap {}", p.fps(5000, 60000), p.longest_gap(5000, 60000)));
    }
    for (rate, loss, queue_ms, delay_ms) in
        [(1e6, 0.1, 150, 25), (1e6, 0.0, 5, 25), (1e6, 0.0, 150, 150), (1e6, 0.2, 150, 25), (20e6, 0.0, 150, 150)]
    {
        let mut play = Play::of(60, move |_| Way { loss, ..of_rate(rate) });
        (play.queue_ms, play.delay_ms) = (queue_ms, delay_ms);
        let p = play.run();
        p.print(&format!(
            "rate {rate} loss {loss} queue {queue_ms} delay {delay_ms} fps {} gap {}",
            p.fps(5000, 60000),
            p.longest_gap(5000, 60000)
        ));
    }
    let mut play = Play::of(60, |ms| of_rate(if (20_000..40_000).contains(&ms) { 5e5 } else { 3e6 }));
    play.rtx = false;
    play.run().print("no rtx");
    let p = Play::of(40, |ms| Way { alive: !(20_000..22_000).contains(&ms), ..GOOD }).run();
    p.print(&format!("blackout gap {}", p.longest_gap(5000, 40000)));
    let mut play = Play::of(60, |_| GOOD);
    play.jitter_ms = 200;
    play.run().print("jitter");
}
