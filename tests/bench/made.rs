//! Files of people who never wrote: made line by line, as a cluster would have.

use std::io;

use tern::auth::session::Token;
use tern::clock::Wall;
use tern::id::{Hash128, PostId, RequestId, UserName};
use tern::replica::version::{Term, Version};
use tern::store::line::{Kind, NewLine, encode};
use tern::user::entry::{Audience, Entry};
use tern::user::{Receipt, Recorded};

/// When everybody joined, in milliseconds since 1970.
const JOINED: Wall = Wall(1_599_999_999_999);
/// Everything was written under this term.
const TERM: Term = Term { epoch: 1, round: 1, node: 1, boot: 1 };

/// A file so far.
pub(crate) struct Made {
    bytes: Vec<u8>,
    version: Version,
    hash: Hash128,
}

impl Made {
    /// Somebody who joined.
    pub(crate) fn new(name: &str) -> Self {
        let mut made = Self { bytes: Vec::new(), version: Version::ZERO, hash: Hash128::default() };
        let (display_name, bio) = (name.to_owned(), String::new());
        let (at, members_only, avatar) = (JOINED, false, None);
        let posts_for = Audience::Everyone;
        let profile = Entry::Profile { at, display_name, bio, members_only, posts_for, avatar };
        made.line(Receipt::Done, &[Entry::Joined { at }, profile]);
        made
    }

    /// Signed in on one device since then; the session, as a web server tells it.
    pub(crate) fn session(&mut self, name: &str, at: Wall) -> io::Result<String> {
        let token = Token::generate().map_err(io::Error::other)?;
        let (device, address) = ("a benchmark".to_owned(), "127.0.0.1".to_owned());
        let id = token.id();
        self.line(Receipt::Done, &[Entry::SessionOpened { at, id, device, address, app: None }]);
        Ok(format!("{name}.{}", token.secret()))
    }

    /// A post of this number, at the time that stands in it.
    pub(crate) fn post(&mut self, id: PostId, text: String) {
        let (at, reply_to, note, pictures) = (Wall(id.at_ms()), None, None, Vec::new());
        let posted = Entry::Posted { at, id, text, reply_to, note, pictures, sensitive: false };
        self.line(Receipt::Post(id), &[posted]);
    }

    /// Follows somebody.
    pub(crate) fn follow(&mut self, user: UserName) {
        self.line(Receipt::Done, &[Entry::Followed { at: JOINED, user }]);
    }

    /// What stands in it.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// One act, with the request that asked for it and what that got.
    fn line(&mut self, result: Receipt, entries: &[Entry]) {
        let version = Version { term: TERM, seq: self.version.seq + 1 };
        let id = RequestId(u128::from(version.seq).to_be_bytes());
        let request = Recorded { id, digest: self.hash, result };
        let line = encode(&NewLine {
            version,
            base: self.version,
            base_hash: self.hash,
            com: self.version,
            kind: Kind::Delta,
            requests: &[request],
            entries,
        });
        self.bytes.extend_from_slice(&line.bytes);
        (self.version, self.hash) = (version, line.hash);
    }
}
