//! What a request would write: the handlers in `action`, and what `backend` prepares for them.

use tern::action::{ActionError, Admission, Change, NewSession, Who, handle};
use tern::clock::Wall;
use tern::id::{NodeId, PostId};
use tern::replica::version::Version;
use tern::user::entry::{Audience, Entry, SessionId};
use tern::user::{Place, Receipt, Recorded, Seen, User};

use crate::event::{Request, Verdict, What};

/// What is to be done about a request.
#[derive(Debug, Clone)]
pub(crate) enum Planned {
    Write {
        entries: Vec<Entry>,
        record: Recorded,
    },
    /// It was done before, with this result.
    Before(Receipt),
    /// Everything is as asked for already.
    Nothing,
    Refused(&'static str),
}

impl Planned {
    /// What its sender is told once `version` is committed.
    pub(crate) fn verdict(self, version: Version) -> Verdict {
        match self {
            Self::Write { record, .. } => {
                Verdict::Saved { version, recorded: true, post: record.result.post() }
            }
            Self::Before(receipt) => {
                Verdict::Saved { version, recorded: true, post: receipt.post() }
            }
            Self::Nothing => Verdict::Saved { version, recorded: false, post: None },
            Self::Refused(why) => Verdict::Refused { version, why },
        }
    }
}

/// The only session of a user here.
fn session(user: &User) -> SessionId {
    SessionId(format!("session of {}", user.name))
}

fn change(user: &User, request: &Request, id: PostId) -> Change {
    match &request.what {
        What::Join => Change::Join {
            display_name: String::new(),
            password_hash: "hash".to_owned(),
            admission: Admission::Free,
            session: NewSession {
                app: None,
                id: session(user),
                device: request.key.id.to_string(),
                address: String::new(),
            },
        },
        What::Post(text) => Change::Post {
            audience: Some(Audience::Everyone),
            id,
            text: text.clone(),
            reply_to: None,
            note: String::new(),
            pictures: Vec::new(),
            sent: Vec::new(),
            poll: None,
            sensitive: false,
        },
        What::Delete(id) => Change::DeletePost { id: *id, gives_pictures: false },
        What::Follow(whom) => Change::Follow { user: whom.clone(), removed_at: None },
        What::Unfollow(whom) => Change::Unfollow { user: whom.clone() },
        What::Leave => Change::Leave { verified_hash: "hash".to_owned() },
        What::Read | What::View(_) => panic!("a read changes nothing"),
    }
}

/// A number above all given before here and above the author's highest: `backend::ids`.
fn next_post(user: &User, now: Wall, node: NodeId, last: &mut u64) -> PostId {
    let floor = user.post_id_max.map_or(0, PostId::get);
    let mut id = PostId::first_of(now.0, node).get().max(*last + 1);
    if id <= floor {
        id = PostId::first_of(PostId::from_raw(floor).at_ms() + 1, node).get();
    }
    *last = id;
    PostId::from_raw(id)
}

/// Judges a request by the user as they are, and takes what would be written into account for the
/// next one of the same line.
pub(crate) fn plan(
    user: &mut User,
    request: &Request,
    (now, node, last): (Wall, NodeId, &mut u64),
) -> Planned {
    match user.seen(request.key, request.digest) {
        Seen::New => {}
        Seen::Same(receipt) => return Planned::Before(receipt),
        Seen::Conflict => return Planned::Refused("conflict"),
        Seen::Expired => return Planned::Refused("expired"),
    }
    let id = next_post(user, now, node, last);
    let who = Who { session: Some(session(user)) };
    match handle(user, &who, &change(user, request, id), now) {
        Ok(plan) if plan.entries.is_empty() => Planned::Nothing,
        Ok(plan) => {
            let record =
                Recorded { id: request.key.id, digest: request.digest, result: plan.result };
            user.record(record);
            plan.entries.iter().for_each(|entry| user.apply(entry, Place::default()));
            Planned::Write { entries: plan.entries, record }
        }
        Err(ActionError::SignedOut) => Planned::Refused("signed out"),
        Err(ActionError::Taken) => Planned::Refused("taken"),
        Err(ActionError::NotFound) => Planned::Refused("not found"),
        Err(_) => Planned::Refused("other"),
    }
}
