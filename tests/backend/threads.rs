//! What answers a post, a part at a time: nothing passed over, whatever happens between two parts.

use tern::action::{Action, OnePost, PostFor, ReplyPlace, ThreadOf};
use tern::id::PostId;
use tern::limits::REPLIES_TOLD_MAX;
use tern::user::entry::{Audience, PostRef};
use tern::wire::request::{Outcome, Request, ThreadPage};

use super::Backends;
use super::apart::Person;

fn of(user: &str, id: PostId) -> PostRef {
    PostRef { user: user.parse().unwrap(), id }
}

fn asked(post: &PostRef, after: Option<ReplyPlace>, limit: u16) -> Action {
    Action::Thread(ThreadOf { post: post.clone(), posted: None, after, limit: Some(limit) })
}

#[track_caller]
fn thread(outcome: Outcome) -> ThreadPage {
    match outcome {
        Outcome::Thread(thread) => thread,
        other => panic!("a thread was asked for: {other:?}"),
    }
}

fn texts(page: &ThreadPage) -> Vec<(u32, &str)> {
    page.replies.iter().map(|it| (it.depth, it.post.text.as_str())).collect()
}

/// What a stranger is told.
fn told(all: &Backends, action: Action) -> ThreadPage {
    let request = Request { session: None, action, read_to: None, need: None };
    thread(all.ask(0, &request).data.outcome)
}

impl Person<'_> {
    fn post_for(&self, audience: Audience, text: &str, reply_to: Option<&PostRef>) -> PostId {
        let Action::Post(post) = self.posting(text, reply_to) else { panic!("no post") };
        match self.ask(Action::PostFor(PostFor { audience, post })) {
            Outcome::Saved(saved) => saved.post.unwrap(),
            other => panic!("not posted: {other:?}"),
        }
    }

    fn deletes(&self, id: PostId) {
        self.does(Action::DeletePost(OnePost { key: self.key(), id }));
    }
}

#[test]
fn thread_goes_on_behind_a_reply_that_is_deleted_meanwhile() {
    let all = Backends::without_rate_limits();
    let ada = Person::join(&all, "ada", 1);
    let root = of("ada", ada.post("root", None));
    let one = of("ada", ada.post("1", Some(&root)));
    let two = of("ada", ada.post("2", Some(&root)));
    let mut deep = one.clone();
    for text in ["1a", "1b", "1c"] {
        deep = of("ada", ada.post(text, Some(&deep)));
    }
    let three = ada.post("3", Some(&root));
    let part = |after: Option<(PostId, PostId)>| {
        let after = after.map(|(top, last)| ReplyPlace { last, top });
        told(&all, asked(&root, after, 2))
    };
    let first = part(None);
    assert_eq!((texts(&first), first.more_replies), (vec![(1, "1"), (2, "1a")], true));
    let last = first.replies[1].post.id;
    let next = part(Some((one.id, last)));
    assert_eq!(texts(&next), [(3, "1b"), (4, "1c")]);
    let end = part(Some((one.id, deep.id)));
    assert_eq!((texts(&end), end.more_replies), (vec![(1, "2"), (1, "3")], false));
    assert_eq!(texts(&part(Some((three, three)))), []);
    // The last that was shown goes, and all below it with it: what stood beside it still comes.
    ada.deletes(last);
    assert_eq!(texts(&part(Some((one.id, last)))), [(1, "1"), (1, "2")]);
    ada.deletes(one.id);
    assert_eq!(texts(&part(Some((one.id, one.id)))), [(1, "2"), (1, "3")]);
    // Places that are none: of another thread, of nobody, the post's own.
    let nowhere = PostId::from_raw(7);
    for (top, last) in [(nowhere, nowhere), (two.id, nowhere), (nowhere, root.id)] {
        assert_eq!(texts(&part(Some((top, last)))), [(1, "2"), (1, "3")], "{top} {last}");
    }
    let beyond = PostId::from_raw(u64::MAX);
    assert_eq!(texts(&part(Some((beyond, beyond)))), []);
}

#[test]
fn replies_for_few_are_neither_counted_nor_found_by_their_place() {
    let all = Backends::without_rate_limits();
    let (ada, ben) = (Person::join(&all, "ada", 1), Person::join(&all, "ben", 2));
    ben.does(Action::Follow(ben.whom("ada")));
    let root = of("ada", ada.post("root", None));
    let seen = ada.post("all", Some(&root));
    let few = ada.post_for(Audience::Followers, "few", Some(&root));
    let page = told(&all, asked(&root, None, 1));
    assert_eq!((texts(&page), page.more_replies), (vec![(1, "all")], false));
    let page = thread(ben.ask(asked(&root, None, 1)));
    assert!(page.more_replies);
    let after = Some(ReplyPlace { last: seen, top: seen });
    assert_eq!(texts(&thread(ben.ask(asked(&root, after, 9)))), [(1, "few")]);
    // A stranger who guesses its number is told as much as of any other number.
    let below = ada.post("below", Some(&of("ada", few)));
    for last in [few, below, PostId::from_raw(1)] {
        let after = Some(ReplyPlace { last, top: seen });
        assert_eq!(texts(&told(&all, asked(&root, after, 9))), [(1, "all")], "{last}");
    }
}

/// What answered somebody muted was told nowhere, and no page could go on behind it.
#[test]
fn r0033_thread_goes_on_part_by_part_below_what_the_reader_does_not_see() {
    let all = Backends::without_rate_limits();
    let (ada, ben) = (Person::join(&all, "ada", 1), Person::join(&all, "ben", 2));
    let root = of("ada", ada.post("root", None));
    let bens = of("ben", ben.post("ben", Some(&root)));
    let mut deep = of("ada", ada.post("a", Some(&bens)));
    let last = ada.post("last", Some(&root));
    for text in ["b", "c"] {
        deep = of("ada", ada.post(text, Some(&deep)));
    }
    ada.does(Action::Mute(ada.whom("ben")));
    let (mut after, mut seen) = (None, Vec::new());
    loop {
        let page = thread(ada.ask(asked(&root, after, 1)));
        let reply = &page.replies[0];
        seen.push((reply.depth, reply.post.text.clone(), reply.is_below_unseen));
        after = Some(ReplyPlace { last: reply.post.id, top: PostId::from_raw(0) });
        if !page.more_replies {
            break;
        }
    }
    let expected = [(2, "a", true), (3, "b", false), (4, "c", false), (1, "last", false)];
    assert_eq!(seen, expected.map(|(depth, text, is_below)| (depth, text.to_owned(), is_below)));
    assert_eq!(after.unwrap().last, last);
    // Others see him, and one's own is shown wherever it stands.
    assert_eq!(
        texts(&told(&all, asked(&root, None, 9))),
        [(1, "ben"), (2, "a"), (3, "b"), (4, "c"), (1, "last")]
    );
    let asked = ThreadOf { post: root, posted: Some(deep.id), after: None, limit: Some(1) };
    let own = thread(ada.ask(Action::Thread(asked))).own.unwrap();
    assert_eq!((own.depth, own.post.text.as_str()), (4, "c"));
}

#[test]
fn own_reply_told_beside_a_part_that_ends_before_it() {
    let all = Backends::without_rate_limits();
    let ada = Person::join(&all, "ada", 1);
    let root = of("ada", ada.post("root", None));
    let first = of("ada", ada.post("first", Some(&root)));
    let under = ada.post("under", Some(&first));
    let elsewhere = ada.post("elsewhere", None);
    let page = |posted, limit| {
        let asked = ThreadOf { post: root.clone(), posted: Some(posted), after: None, limit };
        thread(ada.ask(Action::Thread(asked)))
    };
    let own = page(under, Some(1)).own.unwrap();
    assert_eq!((own.depth, own.post.text.as_str()), (2, "under"));
    for (posted, limit) in
        [(under, Some(2)), (under, None), (first.id, Some(1)), (elsewhere, Some(1))]
    {
        assert_eq!(page(posted, limit).own, None);
    }
    let stranger = ThreadOf { post: root, posted: Some(under), after: None, limit: Some(1) };
    assert_eq!(told(&all, Action::Thread(stranger)).own, None);
}

#[test]
fn web_server_of_an_earlier_version_is_told_as_ever() {
    let all = Backends::without_rate_limits();
    let ada = Person::join(&all, "ada", 1);
    let root = of("ada", ada.post("root", None));
    for n in 0..40 {
        ada.post(&n.to_string(), Some(&root));
    }
    let old = |more: &str| {
        let id = root.id;
        let action = format!(r#"{{"thread":{{"post":{{"user":"ada","id":"{id}"}}{more}}}}}"#);
        told(&all, serde_json::from_str(&action).unwrap())
    };
    assert_eq!((old("").replies.len(), old("").more_replies), (40, false));
    // Nobody is told more than that, whatever they ask for.
    let much = old(r#","limit":65535"#);
    assert!(much.replies.len() == 40 && 40 <= REPLIES_TOLD_MAX);
    let none = old(r#","limit":0"#);
    assert_eq!((none.replies.len(), none.more_replies), (0, true));
}
