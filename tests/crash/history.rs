//! Lines one on top of the other, as a coordinator would write them.

use tern::clock::Wall;
use tern::id::{Hash128, PostId, RequestId};
use tern::replica::version::{Term, Version};
use tern::store::line::{Kind, NewLine, encode};
use tern::user::entry::Entry;
use tern::user::{Receipt, Recorded};

#[derive(Debug, Clone, Default)]
pub(crate) struct History {
    pub(crate) version: Version,
    pub(crate) hash: Hash128,
    pub(crate) bytes: Vec<u8>,
}

impl History {
    /// `count` posts.
    pub(crate) fn of(count: u32) -> Self {
        let mut history = Self::default();
        for number in 1..=count {
            history.add(&format!("post {number}"));
        }
        history
    }

    /// Adds a post and returns its line.
    pub(crate) fn add(&mut self, text: &str) -> Vec<u8> {
        let at = 1_790_000_000_000 + u64::from(self.version.seq);
        let id = PostId::from_raw(at << 16);
        let entry = Entry::Posted {
            at: Wall(at),
            id,
            text: text.to_owned(),
            reply_to: None,
            note: None,
            pictures: Vec::new(),
            sensitive: false,
        };
        let request = Recorded {
            id: RequestId(u128::from(at).to_be_bytes()),
            digest: Hash128([5; 16]),
            result: Receipt::Post(id),
        };
        self.add_line(Kind::Delta, &[request], &[entry])
    }

    pub(crate) fn add_line(
        &mut self,
        kind: Kind,
        requests: &[Recorded],
        entries: &[Entry],
    ) -> Vec<u8> {
        let term = Term { epoch: 1, round: 4, node: 2, boot: 1 };
        let version = Version { term, seq: self.version.seq + 1 };
        let line = encode(&NewLine {
            version,
            base: self.version,
            base_hash: self.hash,
            com: self.version,
            kind,
            requests,
            entries,
        });
        (self.version, self.hash) = (version, line.hash);
        self.bytes.extend_from_slice(&line.bytes);
        line.bytes
    }
}
