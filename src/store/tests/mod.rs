//! Tests of the store, by module.

mod damage;
mod line;
mod node;
mod picture;
mod restore;
mod scan;
mod snapshot;
mod user_store;

use super::line::{Encoded, Kind, NewLine, encode};
use super::scan::Chain;
use crate::clock::Wall;
use crate::id::{Hash128, PostId, RequestId, UserName};
use crate::replica::version::{Term, Version};
use crate::user::Recorded;
use crate::user::entry::Entry;

fn ada() -> UserName {
    UserName::parse("ada").unwrap()
}

fn version(round: u64, seq: u32) -> Version {
    Version { term: Term { epoch: 1, round, node: 2, boot: 3 }, seq }
}

fn posted(text: &str) -> Entry {
    Entry::Posted {
        at: Wall(1_700_000_000_000),
        id: PostId::from_raw(111),
        text: text.to_owned(),
        reply_to: None,
        note: None,
        pictures: Vec::new(),
        sensitive: false,
    }
}

fn recorded(byte: u8) -> Recorded {
    Recorded {
        id: RequestId([byte; 16]),
        digest: Hash128([byte.wrapping_add(1); 16]),
        result: crate::user::Receipt::Post(crate::id::PostId::from_raw(111)),
    }
}

/// Lines one on top of the other.
#[derive(Default)]
struct History {
    chain: Chain,
    bytes: Vec<u8>,
}

impl History {
    fn of(count: u32) -> Self {
        let mut history = Self::default();
        for number in 1..=count {
            history.add(&[posted(&format!("post {number}"))]);
        }
        history
    }

    fn add(&mut self, entries: &[Entry]) -> Vec<u8> {
        self.add_kind(Kind::of(entries), entries)
    }

    fn add_kind(&mut self, kind: Kind, entries: &[Entry]) -> Vec<u8> {
        self.add_line(kind, &[], entries)
    }

    fn add_asked(&mut self, requests: &[Recorded], entries: &[Entry]) -> Vec<u8> {
        self.add_line(Kind::of(entries), requests, entries)
    }

    fn add_line(&mut self, kind: Kind, requests: &[Recorded], entries: &[Entry]) -> Vec<u8> {
        let version = version(1, self.chain.version.seq + 1);
        let new = NewLine {
            version,
            base: self.chain.version,
            base_hash: self.chain.hash,
            com: self.chain.version,
            kind,
            requests,
            entries,
        };
        let Encoded { bytes, hash } = encode(&new);
        self.chain =
            Chain { version, hash, com: new.com, left: kind == Kind::Tombstone, open: None };
        self.bytes.extend_from_slice(&bytes);
        bytes
    }
}
