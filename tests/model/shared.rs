//! A part of a state that many states have in common, with its hash at hand: a step then costs only
//! what it changes.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

/// A shared part. Between [`Self::edit`] and [`Self::seal`] its hash is not known.
#[derive(Clone)]
pub(crate) struct Shared<T> {
    part: Arc<T>,
    hash: u64,
}

impl<T: Clone + Hash> Shared<T> {
    pub(crate) fn new(part: T) -> Self {
        let mut shared = Self { part: Arc::new(part), hash: 0 };
        shared.seal();
        shared
    }

    /// The part, to be changed in this state alone.
    pub(crate) fn edit(&mut self) -> &mut T {
        self.hash = 0;
        Arc::make_mut(&mut self.part)
    }

    /// Computes the hash again where the part was changed.
    pub(crate) fn seal(&mut self) {
        if self.hash == 0 {
            let mut hasher = Mixer::default();
            self.part.hash(&mut hasher);
            self.hash = hasher.finish().max(1);
        }
    }

    /// The hash; 0 while it is not known.
    pub(crate) fn key(&self) -> u64 {
        self.hash
    }
}

impl<T> Deref for Shared<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.part
    }
}

impl<T: PartialEq> PartialEq for Shared<T> {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.part, &other.part) || (self.hash == other.hash && self.part == other.part)
    }
}

impl<T: Eq> Eq for Shared<T> {}

impl<T> Hash for Shared<T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        assert_ne!(self.hash, 0, "hashed before it is sealed");
        state.write_u64(self.hash);
    }
}

impl<T: fmt::Debug> fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.part.fmt(f)
    }
}

/// Mixes 8 bytes at a time by a product of 128 bits, its halves folded: much of a run's time goes
/// into hashing, and nobody chooses states to collide. Source: the mixing step of wyhash, by Wang Yi.
#[derive(Debug, Clone, Copy, Default)]
struct Mixer(u64);

impl Hasher for Mixer {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.write_u64(u64::from_le_bytes(word));
        }
    }

    fn write_u64(&mut self, word: u64) {
        let product = u128::from(self.0 ^ 0xa076_1d64_78bd_642f)
            .wrapping_mul(u128::from(word ^ 0xe703_7ed1_a0b4_28db));
        let folded = (product ^ (product >> 64)) & u128::from(u64::MAX);
        self.0 = u64::try_from(folded).unwrap() ^ word.rotate_left(32);
    }

    fn write_u8(&mut self, n: u8) {
        self.write_u64(u64::from(n));
    }

    fn write_u16(&mut self, n: u16) {
        self.write_u64(u64::from(n));
    }

    fn write_u32(&mut self, n: u32) {
        self.write_u64(u64::from(n));
    }

    fn write_usize(&mut self, n: usize) {
        self.write_u64(n as u64);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
