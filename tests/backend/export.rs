//! What a member takes along, from real files: all of it, in order, and nothing that was deleted.

use tern::action::{
    Action, AvatarWish, EditPost, EditProfile, ExportFrom, ExportList, Mark, NewPost, OnePost,
    RequestKey, SetMark, Untouched, Whom,
};
use tern::id::{PostId, RequestId};
use tern::limits::EXPORT_POSTS;
use tern::user::entry::PostRef;
use tern::wire::request::{ExportPage, ExportPost, Outcome, Request};

use super::{Backends, joined};

/// Posts that ada makes: two full parts and some.
const POSTS: usize = 2 * EXPORT_POSTS + 3;

struct Writer<'a> {
    all: &'a Backends,
    session: String,
    written: u64,
}

impl Writer<'_> {
    fn ask(&self, action: Action) -> Outcome {
        let request =
            Request { session: Some(self.session.clone()), read_to: None, need: None, action };
        self.all.ask_until_known(0, &request).data.outcome
    }

    fn key(&mut self) -> RequestKey {
        self.written += 1;
        let mut id = [7; 16];
        id[..8].copy_from_slice(&self.written.to_le_bytes());
        // One that is newer than any: none of these is asked for a second time much later.
        RequestKey { ops: u64::MAX, id: RequestId(id) }
    }

    fn saved(&self, action: &Action) -> Option<PostId> {
        match self.ask(action.clone()) {
            Outcome::Saved(saved) => saved.post,
            other => panic!("not saved: {other:?}"),
        }
    }

    fn post(&mut self, text: String, reply_to: Option<PostRef>) -> PostId {
        let key = self.key();
        self.saved(&Action::Post(NewPost {
            key,
            text,
            reply_to,
            note: String::new(),
            pictures: Vec::new(),
            sent: Vec::new(),
            sensitive: false,
            for_everybody: false,
        }))
        .unwrap()
    }

    fn part(&self, from: ExportFrom) -> ExportPage {
        match self.ask(Action::Export(from)) {
            Outcome::Export(part) => part,
            other => panic!("no part: {other:?}"),
        }
    }
}

#[test]
fn s40_export_tells_all_that_stands_and_no_more() {
    let all = Backends::without_rate_limits();
    let ben = joined(&all, 0, "ben", 1);
    let ada = joined(&all, 0, "ada", 2);
    let mut ben = Writer { all: &all, session: ben, written: 1_000_000 };
    let asked = ben.post("Who has a ladder?".to_owned(), None);
    let mut ada = Writer { all: &all, session: ada, written: 0 };
    let key = ada.key();
    ada.saved(&Action::Follow(Whom { key, username: "ben".parse().unwrap() }));
    let (display_name, bio) = ("Ada Lind".to_owned(), "Seeds, mostly.".to_owned());
    let key = ada.key();
    ada.saved(&Action::EditProfile(EditProfile {
        key,
        display_name,
        bio,
        members_only: false,
        posts_for: None,
        avatar: AvatarWish::Keep,
        untouched: Untouched::default(),
    }));
    let answered = PostRef { user: "ben".parse().unwrap(), id: asked };
    let mut ids = vec![ada.post("@ben I do".to_owned(), Some(answered.clone()))];
    ids.extend((1..POSTS).map(|n| ada.post(format!("Post {n}\n\"☕\""), None)));
    let gone = ids.remove(EXPORT_POSTS);
    let key = ada.key();
    ada.saved(&Action::DeletePost(OnePost { key, id: gone }));

    let key = ada.key();
    let (text, note) = ("@ben I do!".to_owned(), "Ladders".to_owned());
    ada.saved(&Action::EditPost(EditPost {
        key,
        id: ids[0],
        text,
        note,
        sensitive: None,
        descriptions: None,
    }));
    for mark in [Mark::Like, Mark::Bookmark] {
        let key = ada.key();
        ada.saved(&Action::Mark(SetMark { key, post: answered.clone(), mark, on: true }));
    }

    let first = ada.part(ExportFrom::default());
    let profile = first.profile.clone().unwrap();
    assert_eq!((profile.username.as_str(), profile.display_name.as_str()), ("ada", "Ada Lind"));
    assert_eq!(
        (profile.bio.as_str(), profile.follows),
        ("Seeds, mostly.", vec![answered.user.clone()])
    );
    let mut parts = vec![first];
    while let Some(next) = parts.last().unwrap().next.clone() {
        parts.push(ada.part(next));
    }
    let lengths: Vec<_> = parts.iter().map(|part| (part.posts.len(), part.marks.len())).collect();
    let whole = EXPORT_POSTS;
    assert_eq!(lengths, [(whole, 0), (whole, 0), (2, 0), (0, 1), (0, 0), (0, 1)]);
    assert!(parts[1..].iter().all(|part| part.profile.is_none()));
    let posts: Vec<&ExportPost> = parts.iter().flat_map(|part| &part.posts).collect();
    assert!(posts.iter().map(|post| post.id).eq(ids));
    let edited = posts[0];
    assert_eq!((edited.text.as_str(), edited.note.as_deref()), ("@ben I do!", Some("Ladders")));
    assert_eq!(edited.reply_to.as_ref(), Some(&answered));
    let [earlier] = edited.earlier.as_slice() else { panic!("{edited:?}") };
    assert_eq!((earlier.text.as_str(), &earlier.note), ("@ben I do", &None));
    assert!(edited.edited_at.unwrap() > earlier.at);
    assert_eq!((posts[1].text.as_str(), posts[1].edited_at), ("Post 1\n\"☕\"", None));
    assert!(posts.iter().all(|post| post.at.0 == post.id.at_ms()));
    let marks: Vec<_> = parts.iter().flat_map(|part| &part.marks).collect();
    assert!(marks.iter().all(|mark| mark.post == answered));
    // Both lists tell when.
    assert_eq!(marks.iter().filter(|mark| mark.at.is_some()).count(), 2);
    // A part that begins in the middle, and one behind the end.
    let after = |at: usize| Some(PostRef { user: "ada".parse().unwrap(), id: posts[at].id });
    let rest = |at| ada.part(ExportFrom { list: ExportList::Posts, after: after(at) }).posts.len();
    assert_eq!((rest(400), rest(401)), (1, 0));
}
