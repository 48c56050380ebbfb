//! What the process itself uses, under the names that Prometheus client libraries agree on. Linux only; elsewhere nothing.

use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// Clock ticks a second in `/proc`: 100 on every Linux (`USER_HZ`, proc(5)).
const TICKS: f64 = 100.0;
/// Bytes in a page that `/proc/self/statm` counts by on x86-64 and on most 64-bit Arm.
const PAGE: i64 = 4096;

/// Reads `/proc/self` whenever metrics are asked for.
#[derive(Debug)]
pub(super) struct Process;

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let Some(usage) = Usage::read() else { return Ok(()) };
        let cpu = ConstCounter::new(usage.cpu_seconds);
        cpu.encode(encoder.encode_descriptor("process_cpu_seconds", "CPU time of all threads", None, cpu.metric_type())?)?;
        for (name, help, value) in [
            ("process_resident_memory_bytes", "Resident memory", usage.resident_bytes),
            ("process_open_fds", "Open file descriptors", usage.open_fds),
            ("process_threads", "Threads", usage.threads),
        ] {
            let gauge = ConstGauge::new(value);
            gauge.encode(encoder.encode_descriptor(name, help, None, gauge.metric_type())?)?;
        }
        Ok(())
    }
}

/// What the process uses at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Usage {
    cpu_seconds: f64,
    resident_bytes: i64,
    open_fds: i64,
    threads: i64,
}

impl Usage {
    fn read() -> Option<Self> {
        let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
        let (ticks, threads) = parse_stat(&stat)?;
        let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
        let resident_pages: i64 = statm.split_whitespace().nth(1)?.parse().ok()?;
        let open_fds = std::fs::read_dir("/proc/self/fd").ok()?.count() as i64 - 1;
        Some(Self { cpu_seconds: ticks / TICKS, resident_bytes: resident_pages * PAGE, open_fds, threads })
    }
}

/// User and system time in ticks, and threads: fields 14, 15 and 20 of proc(5)'s `stat`, counted behind the name in brackets.
fn parse_stat(stat: &str) -> Option<(f64, i64)> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<i64>().ok();
    Some(((number(14)? + number(15)?) as f64, number(20)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_name_with_brackets_and_blanks_shifts_no_field() {
        let stat = "7 (a) b) c) S 1 7 7 0 -1 4194304 100 0 0 0 31 11 0 0 20 0 9 0 100 1000 200";
        assert_eq!(parse_stat(stat), Some((42.0, 9)));
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_memory_threads_and_files() {
        let usage = Usage::read().unwrap();
        assert!(usage.resident_bytes > 1 << 20 && usage.threads >= 1 && usage.open_fds >= 3, "{usage:?}");
    }
}
