//! Frames: a header and a body that travel together, cut into messages and put together again. Pure.
//!
//! ```text
//! u32 bytes of header and body │ u32 bytes of header │ header │ body
//! └──────── message 1, full ────────┘└── message 2, full ──┘└─ message 3, the rest ─┘
//! ```
//! Every message but the last of a frame is full, and a frame begins a message: there is one way to
//! write a frame, and all others are refused.

use std::fmt;

use super::secure::{PLAIN_BYTES_MAX, Why};

/// Bytes of the two lengths.
const PREFIX_BYTES: usize = 8;

/// What one side sent: what it says, and bytes that go with it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Frame {
    /// What is said.
    pub header: Vec<u8>,
    /// Bytes that go with it, as they are.
    pub body: Vec<u8>,
}

/// Lengths only: a header may hold a password.
impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Frame({} + {} bytes)", self.header.len(), self.body.len())
    }
}

/// What is wrong with a frame.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    TooLarge { announced: usize, max: usize },
    Malformed(Why),
}

/// A frame being cut into messages.
pub(crate) struct Cutter<'a> {
    prefix: [[u8; 4]; 2],
    header: &'a [u8],
    body: &'a [u8],
    is_begun: bool,
}

impl<'a> Cutter<'a> {
    /// A frame of at most `bytes_max` bytes, itself below 4 GiB.
    pub(crate) fn new(header: &'a [u8], body: &'a [u8], bytes_max: usize) -> Result<Self, Flaw> {
        let announced = header.len().saturating_add(body.len());
        let flaw = || Flaw::TooLarge { announced, max: bytes_max };
        if announced > bytes_max {
            return Err(flaw());
        }
        let length = |bytes: usize| u32::try_from(bytes).map(u32::to_be_bytes).map_err(|_| flaw());
        let prefix = [length(announced)?, length(header.len())?];
        Ok(Self { prefix, header, body, is_begun: false })
    }

    /// Replaces what `plain` holds by the next message; false when there is none.
    pub(crate) fn next_into(&mut self, plain: &mut Vec<u8>) -> bool {
        plain.clear();
        if !self.is_begun {
            self.is_begun = true;
            plain.extend(self.prefix.as_flattened());
        }
        for part in [&mut self.header, &mut self.body] {
            let bytes = part.len().min(PLAIN_BYTES_MAX - plain.len());
            let (now, later) = part.split_at(bytes);
            plain.extend_from_slice(now);
            *part = later;
        }
        !plain.is_empty()
    }
}

/// A frame being put together. Grows with what arrives, whatever was announced.
pub(crate) struct Assembly {
    frame: Frame,
    header_left: usize,
    body_left: usize,
}

impl Assembly {
    /// Begins with a frame's first message.
    pub(crate) fn begin(plain: &[u8], bytes_max: usize) -> Result<Self, Flaw> {
        let short = Flaw::Malformed("a frame without its lengths");
        let Some((announced, rest)) = split_length(plain) else { return Err(short) };
        let Some((header_left, rest)) = split_length(rest) else { return Err(short) };
        if announced > bytes_max {
            return Err(Flaw::TooLarge { announced, max: bytes_max });
        }
        let body_left = announced
            .checked_sub(header_left)
            .ok_or(Flaw::Malformed("a header longer than its frame"))?;
        let mut assembly = Self { frame: Frame::default(), header_left, body_left };
        assembly.push_at_most(rest, PLAIN_BYTES_MAX - PREFIX_BYTES)?;
        Ok(assembly)
    }

    /// Goes on with the next message.
    pub(crate) fn push(&mut self, plain: &[u8]) -> Result<(), Flaw> {
        self.push_at_most(plain, PLAIN_BYTES_MAX)
    }

    fn push_at_most(&mut self, plain: &[u8], room: usize) -> Result<(), Flaw> {
        if plain.len() != self.bytes_left().min(room) {
            return Err(Flaw::Malformed("a message that does not fit its frame"));
        }
        let (header, body) = plain.split_at(self.header_left.min(plain.len()));
        self.frame.header.extend_from_slice(header);
        self.header_left -= header.len();
        self.frame.body.extend_from_slice(body);
        self.body_left -= body.len();
        Ok(())
    }

    /// Bytes that are to come.
    pub(crate) const fn bytes_left(&self) -> usize {
        self.header_left + self.body_left
    }

    /// The frame, once nothing is left to come.
    pub(crate) fn into_frame(self) -> Frame {
        assert_eq!(self.bytes_left(), 0, "a frame taken before it was whole");
        self.frame
    }
}

fn split_length(plain: &[u8]) -> Option<(usize, &[u8])> {
    let (&length, rest) = plain.split_first_chunk()?;
    Some((usize::try_from(u32::from_be_bytes(length)).ok()?, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn messages(header: &[u8], body: &[u8]) -> Vec<Vec<u8>> {
        let mut cutter = Cutter::new(header, body, usize::MAX).unwrap();
        let mut plain = Vec::new();
        std::iter::from_fn(|| cutter.next_into(&mut plain).then(|| plain.clone())).collect()
    }

    fn assemble(messages: &[Vec<u8>], bytes_max: usize) -> Result<Assembly, Flaw> {
        let mut assembly = Assembly::begin(&messages[0], bytes_max)?;
        messages[1..].iter().try_for_each(|message| assembly.push(message))?;
        Ok(assembly)
    }

    fn check_round_trip(header_bytes: usize, body_bytes: usize, expected_messages: usize) {
        let (header, body) = (vec![1; header_bytes], vec![2; body_bytes]);
        let cut = messages(&header, &body);
        assert_eq!(cut.len(), expected_messages, "{header_bytes} + {body_bytes}");
        let frame = assemble(&cut, header_bytes + body_bytes).unwrap().into_frame();
        assert_eq!(frame, Frame { header, body });
    }

    #[test]
    fn frame_cut_at_every_edge_round_trips() {
        let first = PLAIN_BYTES_MAX - PREFIX_BYTES;
        for (header, body, expected) in [
            (0, 0, 1),
            (1, 0, 1),
            (0, 1, 1),
            (first, 0, 1),
            (0, first, 1),
            (first - 1, 1, 1),
            (first, 1, 2),
            (first + 1, 0, 2),
            (3, first + PLAIN_BYTES_MAX - 3, 2),
            (first + PLAIN_BYTES_MAX, 1, 3),
        ] {
            check_round_trip(header, body, expected);
        }
    }

    fn prefix(announced: u32, header: u32) -> Vec<u8> {
        [announced.to_be_bytes(), header.to_be_bytes()].concat()
    }

    #[test]
    fn frame_longer_than_allowed_refused_both_ways() {
        let large = |announced, max| Some(Flaw::TooLarge { announced, max });
        assert_eq!(Cutter::new(b"abc", b"def", 5).err(), large(6, 5));
        assert_eq!(Assembly::begin(&prefix(6, 3), 5).err(), large(6, 5));
        assert_eq!(Assembly::begin(&prefix(u32::MAX, 0), 5).err(), large(4_294_967_295, 5));
    }

    #[test]
    fn frame_announced_long_takes_no_memory() {
        let mut message = prefix(60_000_000, 0);
        message.resize(PLAIN_BYTES_MAX, 0);
        let assembly = Assembly::begin(&message, 64_000_000).unwrap();
        assert!(assembly.frame.body.capacity() < 2 * PLAIN_BYTES_MAX);
    }

    #[test]
    fn frame_cut_in_any_other_way_refused() {
        let refused =
            |plain: &[u8]| matches!(Assembly::begin(plain, 100_000), Err(Flaw::Malformed(_)));
        assert!(refused(b""));
        assert!(refused(&prefix(0, 0)[..7]));
        assert!(refused(&prefix(1, 2)));
        assert!(refused(&prefix(1, 0)));
        assert!(refused(&[prefix(1, 0), vec![0; 2]].concat()));
        let mut cut = messages(&[1; 10], &vec![2; PLAIN_BYTES_MAX]);
        assert!(assemble(&cut, 100_000).is_ok());
        assert!(assemble(&cut, 100_000).unwrap().push(b"x").is_err());
        cut[1].push(0);
        assert!(assemble(&cut, 100_000).is_err());
        cut[1].truncate(17);
        assert!(assemble(&cut, 100_000).is_err());
    }

    #[test]
    fn frame_debug_shows_no_content() {
        let frame = Frame { header: b"secret".to_vec(), body: Vec::new() };
        assert_eq!(format!("{frame:?}"), "Frame(6 + 0 bytes)");
    }

    proptest! {
        #[test]
        fn frame_any_bytes_no_panic(messages: Vec<Vec<u8>>, bytes_max in 0_usize..1_000) {
            let Some((first, rest)) = messages.split_first() else { return Ok(()) };
            let Ok(mut assembly) = Assembly::begin(first, bytes_max) else { return Ok(()) };
            for message in rest {
                if assembly.push(message).is_err() {
                    break;
                }
            }
            prop_assert!(assembly.frame.header.len() + assembly.frame.body.len() <= bytes_max);
        }
    }
}
