//! How an answer's body travels: as it is, or gzipped to those who take that.
//!
//! What may be compressed with what, lest its length tell a secret (BREACH): a page may hold what an
//! attacker wrote, a post say, beside the tokens of its reader's forms. [`super::csrf`] masks each
//! token with a mask that another text on the page changes, so no two guesses meet the same bytes.
//! One-time keys are worth nothing without a token, and sessions stand in cookies alone. That leaves
//! the texts: who could guess at one by its length would have to write beside it, make its reader
//! open the page each time, and watch the line; the limits on posts leave a few hundred guesses an
//! hour. So every page is compressed.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::limits::{GZIP_BYTES_MIN, GZIP_LEVEL};

/// How a body travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Coding {
    /// As it is.
    Identity,
    /// Gzipped.
    Gzip,
}

impl Coding {
    /// The coding for a body of so many bytes. `accepted` is `Accept-Encoding`, as sent.
    ///
    /// A short body is one packet either way.
    pub(super) fn of(bytes: usize, accepted: Option<&str>) -> Self {
        let takes_gzip = bytes >= GZIP_BYTES_MIN && accepted.is_some_and(prefers_gzip);
        if takes_gzip { Self::Gzip } else { Self::Identity }
    }

    /// What tells this form's `ETag` from that of the others: a strong one names bytes.
    pub(super) const fn etag_suffix(self) -> &'static str {
        match self {
            Self::Identity => "",
            Self::Gzip => "-gz",
        }
    }

    /// The body as it travels.
    pub(super) fn encode(self, body: Vec<u8>) -> Vec<u8> {
        match self {
            Self::Identity => body,
            Self::Gzip => gzip(&body),
        }
    }
}

/// The same bytes for the same body: the head holds no time and no name.
#[expect(clippy::expect_used, reason = "a Vec takes every byte")]
fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder =
        GzEncoder::new(Vec::with_capacity(body.len() / 3), Compression::new(GZIP_LEVEL));
    encoder.write_all(body).and_then(|()| encoder.finish()).expect("write to memory")
}

/// Whether gzip is wanted, and nothing against being as much as no coding at all. Source: RFC 9110,
/// section 12.5.3.
fn prefers_gzip(accepted: &str) -> bool {
    let (mut gzip, mut any, mut identity) = (None, None, None);
    for part in accepted.split(',') {
        let (coding, parameters) = part.split_once(';').unwrap_or((part, ""));
        let weight = weight(parameters);
        match coding.trim() {
            name if name.eq_ignore_ascii_case("gzip") || name.eq_ignore_ascii_case("x-gzip") => {
                gzip = Some(weight);
            }
            name if name.eq_ignore_ascii_case("identity") => identity = Some(weight),
            "*" => any = Some(weight),
            _ => {}
        }
    }
    let gzip = gzip.or(any).unwrap_or(0);
    gzip > 0 && gzip >= identity.unwrap_or(0)
}

/// Thousandths that a coding is wanted; 1,000 if nothing is said, 0 if it makes no sense.
fn weight(parameters: &str) -> u16 {
    let parameters = parameters.trim();
    if parameters.is_empty() {
        return 1_000;
    }
    let value = parameters.strip_prefix("q=").or_else(|| parameters.strip_prefix("Q="));
    let Some((whole, rest)) = value.map(|value| value.split_once('.').unwrap_or((value, "")))
    else {
        return 0;
    };
    let digits = rest.bytes().all(|b| b.is_ascii_digit());
    match (whole, rest.len()) {
        ("0", 0..=3) if digits => format!("{rest:0<3}").parse().unwrap_or(0),
        ("1", 0..=3) if rest.bytes().all(|b| b == b'0') => 1_000,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[track_caller]
    fn check(accepted: &str, expected: Coding) {
        assert_eq!(Coding::of(GZIP_BYTES_MIN, Some(accepted)), expected, "{accepted:?}");
    }

    #[test]
    fn coding_by_what_is_accepted() {
        for gzip in [
            "gzip",
            "gzip, deflate, br, zstd",
            "br;q=1.0, gzip;q=0.8, *;q=0.1",
            "GZIP",
            "x-gzip",
            "*",
            "identity;q=0, *;q=0.001",
            "deflate,gzip;q=1.000",
            "identity;q=0.5, gzip ; q=0.5",
            "gzip;Q=0.1",
        ] {
            check(gzip, Coding::Gzip);
        }
        for identity in [
            "",
            "identity",
            "br, zstd",
            "gzip;q=0",
            "gzip;q=0.000, *",
            "*;q=0",
            "gzip;q=0.4, identity;q=0.5",
            "identity, gzip;q=0.999",
            "gzipped",
            "gzip;q=2",
            "gzip;q=1.001",
            "gzip;q=0.1234",
            "gzip;q=0.x",
            "gzip;q=",
            "gzip;level=9",
        ] {
            check(identity, Coding::Identity);
        }
        assert_eq!(Coding::of(GZIP_BYTES_MIN, None), Coding::Identity);
    }

    #[test]
    fn coding_short_body_stays() {
        assert_eq!(Coding::of(GZIP_BYTES_MIN - 1, Some("gzip")), Coding::Identity);
    }

    #[test]
    fn gzip_read_again_and_always_the_same() {
        let body = "Tea at four. ".repeat(1_000).into_bytes();
        let packed = Coding::Gzip.encode(body.clone());
        assert!(packed.len() < body.len() / 10);
        assert_eq!(packed, Coding::Gzip.encode(body.clone()));
        let mut read = Vec::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut read).unwrap();
        assert_eq!(read, body);
    }
}
