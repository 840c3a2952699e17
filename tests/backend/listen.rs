//! What those hear who listen, on real machines: from the one they began at, from another, and from one
//! that was started anew.

use tern::action::{Action, Heard, Listen, ListenTo, Mark, SetMark, Whom};
use tern::user::entry::PostRef;
use tern::wire::request::{HeardEvent, HeardPage, Outcome, Refusal, Request, Saved};

use super::{Backends, eventually, joined, key, post};

fn listening(session: &str, heard: Option<&Heard>) -> Request {
    let action = Action::Listen(Listen {
        to: ListenTo::Home,
        heard: heard.cloned(),
        marks: true,
        ends: true,
    });
    Request { session: Some(session.to_owned()), read_to: None, need: None, action }
}

fn listen(all: &Backends, n: usize, session: &str, heard: Option<&Heard>) -> HeardPage {
    match all.ask(n, &listening(session, heard)).data.outcome {
        Outcome::Heard(page) => page,
        other => panic!("somebody listened: {other:?}"),
    }
}

fn texts(page: &HeardPage) -> Vec<String> {
    let text = |event: &HeardEvent| match event {
        HeardEvent::Posted(it) => format!("post {}", it.post.text),
        HeardEvent::Edited(it) => format!("edited {}", it.post.text),
        HeardEvent::Deleted(post) => format!("deleted of {}", post.user),
        HeardEvent::Named(it) => format!("named {}", it.post.text),
        HeardEvent::Followed(who, _) => format!("follower {who}"),
        HeardEvent::Liked(it, who, _) => format!("{who} likes {}", it.post.text),
        HeardEvent::Reposted(it, who, _) => format!("{who} reposted {}", it.post.text),
        HeardEvent::PollEnded(it, _) => format!("poll over {}", it.post.text),
    };
    page.events.iter().map(text).collect()
}

/// Listens until something is heard; what, and the mark after it.
fn hear(all: &Backends, n: usize, session: &str, heard: &Heard) -> (Vec<String>, Heard) {
    eventually(|| {
        let page = listen(all, n, session, Some(heard));
        (!page.events.is_empty()).then(|| (texts(&page), page.heard))
    })
}

#[test]
fn whoever_listens_hears_each_post_once_on_any_machine() {
    let mut all = Backends::start();
    let ada = joined(&all, 0, "ada", 1);
    let mut ben = joined(&all, 1, "ben", 2);
    let follow = Whom { key: key(3), username: "ben".parse().unwrap() };
    let action = Action::Follow(follow);
    let followed = Request { session: Some(ada), read_to: None, need: None, action };
    // Machine 0 may not have heard yet that ben is there.
    let ada = eventually(|| {
        let answer = all.ask(0, &followed);
        matches!(answer.data.outcome, Outcome::Saved(_)).then(|| answer.session.unwrap())
    });
    let said = |all: &Backends, n, session: &str, number, text: &str| {
        let answer = all.ask(n, &post(session, number, text));
        assert!(matches!(answer.data.outcome, Outcome::Saved(_)), "{answer:?}");
        answer.session.unwrap()
    };
    ben = said(&all, 1, &ben, 4, "before anybody listened");
    eventually(|| (super::everyone(&all, 0).len() == 1).then_some(()));
    let begun = listen(&all, 0, &ada, None);
    assert_eq!(begun.events, []);
    ben = said(&all, 1, &ben, 5, "one");
    let (first, mark) = hear(&all, 0, &ada, &begun.heard);
    assert_eq!(first, ["post one"]);
    assert_eq!(listen(&all, 0, &ada, Some(&mark)).events, []);
    // Another machine gives its changes other numbers.
    eventually(|| (super::everyone(&all, 2).len() == 2).then_some(()));
    let moved = listen(&all, 2, &ada, Some(&mark));
    assert_eq!((texts(&moved), moved.heard.node.get()), (Vec::<String>::new(), 3));
    ben = said(&all, 1, &ben, 6, "@ada two");
    let (second, mark) = hear(&all, 2, &ada, &moved.heard);
    assert_eq!(second, ["post @ada two", "named @ada two"]);
    // So does one that was started anew.
    all.kill(2);
    said(&all, 1, &ben, 7, "three");
    all.spawn(2);
    let heard =
        eventually(|| match all.try_ask(2, &listening(&ada, Some(&mark))).ok()?.data.outcome {
            Outcome::Heard(page) => (!page.events.is_empty()).then(|| texts(&page)),
            _ => None,
        });
    assert_eq!(heard, ["post three"]);
}

#[test]
fn author_hears_of_each_like_and_repost_once_on_any_machine() {
    let all = Backends::start();
    let ada = joined(&all, 0, "ada", 1);
    let mut ben = joined(&all, 1, "ben", 2);
    let answer = all.ask(0, &post(&ada, 3, "one"));
    let Outcome::Saved(Saved { post: Some(id), .. }) = answer.data.outcome else {
        panic!("{answer:?}");
    };
    let ada = answer.session.unwrap();
    let begun = listen(&all, 0, &ada, None);
    let one = PostRef { user: "ada".parse().unwrap(), id };
    for (number, mark) in [(4, Mark::Like), (5, Mark::Repost)] {
        let data = SetMark { key: key(number), mark, post: one.clone(), on: true };
        let session = Some(ben.clone());
        let action = Action::Mark(data);
        let marked = Request { session, read_to: None, need: None, action };
        // Machine 1 may not have heard yet of the post.
        ben = eventually(|| {
            let answer = all.ask(1, &marked);
            matches!(answer.data.outcome, Outcome::Saved(_)).then(|| answer.session.unwrap())
        });
    }
    let (mut heard, mut mark) = (Vec::new(), begun.heard.clone());
    while heard.len() < 2 {
        let (more, next) = hear(&all, 0, &ada, &mark);
        (heard, mark) = ([heard, more].concat(), next);
    }
    assert_eq!(heard, ["ben likes one", "ben reposted one"]);
    // Another machine tells the same to who has not heard it, and nothing to who has.
    eventually(|| (texts(&listen(&all, 2, &ada, Some(&begun.heard))) == heard).then_some(()));
    let moved = listen(&all, 2, &ada, Some(&mark));
    assert_eq!(texts(&moved), Vec::<String>::new());
    // A web server of an earlier version is told of neither, for it would not understand.
    let action = Listen { to: ListenTo::Home, heard: Some(begun.heard), marks: false, ends: false };
    let (session, action) = (Some(ada), Action::Listen(action));
    let earlier = Request { session, read_to: None, need: None, action };
    let Outcome::Heard(page) = all.ask(0, &earlier).data.outcome else { panic!("nothing heard") };
    assert_eq!(texts(&page), Vec::<String>::new());
}

#[test]
fn whoever_changes_machines_with_much_to_hear_hears_all_of_it_once() {
    const POSTS: u8 = 50;
    let all = Backends::start();
    let ada = joined(&all, 0, "ada", 1);
    let mut ben = joined(&all, 1, "ben", 2);
    let mut mark = {
        let action =
            Action::Listen(Listen { to: ListenTo::Everyone, heard: None, marks: true, ends: true });
        let request = Request { session: Some(ada), read_to: None, need: None, action };
        match all.ask(0, &request).data.outcome {
            Outcome::Heard(page) => page.heard,
            other => panic!("somebody listened: {other:?}"),
        }
    };
    for n in 0..POSTS {
        let answer = all.ask(usize::from(n % 3), &post(&ben, 10 + n, &format!("number {n:02}")));
        assert!(matches!(answer.data.outcome, Outcome::Saved(_)), "{answer:?}");
        ben = answer.session.unwrap();
    }
    let expected: Vec<_> = (0..POSTS).map(|n| format!("post number {n:02}")).collect();
    let listen = |n: usize, heard: &Heard| {
        let action = Action::Listen(Listen {
            to: ListenTo::Everyone,
            heard: Some(heard.clone()),
            marks: true,
            ends: true,
        });
        let request = Request { session: None, read_to: None, need: None, action };
        match all.ask(n, &request).data.outcome {
            Outcome::Heard(page) => page,
            other => panic!("somebody listened: {other:?}"),
        }
    };
    // First a part from the machine whose changes are known; the rest, in parts as well, from another.
    let mut heard = Vec::new();
    eventually(|| {
        let page = listen(usize::from(!heard.is_empty()), &mark);
        heard.extend(texts(&page));
        mark = page.heard;
        assert!(page.events.len() <= tern::limits::STREAM_EVENTS, "more than a page");
        (heard.len() >= expected.len()).then_some(())
    });
    heard.sort_unstable();
    assert_eq!(heard, expected);
    // Once all know all, none has anything left to tell.
    for n in 0..3 {
        eventually(|| (super::everyone(&all, n).first()? == "number 49").then_some(()));
        let page = listen(n, &mark);
        assert_eq!(texts(&page), Vec::<String>::new(), "machine {n}");
        mark = page.heard;
    }
}

#[test]
fn nobody_listens_at_home_without_a_session() {
    let all = Backends::start();
    let action =
        Action::Listen(Listen { to: ListenTo::Home, heard: None, marks: true, ends: true });
    let stranger = Request { session: None, read_to: None, need: None, action };
    assert_eq!(all.ask(0, &stranger).data.outcome, Outcome::Refused(Refusal::SignedOut));
    let action =
        Action::Listen(Listen { to: ListenTo::Everyone, heard: None, marks: true, ends: true });
    let stranger = Request { action, ..stranger };
    assert!(matches!(all.ask(0, &stranger).data.outcome, Outcome::Heard(_)));
}
