//! What somebody took back, or from somebody: no machine that is in touch goes on to show it once that is told.

use tern::action::{
    Action, EditPost, EditProfile, Keep, KeepersDeed, NewPost, OnePost, RequestKey, ThreadOf, Whom,
};
use tern::id::RequestId;
use tern::user::entry::PostRef;
use tern::wire::request::{Outcome, PostView, Refusal};

use super::sessions::{LATE, WAIT, caller, make_known, sessions_of};
use crate::cluster::harness::eventually;
use crate::cluster::person::Person;
use crate::member::harness::Caller;
use crate::torture::fleet::Fleet;
use crate::torture::proxy::Mode;

/// Three machines of which one is far away, one member who writes by machine 1, and one who reads by all.
struct Apart {
    fleet: Fleet,
    machines: Caller,
    ada: String,
    ben: String,
}

impl Apart {
    fn start() -> Self {
        let fleet = Fleet::start();
        let machines = caller(fleet.keys.clone(), fleet.door_addresses());
        eventually("the machines are up", WAIT, || fleet.is_well().then_some(()));
        let [ada, ben] = ["ada", "ben"].map(|name| {
            let mut person = Person::new(&fleet.site(), name);
            person.join();
            if name == "ada" {
                fleet.make_keeper(name);
                assert_eq!(person.login().status, 303);
            }
            make_known(&machines, 1, &[&person]);
            let [_, session] = sessions_of(&person);
            session
        });
        Self { fleet, machines, ada, ben }
    }

    fn does(&self, session: &str, action: Action) -> Option<PostRef> {
        match self.machines.ask(1, Some(session), action).unwrap().data.outcome {
            Outcome::Saved(saved) => {
                saved.post.map(|id| PostRef { user: name_in(session).parse().unwrap(), id })
            }
            other => panic!("not done: {other:?}"),
        }
    }

    fn posts(&self, session: &str) -> PostRef {
        let (key, text) = (self.machines.key(), "Not for long".to_owned());
        let (note, pictures, sent) = (String::new(), Vec::new(), Vec::new());
        let post = NewPost {
            key,
            text,
            reply_to: None,
            note,
            pictures,
            sent,
            sensitive: false,
            for_everybody: false,
        };
        self.does(session, Action::Post(post)).unwrap()
    }

    /// What a machine tells somebody, or nobody that it knows, of a post.
    fn told(&self, node: u16, session: Option<&str>, post: &PostRef) -> Outcome {
        let thread = ThreadOf { post: post.clone(), posted: None, after: None, limit: None };
        self.machines.ask(node, session, Action::Thread(thread)).unwrap().data.outcome
    }

    /// Waits until machines 1 and 2 take each other for down, or no longer do.
    fn wait_until_apart(&self, is_apart: bool) {
        for (by, other) in [(1, 2), (2, 1)] {
            eventually("they know of the line", WAIT, || {
                let answer = self.machines.ask(by, None, Action::ClusterStatus).unwrap();
                let Outcome::Status(page) = answer.data.outcome else { panic!("{answer:?}") };
                let row = page.machines.iter().find(|row| row.node.get() == other).unwrap();
                (row.down_since.is_some() == is_apart).then_some(())
            });
        }
    }

    fn wait_until_shown(&self, session: Option<&str>, post: &PostRef) {
        for node in 1..=3 {
            eventually("a post is shown", WAIT, || {
                matches!(self.told(node, session, post), Outcome::Thread(_)).then_some(())
            });
        }
    }

    /// Does something while each machine in turn is far away, and looks at what all tell then, at once, of a
    /// post that all showed before.
    fn check(&self, done: impl Fn(&PostRef) -> Action, is_right: impl Fn(&Outcome) -> bool) {
        for slow in 0..3 {
            let post = self.posts(&self.ben);
            self.wait_until_shown(None, &post);
            self.fleet.set_ways(slow, LATE, LATE);
            let action = done(&post);
            let by = if matches!(action, Action::Keep(_)) { &self.ada } else { &self.ben };
            self.does(by, action);
            for node in 1..=3 {
                let told = self.told(node, None, &post);
                assert!(is_right(&told), "{node}, slow: {slow}: {told:?}");
            }
            self.fleet.set_ways(slow, Mode::Pass, Mode::Pass);
        }
    }
}

/// Whose session it is.
fn name_in(session: &str) -> &str {
    session.split('.').next().unwrap()
}

/// The post that somebody was told of.
fn shown(told: &Outcome) -> Option<&PostView> {
    match told {
        Outcome::Thread(page) => Some(&page.post),
        _ => None,
    }
}

/// Blocks, and followers removed, were heard of by the slowest machine only some moments after somebody was told.
#[test]
fn r0233_whoever_is_blocked_is_shown_nothing_anywhere_once_that_is_told() {
    let all = Apart::start();
    let post = all.posts(&all.ada);
    let whom = || Whom { key: all.machines.key(), username: "ben".parse().unwrap() };
    for slow in 0..3 {
        all.wait_until_shown(Some(&all.ben), &post);
        all.fleet.set_ways(slow, LATE, LATE);
        all.does(&all.ada, Action::Block(whom()));
        for node in 1..=3 {
            let told = all.told(node, Some(&all.ben), &post);
            assert_eq!(told, Outcome::Refused(Refusal::NotFound), "{node}, slow: {slow}");
        }
        all.fleet.set_ways(slow, Mode::Pass, Mode::Pass);
        all.does(&all.ada, Action::Unblock(whom()));
    }
    // Also by a machine that the one where it is done cannot reach, while a third reaches both.
    for (mode, is_known) in [(Mode::Cut, false), (Mode::Cut, true), (Mode::SwallowThere, false)] {
        all.wait_until_shown(Some(&all.ben), &post);
        all.fleet.set_line(0, 1, mode);
        if is_known {
            all.wait_until_apart(true);
        }
        all.does(&all.ada, Action::Block(whom()));
        let told = all.told(2, Some(&all.ben), &post);
        assert_eq!(told, Outcome::Refused(Refusal::NotFound), "{mode:?}, known: {is_known}");
        all.fleet.set_line(0, 1, Mode::Pass);
        all.wait_until_apart(false);
        all.does(&all.ada, Action::Unblock(whom()));
    }
}

/// The slowest machine went on for some moments to show what was deleted, and took votes for it.
#[test]
fn r0256_what_is_taken_back_is_shown_nowhere_once_that_is_told() {
    let all = Apart::start();
    let key = || all.machines.key();
    all.check(
        |post| Action::DeletePost(OnePost { key: key(), id: post.id }),
        |told| *told == Outcome::Refused(Refusal::Gone),
    );
    let edited = "Said better";
    all.check(
        |post| {
            let (id, text, note) = (post.id, edited.to_owned(), String::new());
            Action::EditPost(EditPost {
                key: key(),
                id,
                text,
                note,
                sensitive: None,
                descriptions: None,
            })
        },
        |told| shown(told).is_some_and(|post| post.text == edited),
    );
    all.check(
        |post| {
            let (deed, reason) = (KeepersDeed::Hide(post.clone()), "Spam".to_owned());
            let (closes, password) = (None, String::new());
            Action::Keep(Keep { key: key(), deed, reason, closes, password })
        },
        |told| shown(told).is_some_and(|post| post.text.is_empty() && post.hidden.is_some()),
    );
    let profile = |members_only| {
        let (display_name, bio) = (String::new(), String::new());
        let (avatar, untouched, posts_for) = Default::default();
        let key = key();
        Action::EditProfile(EditProfile {
            key,
            display_name,
            bio,
            members_only,
            posts_for,
            avatar,
            untouched,
        })
    };
    for slow in 0..3 {
        all.does(&all.ben, profile(false));
        let post = all.posts(&all.ben);
        all.wait_until_shown(None, &post);
        all.fleet.set_ways(slow, LATE, LATE);
        all.does(&all.ben, profile(true));
        for node in 1..=3 {
            let told = all.told(node, None, &post);
            assert_eq!(told, Outcome::Refused(Refusal::NotFound), "{node}, slow: {slow}");
        }
        all.fleet.set_ways(slow, Mode::Pass, Mode::Pass);
    }
}

/// Sent again to another machine, the same request was answered before the slowest had heard of it.
#[test]
fn r0280_what_is_taken_back_is_shown_nowhere_once_that_is_told_again() {
    let all = Apart::start();
    let post = all.posts(&all.ben);
    all.wait_until_shown(None, &post);
    all.fleet.set_ways(2, LATE, LATE);
    let deletes = || {
        Action::DeletePost(OnePost {
            key: RequestKey { ops: 0, id: RequestId([7; 16]) },
            id: post.id,
        })
    };
    std::thread::scope(|scope| {
        scope.spawn(|| all.does(&all.ben, deletes()));
        let gone = Outcome::Refused(Refusal::Gone);
        eventually("it is gone there", WAIT, || (all.told(1, None, &post) == gone).then_some(()));
        let again = all.machines.ask(2, Some(&all.ben), deletes()).unwrap().data.outcome;
        assert!(matches!(again, Outcome::Saved(_)), "{again:?}");
        assert_eq!(all.told(3, None, &post), gone);
    });
}
