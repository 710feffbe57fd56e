//! Which addresses a request may go to: those of the public internet, and what the server's operator named.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::str::FromStr;

/// Addresses that are reachable although they are no public ones, at one port: `10.1.2.0/24:8443` or `[::1]/128:8080`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrivateTarget {
    network: IpAddr,
    prefix: u8,
    port: u16,
}

impl PrivateTarget {
    fn covers(&self, address: SocketAddr) -> bool {
        let bits = |ip: IpAddr| match ip {
            IpAddr::V4(ip) => (u128::from(u32::from(ip)) << 96, true),
            IpAddr::V6(ip) => (u128::from(ip), false),
        };
        let ((own, own_v4), (other, other_v4)) = (bits(self.network), bits(address.ip()));
        let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix)).unwrap_or(0);
        self.port == address.port() && own_v4 == other_v4 && own & mask == other & mask
    }
}

impl FromStr for PrivateTarget {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no target such as 10.1.2.0/24:8443 or [::1]/128:8080");
        let (network, rest) = text.split_once('/').ok_or_else(wrong)?;
        let (prefix, port) = rest.split_once(':').ok_or_else(wrong)?;
        let bare = network.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let network: IpAddr = bare.unwrap_or(network).parse().map_err(|_| wrong())?;
        if bare.is_some() != network.is_ipv6() {
            return Err(wrong());
        }
        let prefix: u8 = prefix.parse().map_err(|_| wrong())?;
        let port: u16 = port.parse().map_err(|_| wrong())?;
        let longest = if network.is_ipv4() { 32 } else { 128 };
        if prefix > longest || port == 0 {
            return Err(wrong());
        }
        Ok(Self { network, prefix, port })
    }
}

impl fmt::Display for PrivateTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { network, prefix, port } = self;
        match network {
            IpAddr::V4(ip) => write!(f, "{ip}/{prefix}:{port}"),
            IpAddr::V6(ip) => write!(f, "[{ip}]/{prefix}:{port}"),
        }
    }
}

/// Whether a connection may be made: a public address, or one that was named.
pub(super) fn may_connect(address: SocketAddr, named: &[PrivateTarget]) -> bool {
    is_public(address.ip()) || named.iter().any(|target| target.covers(address))
}

/// Whether an address is one of the public internet. Whatever is not known to be is not.
pub(super) fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => v4_is_public(ip),
        IpAddr::V6(ip) => v6_is_public(ip),
    }
}

/// Special-purpose ranges of IPv4 (the registry of RFC 6890), network and length of its prefix.
const SPECIAL: [([u8; 4], u32); 15] = [
    // This host, private, shared by carriers (with cloud metadata at 100.100.100.200), loopback.
    ([0, 0, 0, 0], 8),
    ([10, 0, 0, 0], 8),
    ([100, 64, 0, 0], 10),
    ([127, 0, 0, 0], 8),
    // Link-local, with cloud metadata at 169.254.169.254.
    ([169, 254, 0, 0], 16),
    ([172, 16, 0, 0], 12),
    // Protocols, documentation, relays of 6to4.
    ([192, 0, 0, 0], 24),
    ([192, 0, 2, 0], 24),
    ([192, 88, 99, 0], 24),
    ([192, 168, 0, 0], 16),
    // Benchmarks, documentation.
    ([198, 18, 0, 0], 15),
    ([198, 51, 100, 0], 24),
    ([203, 0, 113, 0], 24),
    // Multicast, reserved and broadcast.
    ([224, 0, 0, 0], 4),
    ([240, 0, 0, 0], 4),
];

fn v4_is_public(ip: Ipv4Addr) -> bool {
    let bits = u32::from(ip);
    !SPECIAL.iter().any(|(network, prefix)| {
        let mask = u32::MAX.checked_shl(32 - prefix).unwrap_or(0);
        bits & mask == u32::from(Ipv4Addr::from(*network)) & mask
    })
}

fn v6_is_public(ip: Ipv6Addr) -> bool {
    let embedded = |high: u16, low: u16| v4_is_public(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low)));
    match ip.segments() {
        // An IPv4 address in other clothes: mapped, translated (NAT64), 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0x2002, high, low, ..] => {
            embedded(high, low)
        }
        // Protocols (Teredo and ORCHID among them), documentation.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        // Global unicast is all that is left: no loopback, no local addresses of any kind, no multicast.
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[expect(clippy::too_many_lines, reason = "a table")]
    fn only_public_addresses_are_public() {
        let private = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            // Nothing, loopback, IPv4 in every form that there is.
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "::8.8.8.8",
            "64:ff9b::127.0.0.1",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::8.8.8.8",
            "2002:7f00:1::",
            "2002:a9fe:a9fe::1",
            "2002:c0a8:1::1",
            "2001::1",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "3fff::1",
            "3fff:fff::1",
            "100::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "febf::1",
            "fec0::1",
            "ff02::1",
            "ff0e::1",
            "4000::1",
        ];
        for text in private {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.1",
            "169.253.255.255",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "192.167.255.255",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2606:4700::1111",
            "2a00:1450::1",
            "2001:200::1",
            "2001:4860:4860::8888",
            "::ffff:8.8.8.8",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "3ffe::1",
        ];
        for text in public {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[test]
    fn a_named_target_is_reached_at_its_port_alone() {
        let rows = [
            ("127.0.0.1/32:80", "127.0.0.1:80", true),
            ("127.0.0.1/32:80", "127.0.0.1:81", false),
            ("127.0.0.1/32:80", "127.0.0.2:80", false),
            ("10.1.2.0/24:8443", "10.1.2.255:8443", true),
            ("10.1.2.0/24:8443", "10.1.3.0:8443", false),
            ("0.0.0.0/0:8443", "10.1.3.0:8443", true),
            ("0.0.0.0/0:8443", "[::1]:8443", false),
            ("[::1]/128:80", "[::1]:80", true),
            ("[::1]/128:80", "[::2]:80", false),
            ("[fd00::]/8:80", "[fdff::2]:80", true),
            // What is mapped is not the same.
            ("127.0.0.1/32:80", "[::ffff:127.0.0.1]:80", false),
        ];
        for (target, address, reached) in rows {
            let parsed: PrivateTarget = target.parse().unwrap();
            assert_eq!(may_connect(address.parse().unwrap(), &[parsed]), reached, "{target} {address}");
            assert_eq!(parsed.to_string(), target);
        }
        for bad in [
            "",
            "127.0.0.1",
            "127.0.0.1:80",
            "127.0.0.1/33:80",
            "127.0.0.1/32",
            "127.0.0.1/32:0",
            "::1/128:80",
            "[127.0.0.1]/32:80",
            "localhost/32:80",
        ] {
            assert!(bad.parse::<PrivateTarget>().is_err(), "{bad}");
        }
    }
}
