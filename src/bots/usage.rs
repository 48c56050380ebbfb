//! How much CPU time this process has taken, so that a report can tell the bots' cost from the server's.

/// User and system time of all threads, in seconds; `None` where the system does not tell through `/proc`.
pub(super) fn cpu_seconds() -> Option<f64> {
    parse(&std::fs::read_to_string("/proc/self/stat").ok()?)
}

/// Linux counts in hundredths of a second on every architecture (`USER_HZ`), see proc(5).
fn parse(stat: &str) -> Option<f64> {
    // The second field is the program's name in parentheses and may hold anything; utime and stime are the 14th and 15th.
    let mut fields = stat.rsplit_once(')')?.1.split_ascii_whitespace().skip(11);
    let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(ticks as f64 / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_and_system_time_are_found_whatever_the_program_is_called() {
        let stat = "42 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 250 50 0 0 20 0 1 0 100";
        assert_eq!(parse(stat), Some(3.0));
        assert_eq!(parse("42"), None);
    }
}
