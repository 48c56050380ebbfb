//! The machine's own addresses, for a port that is bound to all of them.

use std::net::IpAddr;

use rtc::shared::ifaces::ifaces;

/// The addresses of the bound family (a port bound to `::` takes IPv4 too), best first: those that others can reach, IPv4
/// before IPv6, then loopback for browsers on this machine.
pub(super) fn reachable(bound: IpAddr) -> Vec<IpAddr> {
    let found = ifaces().unwrap_or_else(|error| {
        tracing::warn!(%error, "the machine's addresses cannot be listed; set the advertised address");
        Vec::new()
    });
    let ips = found.iter().filter_map(|interface| interface.addr).map(|address| address.ip());
    ordered(bound, ips.chain([IpAddr::from([127, 0, 0, 1])]))
}

fn ordered(bound: IpAddr, ips: impl Iterator<Item = IpAddr>) -> Vec<IpAddr> {
    let mut ips: Vec<IpAddr> = ips.filter(|ip| (bound.is_ipv6() || ip.is_ipv4()) && !ip.is_unspecified() && !is_link_local(ip)).collect();
    ips.sort_by_key(|ip| (ip.is_loopback(), ip.is_ipv6(), *ip));
    ips.dedup();
    ips
}

/// Link-local addresses mean nothing without the name of an interface (RFC 4007 §6), which candidates cannot carry.
fn is_link_local(ip: &IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(bound: &str, ips: &[&str]) -> Vec<String> {
        ordered(bound.parse().unwrap(), ips.iter().map(|ip| ip.parse().unwrap())).iter().map(IpAddr::to_string).collect()
    }

    #[test]
    fn addresses_that_others_reach_come_before_loopback() {
        let all = ["::1", "127.0.0.1", "fe80::1", "2001:db8::1", "169.254.1.1", "10.0.0.7", "10.0.0.7", "0.0.0.0"];
        assert_eq!(order("0.0.0.0", &all), ["10.0.0.7", "127.0.0.1"]);
        assert_eq!(order("::", &all), ["10.0.0.7", "2001:db8::1", "127.0.0.1", "::1"]);
    }
}
