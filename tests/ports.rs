//! Ports for what is started, stopped and started again.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU16, Ordering};

/// Where they begin: above those that `tern run-cluster` tries by itself.
const FIRST: u16 = 9_000;
/// How many there are, below those that Linux gives to whoever connects or asks for any port: one of those may
/// be another's by the time that its machine is started again.
const SPAN: u16 = 23_000;

static NEXT: AtomicU16 = AtomicU16::new(0);

/// A row of `count` ports that nobody uses and that were not given out before: gives the first.
pub(crate) fn free_ports(count: u16) -> u16 {
    // Two runs of the tests at once, whose processes have numbers close to each other, begin far apart.
    let own = std::process::id().wrapping_mul(7_919) % u32::from(SPAN);
    let own = u16::try_from(own).unwrap_or_default();
    let is_free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
    loop {
        let given = NEXT.fetch_add(count, Ordering::Relaxed);
        assert!(given <= SPAN - count, "no port is left");
        let first = FIRST + (own + given) % SPAN;
        if (first..first + count).all(is_free) {
            return first;
        }
    }
}

#[test]
fn ports_are_given_out_once_and_in_rows() {
    let (one, other) = (free_ports(3), free_ports(3));
    assert!(one.abs_diff(other) >= 3, "{one} {other}");
    assert!([one, other].iter().all(|first| (FIRST..FIRST + SPAN).contains(first)));
}
