//! Muting and blocking: what each of the two is shown and may do, on every machine.

use tern::action::{
    Action, After, AvatarWish, EditProfile, ExportFrom, MuteFor, NewPost, Page, PageOf, PeopleOf,
    Search, ThreadOf, Untouched, Whom,
};
use tern::id::{PostId, UserName};
use tern::user::entry::PostRef;
use tern::wire::request::{Apart, Outcome, ProfilePage, Refusal, Request};

use super::{Backends, eventually, joined, key};

fn name(text: &str) -> UserName {
    text.parse().unwrap()
}

/// One person's requests to one machine, each under a key of its own.
pub(super) struct Person<'a> {
    pub(super) all: &'a Backends,
    pub(super) session: String,
    pub(super) number: std::cell::Cell<u8>,
}

impl<'a> Person<'a> {
    pub(super) fn join(all: &'a Backends, name: &str, number: u8) -> Self {
        let session = joined(all, 0, name, number);
        Self { all, session, number: std::cell::Cell::new(number * 20) }
    }

    /// The same person's session, with keys from a number on.
    pub(super) fn again(all: &'a Backends, session: &str, number: u8) -> Self {
        Self { all, session: session.to_owned(), number: std::cell::Cell::new(number) }
    }

    pub(super) fn key(&self) -> tern::action::RequestKey {
        self.number.set(self.number.get() + 1);
        key(self.number.get())
    }

    pub(super) fn ask_at(&self, n: usize, action: Action) -> Outcome {
        let request =
            Request { session: Some(self.session.clone()), action, read_to: None, need: None };
        self.all.ask_until_known(n, &request).data.outcome
    }

    pub(super) fn ask(&self, action: Action) -> Outcome {
        self.ask_at(0, action)
    }

    pub(super) fn does(&self, action: Action) {
        let outcome = self.ask(action);
        assert!(matches!(outcome, Outcome::Saved(_)), "{outcome:?}");
    }

    pub(super) fn may_not(&self, action: Action, why: &Refusal) {
        assert_eq!(self.ask(action), Outcome::Refused(why.clone()));
    }

    pub(super) fn whom(&self, user: &str) -> Whom {
        Whom { key: self.key(), username: name(user) }
    }

    pub(super) fn post(&self, text: &str, reply_to: Option<&PostRef>) -> PostId {
        match self.ask(self.posting(text, reply_to)) {
            Outcome::Saved(saved) => saved.post.unwrap(),
            other => panic!("not posted: {other:?}"),
        }
    }

    pub(super) fn posting(&self, text: &str, reply_to: Option<&PostRef>) -> Action {
        let reply_to = reply_to.cloned();
        let (text, note) = (text.to_owned(), String::new());
        Action::Post(NewPost {
            key: self.key(),
            text,
            note,
            reply_to,
            pictures: Vec::new(),
            sent: Vec::new(),
            sensitive: false,
            for_everybody: false,
        })
    }

    fn texts_at(&self, n: usize, action: Action) -> Vec<String> {
        match self.ask_at(n, action) {
            Outcome::Posts(page) => page.posts.into_iter().map(|post| post.text).collect(),
            other => panic!("a list was asked for: {other:?}"),
        }
    }

    pub(super) fn everyone(&self) -> Vec<String> {
        self.texts_at(0, Action::Everyone(Page::default()))
    }

    fn home(&self) -> Vec<String> {
        self.texts_at(0, Action::Home(Page::default()))
    }

    pub(super) fn profile(&self, user: &str) -> ProfilePage {
        match self.ask(Action::Profile(PageOf { username: name(user), before: None })) {
            Outcome::Profile(profile) => profile,
            other => panic!("a profile was asked for: {other:?}"),
        }
    }

    /// The texts that answer a post.
    fn replies(&self, post: &PostRef) -> Vec<String> {
        match self.ask(Action::Thread(ThreadOf {
            post: post.clone(),
            posted: None,
            after: None,
            limit: None,
        })) {
            Outcome::Thread(thread) => {
                thread.replies.into_iter().map(|reply| reply.post.text).collect()
            }
            other => panic!("a thread was asked for: {other:?}"),
        }
    }

    fn followers(&self, user: &str) -> Vec<String> {
        let asked = PeopleOf { username: name(user), after: None };
        match self.ask(Action::Followers(asked)) {
            Outcome::People(page) => {
                page.people.iter().map(|row| row.person.username.to_string()).collect()
            }
            other => panic!("followers were asked for: {other:?}"),
        }
    }

    fn kept_apart(&self) -> Vec<(String, Apart)> {
        match self.ask(Action::KeptApart(After::default())) {
            Outcome::KeptApart(list) => {
                assert_eq!(list.more_after, None);
                let row = |row: tern::wire::request::ApartRow| {
                    (row.person.username.to_string(), row.apart)
                };
                list.people.into_iter().map(row).collect()
            }
            other => panic!("a list was asked for: {other:?}"),
        }
    }
}

#[test]
fn muted_shown_nowhere_and_may_go_on() {
    let all = Backends::start();
    let (ada, ben) = (Person::join(&all, "ada", 1), Person::join(&all, "ben", 2));
    let cleo = Person::join(&all, "cleo", 3);
    ada.does(Action::Follow(ada.whom("ben")));
    let root = PostRef { user: name("ada"), id: ada.post("from ada", None) };
    ben.post("from ben", Some(&root));
    ben.post("and more", None);
    assert_eq!(ada.home(), ["and more", "from ben", "from ada"]);

    ada.does(Action::Mute(ada.whom("ben")));
    assert_eq!((ada.home(), ada.everyone()), (vec!["from ada".to_owned()], ada.home()));
    assert!(ada.replies(&root).is_empty());
    let profile = ada.profile("ben");
    assert_eq!(profile.apart, Some(Apart { mutes: true, ..Apart::default() }));
    assert!(profile.page.posts.is_empty() && profile.followed == Some(true));
    // He may go on, and knows nothing of it; nor has it to do with anybody else.
    ben.post("still here", Some(&root));
    assert_eq!(ben.profile("ada").apart, None);
    assert_eq!(cleo.replies(&root), ["from ben", "still here"]);
    for n in 1..3 {
        let all = Action::Everyone(Page::default());
        eventually(|| (ada.texts_at(n, all.clone()) == ["from ada"]).then_some(()));
    }

    let muted = Apart { mutes: true, ..Apart::default() };
    assert_eq!(ada.kept_apart(), [("ben".to_owned(), muted)]);
    ada.does(Action::Unmute(ada.whom("ben")));
    assert_eq!(ada.replies(&root), ["from ben", "still here"]);
    assert!(ada.kept_apart().is_empty());
}

#[test]
fn blocked_neither_sees_nor_follows_nor_answers() {
    let all = Backends::start();
    let (ada, ben) = (Person::join(&all, "ada", 1), Person::join(&all, "ben", 2));
    let cleo = Person::join(&all, "cleo", 3);
    ada.does(Action::Follow(ada.whom("ben")));
    for person in [&ben, &cleo] {
        person.does(Action::Follow(person.whom("ada")));
    }
    let root = PostRef { user: name("ada"), id: ada.post("from ada", None) };
    let theirs = PostRef { user: name("ben"), id: ben.post("from ben", Some(&root)) };

    ada.does(Action::Block(ada.whom("ben")));
    assert_eq!(
        (ada.everyone(), ben.everyone()),
        (vec!["from ada".into()], vec!["from ben".into()])
    );
    assert_eq!(ben.home(), ["from ben"]);
    assert_eq!(cleo.replies(&root), ["from ben"]);
    for (person, post) in [(&ada, &theirs), (&ben, &root)] {
        let thread =
            Action::Thread(ThreadOf { post: post.clone(), posted: None, after: None, limit: None });
        person.may_not(thread, &Refusal::NotFound);
        person.may_not(person.posting("but", Some(post)), &Refusal::Blocked);
    }
    ben.may_not(Action::Follow(ben.whom("ada")), &Refusal::Blocked);
    ada.may_not(Action::Follow(ada.whom("ben")), &Refusal::Blocked);
    // Following has ended both ways, though only one of them has said so.
    assert_eq!(cleo.followers("ada"), ["cleo"]);
    assert!(cleo.followers("ben").is_empty());
    let (hers, his) = (cleo.profile("ada"), cleo.profile("ben"));
    assert_eq!([hers.followers, hers.following, his.followers, his.following], [1, 0, 0, 0]);
    let seen = ben.profile("ada");
    assert_eq!(seen.apart, Some(Apart { is_blocked: true, ..Apart::default() }));
    assert!(seen.followed.is_none() && seen.page.posts.is_empty());

    ada.does(Action::Unblock(ada.whom("ben")));
    assert_eq!(ben.everyone(), ["from ben", "from ada"]);
    ada.does(Action::Follow(ada.whom("ben")));
}

/// Whether ben follows ada, as every machine tells it in each of its views.
fn all_tell_that_he_follows(all: &Backends, [adas, bens]: [&str; 2], follows: bool) {
    let (ada, ben) = (Person::again(all, adas, 0), Person::again(all, bens, 0));
    for n in 0..3 {
        let home = || ben.texts_at(n, Action::Home(Page::default())).len();
        eventually(|| (home() == usize::from(follows)).then_some(()));
        let Outcome::News(news) = ada.ask_at(n, Action::News(Page::default())) else {
            panic!("news were asked for")
        };
        assert_eq!(news.news.len(), usize::from(follows), "{news:?}");
    }
    let expected: Vec<&str> = if follows { vec!["ben"] } else { Vec::new() };
    assert_eq!(ada.followers("ada"), expected);
    let (hers, his) = (ben.profile("ada"), ada.profile("ben"));
    assert_eq!((hers.followed, hers.followers), (Some(follows), u32::from(follows)));
    assert_eq!(his.following, u32::from(follows));
}

#[test]
fn r0084_unblocking_or_removing_brings_no_follower_back_until_they_follow_anew() {
    let mut all = Backends::start();
    let sessions = {
        let (ada, ben) = (Person::join(&all, "ada", 1), Person::join(&all, "ben", 2));
        ben.does(Action::Follow(ben.whom("ada")));
        ada.post("from ada", None);
        [ada.session, ben.session]
    };
    let both = [sessions[0].as_str(), sessions[1].as_str()];
    all_tell_that_he_follows(&all, both, true);
    // A machine that starts again reads it from its files.
    for (restarted, ends) in [(1, "by unblocking"), (2, "by removing")] {
        {
            let number = 100 + 50 * u8::try_from(restarted).unwrap();
            let ada = Person::again(&all, both[0], number);
            let ben = Person::again(&all, both[1], number + 10);
            if ends == "by unblocking" {
                ada.does(Action::Block(ada.whom("ben")));
                ada.does(Action::Unblock(ada.whom("ben")));
            } else {
                ada.does(Action::RemoveFollower(ada.whom("ben")));
                // Once more: nothing is to be done.
                ada.does(Action::RemoveFollower(ada.whom("ben")));
            }
            all_tell_that_he_follows(&all, both, false);
            if ends == "by unblocking" {
                ben.does(Action::Follow(ben.whom("ada")));
                all_tell_that_he_follows(&all, both, true);
            }
        }
        all.kill(restarted);
        all.spawn(restarted);
        // The others may not have noticed yet that it was gone.
        all.wait_until_all_up(restarted);
        all_tell_that_he_follows(&all, both, ends == "by unblocking");
    }
    let export = Action::Export(ExportFrom::default());
    let Outcome::Export(page) = Person::again(&all, both[1], 0).ask(export) else {
        panic!("an export was asked for")
    };
    assert!(page.profile.unwrap().follows.is_empty());
}

#[test]
fn mute_refused_until_all_machines_understand_it() {
    let all = Backends::as_before_an_upgrade();
    let ada = Person::join(&all, "ada", 1);
    let _ben = Person::join(&all, "ben", 2);
    ada.may_not(Action::Mute(ada.whom("ben")), &Refusal::NotYet);
    ada.may_not(Action::Block(ada.whom("ben")), &Refusal::NotYet);
    ada.may_not(Action::RemoveFollower(ada.whom("ben")), &Refusal::NotYet);
    let (key, username) = (ada.key(), name("ben"));
    ada.may_not(Action::MuteFor(MuteFor { key, username, lasts_s: 60 }), &Refusal::NotYet);
    ada.does(Action::Follow(ada.whom("ben")));
}

#[test]
fn pictures_are_covered_once_all_machines_understand_it() {
    let all = Backends::as_before_an_upgrade();
    let ada = Person::join(&all, "ada", 1);
    let Action::Post(post) = ada.posting("Mind", None) else { panic!("a post was to be written") };
    ada.may_not(Action::Post(NewPost { sensitive: true, ..post }), &Refusal::NotYet);
    ada.does(ada.posting("Mind", None));
}

/// What a stranger is answered by each machine.
fn stranger(all: &Backends, n: usize, action: Action) -> Outcome {
    all.ask(n, &Request { session: None, action, read_to: None, need: None }).data.outcome
}

#[test]
fn posts_for_members_only_are_shown_to_no_stranger() {
    let all = Backends::without_rate_limits();
    let ada = Person::join(&all, "ada", 1);
    let ben = Person::join(&all, "ben", 2);
    let post = PostRef { user: name("ada"), id: ada.post("among us #seeds", None) };
    let edit = |members_only| {
        Action::EditProfile(EditProfile {
            key: ada.key(),
            display_name: "Ada".to_owned(),
            bio: String::new(),
            members_only,
            posts_for: None,
            avatar: AvatarWish::Keep,
            untouched: Untouched::default(),
        })
    };
    let profile = || Action::Profile(PageOf { username: name("ada"), before: None });
    let thread =
        || Action::Thread(ThreadOf { post: post.clone(), posted: None, after: None, limit: None });
    let search =
        || Action::Search(Search { query: "among".to_owned(), before: None, address: None });
    let sees = |n, is_shown: bool| {
        let Outcome::Profile(seen) = stranger(&all, n, profile()) else { return false };
        let Outcome::Posts(list) = stranger(&all, n, Action::Everyone(Page::default())) else {
            return false;
        };
        let Outcome::Found(found) = stranger(&all, n, search()) else { return false };
        let thread = matches!(stranger(&all, n, thread()), Outcome::Thread(_));
        seen.members_only != is_shown
            && seen.page.posts.is_empty() != is_shown
            && list.posts.is_empty() != is_shown
            && found.posts.is_empty() != is_shown
            && thread == is_shown
    };
    for (members_only, is_shown) in [(false, true), (true, false), (false, true)] {
        ada.ask(edit(members_only));
        for n in 0..3 {
            eventually(|| sees(n, is_shown).then_some(()));
            assert_eq!(ben.texts_at(n, Action::Everyone(Page::default())).len(), 1);
        }
    }
}
