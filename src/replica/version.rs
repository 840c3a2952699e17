//! Terms and versions: the total order that fences off late writers, and the chain hash that says
//! that two machines hold the same bytes.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::id::{Hash128, NodeId, serde_as_text};

/// One coordinator's hold on a user. Compared field by field, in this order; the zero term is older
/// than any real one. As text `EPOCH.ROUND.NODE.BOOT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Term {
    /// The configuration of members it was made under.
    pub epoch: u32,
    /// Grows with every attempt to lock this user.
    pub round: u64,
    /// The coordinating machine; 0 in the zero term, `u16::MAX` in a floor.
    pub node: u16,
    /// How often that machine had started; `u32::MAX` in a floor.
    pub boot: u32,
}

/// Names exactly one state of one user's file: the `seq`-th write of a term, counted from 1. The
/// zero version means "no file". As text `EPOCH.ROUND.NODE.BOOT.SEQ`, or `0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Version {
    /// Whose write.
    pub term: Term,
    /// Which of that term.
    pub seq: u32,
}

impl Term {
    /// The lowest term that a machine which refuses everything up to `round` accepts is above this.
    pub const fn floor(epoch: u32, round: u64) -> Self {
        Self { epoch, round, node: u16::MAX, boot: u32::MAX }
    }

    /// The machine that coordinates under this term, unless it is the zero term or a floor.
    pub fn coordinator(self) -> Option<NodeId> {
        NodeId::new(self.node).ok()
    }
}

impl Version {
    /// No file.
    pub const ZERO: Self = Self { term: Term { epoch: 0, round: 0, node: 0, boot: 0 }, seq: 0 };

    /// Whether this is "no file".
    pub fn is_zero(self) -> bool {
        self == Self::ZERO
    }
}

/// The hash of a file's state: that of the state before and the bytes that came on top of it.
/// The zero hash belongs to the zero version. SHA-256 cut to 128 bits: it finds corruption and
/// mistakes; authenticity is the connection's work.
pub fn chain_hash(base: Hash128, parts: &[&[u8]]) -> Hash128 {
    let mut hasher = Sha256::new();
    hasher.update(base.0);
    for part in parts {
        hasher.update(part);
    }
    let mut out = [0; 16];
    for (to, from) in out.iter_mut().zip(hasher.finalize()) {
        *to = from;
    }
    Hash128(out)
}

/// A string that is no term or version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected numbers with dots between them: EPOCH.ROUND.NODE.BOOT, and .SEQ for a version")]
pub struct VersionError;

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}.{}", self.epoch, self.round, self.node, self.boot)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() { f.write_str("0") } else { write!(f, "{}.{}", self.term, self.seq) }
    }
}

/// A number as it is written, no sign, no leading zero, so that every version has one spelling; up to the
/// next dot, behind which the text goes on.
fn number<T: TryFrom<u64>>(text: &mut Option<&[u8]>) -> Result<T, VersionError> {
    let mut rest = text.take().ok_or(VersionError)?;
    let (first, mut value, mut digits) = (rest.first().copied(), 0u64, 0);
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte == b'.' {
            *text = Some(rest);
            break;
        }
        let digit = byte.wrapping_sub(b'0');
        let next = value.checked_mul(10).and_then(|value| value.checked_add(digit.into()));
        value = next.filter(|_| digit < 10).ok_or(VersionError)?;
        digits += 1;
    }
    if digits == 0 || (first == Some(b'0') && digits > 1) {
        return Err(VersionError);
    }
    value.try_into().map_err(|_| VersionError)
}

fn take_term(text: &mut Option<&[u8]>) -> Result<Term, VersionError> {
    Ok(Term {
        epoch: number(text)?,
        round: number(text)?,
        node: number(text)?,
        boot: number(text)?,
    })
}

impl FromStr for Term {
    type Err = VersionError;
    fn from_str(text: &str) -> Result<Self, VersionError> {
        let mut rest = Some(text.as_bytes());
        let term = take_term(&mut rest)?;
        if rest.is_some() { Err(VersionError) } else { Ok(term) }
    }
}

impl FromStr for Version {
    type Err = VersionError;
    fn from_str(text: &str) -> Result<Self, VersionError> {
        if text == "0" {
            return Ok(Self::ZERO);
        }
        let mut rest = Some(text.as_bytes());
        let version = Self { term: take_term(&mut rest)?, seq: number(&mut rest)? };
        if rest.is_some() || version.seq == 0 { Err(VersionError) } else { Ok(version) }
    }
}
serde_as_text!(Term, Version);

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<Version, VersionError>) {
        assert_eq!(text.parse(), expected, "{text:?}");
        if let Ok(version) = expected {
            assert_eq!(version.to_string(), text);
        }
    }

    #[test]
    fn version_text_has_one_spelling() {
        let term = Term { epoch: 1, round: 2, node: 3, boot: 4 };
        check("1.2.3.4.5", Ok(Version { term, seq: 5 }));
        check("0", Ok(Version::ZERO));
        let most = Term { epoch: u32::MAX, round: u64::MAX, node: u16::MAX, boot: 0 };
        check("4294967295.18446744073709551615.65535.0.1", Ok(Version { term: most, seq: 1 }));
        for bad in [
            "",
            "1.2.3.4",
            "1.2.3.4.0",
            "1.2.3.4.5.6",
            "01.2.3.4.5",
            "+1.2.3.4.5",
            "a",
            "00",
            ".",
            "1.2.3.4.",
            ".1.2.3.4",
            "1..3.4.5",
            "1.2.3.4.5.",
            "1.2.3.4.00",
            "1.2.3.4.-5",
            "1.2.3.4.5 ",
            "4294967296.2.3.4.5",
            "1.18446744073709551616.3.4.5",
            "1.2.65536.4.5",
            "1.2.3.:.5",
        ] {
            check(bad, Err(VersionError));
        }
    }

    #[test]
    fn term_order_epoch_first_boot_last() {
        let term = |epoch, round, node, boot| Term { epoch, round, node, boot };
        let rising = [
            Term::default(),
            term(1, 1, 1, 9),
            term(1, 1, 2, 1),
            term(1, 2, 1, 1),
            Term::floor(1, 2),
            term(1, 3, 1, 1),
            term(2, 1, 1, 1),
        ];
        assert!(rising.is_sorted_by(|a, b| a < b));
    }

    #[test]
    fn chain_hash_depends_on_base_and_bytes() {
        let one = chain_hash(Hash128::default(), &[b"a"]);
        assert_ne!(one, chain_hash(Hash128::default(), &[b"b"]));
        assert_ne!(one, chain_hash(one, &[b"a"]));
        assert_eq!(chain_hash(one, &[b"ab"]), chain_hash(one, &[b"a", b"b"]));
    }
}
