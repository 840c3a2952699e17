//! For whom somebody's posts are that do not say it, asked of the machines themselves.

use rustix::process::Signal;
use tern::action::{Action, AvatarWish, EditProfile, NewPost, PostPoll, ThreadOf, Untouched};
use tern::limits::{BIO_CHARS_MAX, DEAD_BYTES_MIN};
use tern::user::entry::{Audience, PostRef};
use tern::wire::request::{Outcome, Refusal, Request};

use super::apart::Person;
use super::{Backends, eventually};

const FEW: [Audience; 2] = [Audience::Quiet, Audience::Followers];

impl Person<'_> {
    /// What says this alone of the profile.
    fn choosing(&self, posts_for: Audience) -> Action {
        let untouched = Untouched { display_name: true, bio: true, members_only: true };
        self.editing(String::new(), Some(posts_for), untouched)
    }

    fn editing(&self, bio: String, posts_for: Option<Audience>, untouched: Untouched) -> Action {
        Action::EditProfile(EditProfile {
            key: self.key(),
            display_name: String::new(),
            bio,
            members_only: false,
            posts_for,
            avatar: AvatarWish::Keep,
            untouched,
        })
    }

    fn saved_at(&self, n: usize, action: Action) -> Option<PostRef> {
        match self.ask_at(n, action) {
            Outcome::Saved(saved) => {
                saved.post.map(|id| PostRef { user: "ada".parse().unwrap(), id })
            }
            other => panic!("not saved: {other:?}"),
        }
    }

    /// Whom a post is for that is written at a machine and says this of it.
    fn posted_at(&self, n: usize, says: impl FnOnce(NewPost) -> Action) -> Audience {
        let Action::Post(post) = self.posting("@ada Tea", None) else { panic!("no post") };
        let post = self.saved_at(n, says(post)).unwrap();
        let (posted, after, limit) = (None, None, None);
        match self.ask_at(n, Action::Thread(ThreadOf { post, posted, after, limit })) {
            Outcome::Thread(thread) => thread.post.audience,
            other => panic!("a thread was asked for: {other:?}"),
        }
    }

    /// The same of one that says nothing.
    fn usual_at(&self, n: usize) -> Audience {
        self.posted_at(n, Action::Post)
    }
}

/// An app's post went out to everybody, whoever its author always posts for. It goes by what was saved last,
/// at whichever machine, also before the one that writes it has heard of that.
#[test]
fn r0261_post_is_for_whom_its_author_said_a_moment_ago_at_another_machine() {
    let all = Backends::without_rate_limits();
    let ada = Person::join(&all, "ada", 1);
    assert_eq!(ada.usual_at(1), Audience::Everyone);
    for round in 0..6 {
        let usual = Audience::USUAL[round % 3];
        let [here, there, third] = [round, round + 1, round + 2].map(|n| n % 3);
        // It stands still, and hears of it when it is asked already.
        all.signal(there, Signal::STOP);
        ada.saved_at(here, ada.choosing(usual));
        all.signal(there, Signal::CONT);
        assert_eq!(ada.usual_at(there), usual, "round {round}");
        assert_eq!(ada.usual_at(third), usual, "round {round}");
    }
    let poll = tern::action::NewPoll {
        options: ["a", "b"].map(str::to_owned).to_vec(),
        lasts_s: 600,
        many: false,
        hides_votes: false,
    };
    let asks = |post| {
        let audience = Audience::Everyone;
        Action::PostPoll(PostPoll { audience, post, poll })
    };
    assert_eq!(ada.posted_at(0, asks), Audience::Followers);
    // What is said holds.
    for said in Audience::ALL {
        assert_eq!(ada.posted_at(1, |post| post.action(Some(said), None)), said);
    }
}

impl Backends {
    /// Kills all machines and starts them again.
    fn restart(&mut self) {
        (0..3).for_each(|n| self.kill(n));
        (0..3).for_each(|n| self.spawn(n));
        (0..3).for_each(|n| self.wait_until_writable(n));
    }
}

#[test]
fn r0262_whom_posts_are_for_outlasts_starts_and_compaction() {
    let mut all = Backends::without_rate_limits();
    let session = {
        let ada = Person::join(&all, "ada", 1);
        ada.saved_at(0, ada.choosing(Audience::Followers));
        ada.session.clone()
    };
    all.restart();
    {
        let ada = Person::again(&all, &session, 40);
        assert_eq!([0, 1, 2].map(|n| ada.usual_at(n)), [Audience::Followers; 3]);
        // So little of the file says anything any more that it is compacted.
        let bio = "\u{1f426}".repeat(BIO_CHARS_MAX - 4);
        for number in 0..2 * DEAD_BYTES_MIN / bio.len() as u64 {
            let (bio, untouched) = (format!("{bio}{number}"), Untouched::default());
            ada.saved_at(1, ada.editing(bio, None, untouched));
        }
        let text = |n| std::fs::read_to_string(all.data(n).join("users/ada.jsonl")).unwrap();
        let is_compact = |n| text(n).contains("\"k\":\"s\"");
        (0..3).for_each(|n| eventually(|| is_compact(n).then_some(())));
        assert_eq!([0, 1, 2].map(|n| ada.usual_at(n)), [Audience::Followers; 3]);
    }
    all.restart();
    let ada = Person::again(&all, &session, 240);
    assert_eq!([0, 1, 2].map(|n| ada.usual_at(n)), [Audience::Followers; 3]);
}

/// A program that knows nothing of it would forget it, and post to everybody.
#[test]
fn r0263_whom_posts_are_for_is_kept_once_all_machines_understand_it() {
    let all = Backends::as_before_an_upgrade();
    let ada = Person::join(&all, "ada", 1);
    for few in FEW {
        ada.may_not(ada.choosing(few), &Refusal::NotYet);
    }
    ada.does(ada.choosing(Audience::Everyone));
    assert_eq!(ada.usual_at(1), Audience::Everyone);
}

#[test]
fn r0264_whom_posts_are_for_is_nobody_elses_to_know_and_none_that_they_name() {
    let mut all = Backends::without_rate_limits();
    let session = {
        let (ada, ben) = (Person::join(&all, "ada", 1), Person::join(&all, "ben", 2));
        let before = ben.profile("ada");
        ada.saved_at(0, ada.choosing(Audience::Followers));
        assert_eq!(ben.profile("ada"), before);
        let usual = |person: &Person<'_>| {
            let (session, read_to) = (Some(person.session.clone()), None);
            let action = Action::CheckSession;
            let told = all.ask(0, &Request { session, read_to, need: None, action });
            told.data.viewer.unwrap().posts_for
        };
        assert_eq!((usual(&ada), usual(&ben)), (Audience::Followers, Audience::Everyone));
        let refused = ada.ask(ada.choosing(Audience::Named));
        assert!(matches!(refused, Outcome::Refused(Refusal::BadRequest { .. })), "{refused:?}");
        assert_eq!(ada.usual_at(2), Audience::Followers);
        ada.session.clone()
    };
    // Alone, a machine neither changes it nor posts by it.
    (1..3).for_each(|n| all.kill(n));
    let ada = Person::again(&all, &session, 90);
    let acts = [ada.choosing(Audience::Everyone), ada.posting("Tea", None)];
    for action in acts {
        let request = Request { session: Some(session.clone()), read_to: None, need: None, action };
        eventually(|| match all.ask(0, &request).data.outcome {
            Outcome::Refused(Refusal::NoMajority { .. }) => Some(()),
            Outcome::Refused(_) => None,
            other => panic!("done alone: {other:?}"),
        });
    }
}
