//! Keepers, sign-up and moderation: what is enforced by the backends themselves, whichever page or
//! program asks.

use tern::action::{
    Action, After, ApiRead, DeleteAccount, EndInvitation, Invite, Join, Keep, KeepersDeed, Keyed,
    Login, Next, Page, PageOf, PeopleList, Problem, Report, SetHouse, ThreadOf, code_hash,
};
use tern::id::UserName;
use tern::limits::FRAME_BYTES_MAX;
use tern::transport::Role;
use tern::transport::connection::dial;
use tern::user::entry::{House, PostRef, Signup};
use tern::wire::operator::{Answer, Question};
use tern::wire::request::{
    ApiReply, Field, FieldProblem, Hindered, LogRow, Outcome, PostView, Refusal, ReportsPage,
    Request,
};
use tern::wire::upkeep::{Order, Refused, Told};

use super::apart::Person;
use super::{Backends, WAIT, eventually, key, opening};

fn name(text: &str) -> UserName {
    text.parse().unwrap()
}

/// Asks a machine as `tern user admin` does.
fn operator(all: &Backends, question: &Question) -> Answer {
    let address = format!("127.0.0.1:{}", all.ports[0]);
    let mut connection = dial(&address, Role::Operator, &all.keys, WAIT).unwrap();
    connection.send(&serde_json::to_vec(question).unwrap(), &[], WAIT).unwrap();
    let frame = connection.receive(FRAME_BYTES_MAX, WAIT).unwrap();
    serde_json::from_slice(&frame.header).unwrap()
}

fn set_keeper(all: &Backends, user: &str, is_keeper: bool) -> Told {
    let order = Order::SetKeeper { user: name(user), is_keeper };
    match operator(all, &Question::Upkeep(order)) {
        Answer::Upkeep(told) => told,
        other => panic!("an order was given: {other:?}"),
    }
}

/// A community with a keeper called ada, and these members.
pub(super) fn kept<'a, const N: usize>(
    all: &'a Backends,
    members: [&str; N],
) -> (Person<'a>, [Person<'a>; N]) {
    let ada = Person::join(all, "ada", 1);
    let mut number = 1;
    let members = members.map(|member| {
        number += 1;
        Person::join(all, member, number)
    });
    assert_eq!(set_keeper(all, "ada", true), Told::Done);
    // Who may do more signs in anew.
    ada.may_not(Action::Sessions, &Refusal::SignedOut);
    let ada = Person { session: signed_in(all, "ada"), ..ada };
    (ada, members)
}

impl Person<'_> {
    pub(super) fn keeping(&self, deed: KeepersDeed, reason: &str) -> Action {
        Action::Keep(Keep {
            key: self.key(),
            deed,
            reason: reason.to_owned(),
            closes: None,
            password: String::new(),
        })
    }

    pub(super) fn keeps(&self, deed: KeepersDeed, reason: &str) {
        self.does(self.keeping(deed, reason));
    }

    pub(super) fn sets(&self, house: House) {
        self.does(Action::SetHouse(SetHouse { key: self.key(), house, password: String::new() }));
    }

    fn reports(&self, post: &PostRef, reason: &str) {
        let report = Report { key: self.key(), post: post.clone(), reason: reason.to_owned() };
        self.does(Action::Report(report));
    }

    fn queue(&self) -> ReportsPage {
        match self.ask(Action::Reports(Next::default())) {
            Outcome::Reports(page) => page,
            other => panic!("reports were asked for: {other:?}"),
        }
    }

    fn log(&self) -> Vec<LogRow> {
        match self.ask(Action::KeepersLog(Next::default())) {
            Outcome::KeepersLog(page) => page.acts,
            other => panic!("the log was asked for: {other:?}"),
        }
    }

    fn sees(&self, post: &PostRef) -> PostView {
        match self.ask(Action::Thread(ThreadOf {
            post: post.clone(),
            posted: None,
            after: None,
            limit: None,
        })) {
            Outcome::Thread(thread) => thread.post,
            other => panic!("a thread was asked for: {other:?}"),
        }
    }

    /// Makes an invitation with this code for so many.
    pub(super) fn invites(&self, code: &str, uses: u32) {
        let invite = Invite { key: self.key(), code: code_hash(code), uses, days: 1 };
        self.does(Action::Invite(invite));
    }
}

/// The session of somebody who signs in.
fn signed_in(all: &Backends, user: &str) -> String {
    let action = Action::Login(Login {
        key: key(99),
        username: user.to_owned(),
        password: "a quiet gull sleeps".to_owned(),
        opening: opening(),
    });
    all.ask(0, &Request { session: None, action, read_to: None, need: None })
        .session
        .expect("a session")
}

/// Joins as a stranger, at one of the machines.
pub(super) fn join(all: &Backends, n: usize, user: &str, code: &str) -> Outcome {
    let action = Action::Join(Join {
        key: key(77),
        username: user.to_owned(),
        display_name: String::new(),
        password: "a quiet gull sleeps".to_owned(),
        code: code.to_owned(),
        opening: opening(),
    });
    all.ask(n, &Request { session: None, action, read_to: None, need: None }).data.outcome
}

pub(super) fn code_refused(problem: Problem) -> Outcome {
    let problems = vec![FieldProblem { field: Field::Code, problem }];
    Outcome::Refused(Refusal::Invalid { problems })
}

#[test]
fn keeper_made_and_ended_by_operator_alone() {
    let all = Backends::start();
    let (ada, [ben]) = kept(&all, ["ben"]);
    assert!(ada.queue().posts.is_empty());
    for asked in [
        Action::Reports(Next::default()),
        Action::House,
        Action::KeepersLog(Next::default()),
        Action::Members(tern::action::Members::default()),
        Action::AskingIn(tern::action::After::default()),
        ben.keeping(KeepersDeed::Suspend { user: name("ada"), hours: None }, "No."),
        Action::SetHouse(SetHouse {
            key: ben.key(),
            house: House::default(),
            password: String::new(),
        }),
    ] {
        ben.may_not(asked, &Refusal::NotFound);
    }
    let refused = set_keeper(&all, "nobody", true);
    assert!(
        matches!(refused, Told::Refused { kind: Refused::No, ref why } if why.contains("nobody")),
        "{refused:?}"
    );
    let leaving = DeleteAccount {
        key: ada.key(),
        username: "ada".to_owned(),
        password: "a quiet gull sleeps".to_owned(),
    };
    ada.may_not(Action::DeleteAccount(leaving), &Refusal::Keeper);
    assert_eq!(set_keeper(&all, "ada", false), Told::Done);
    let ada = Person { session: signed_in(&all, "ada"), ..ada };
    ada.may_not(Action::House, &Refusal::NotFound);
}

#[test]
fn reported_post_hidden_and_shown_again() {
    let all = Backends::start();
    let (ada, [ben, cleo]) = kept(&all, ["ben", "cleo"]);
    let post = PostRef { user: name("ben"), id: ben.post("rude words for @cleo", None) };
    cleo.reports(&post, "Rude.");
    let report = |reason: &str| {
        let reason = reason.to_owned();
        Action::Report(Report { key: ben.key(), post: post.clone(), reason })
    };
    let oneself = FieldProblem { field: Field::Username, problem: Problem::Wrong };
    ben.may_not(report("mine"), &Refusal::Invalid { problems: vec![oneself] });

    let waiting = ada.queue().posts;
    assert_eq!((waiting.len(), &waiting[0].of), (1, &post));
    assert_eq!(waiting[0].post.as_ref().unwrap().text, "rude words for @cleo");
    assert_eq!(waiting[0].reports[0].reason, "Rude.");
    let empty = FieldProblem { field: Field::Reason, problem: Problem::Empty };
    let hide = KeepersDeed::Hide(post.clone());
    ada.may_not(ada.keeping(hide.clone(), " "), &Refusal::Invalid { problems: vec![empty] });
    ada.keeps(hide, "We are kind here.");
    for reader in [&cleo, &ada] {
        let seen = reader.sees(&post);
        assert_eq!((seen.text.as_str(), seen.hidden.as_deref()), ("", Some("")));
        assert!(seen.mentions.is_empty());
    }
    let own = ben.sees(&post);
    assert_eq!(
        (own.text.as_str(), own.hidden.as_deref()),
        ("rude words for @cleo", Some("We are kind here."))
    );
    let stranger = Request {
        session: None,
        action: Action::Everyone(Page::default()),
        read_to: None,
        need: None,
    };
    eventually(|| match all.ask(1, &stranger).data.outcome {
        Outcome::Posts(page) => page.posts[0].text.is_empty().then_some(()),
        other => panic!("{other:?}"),
    });
    // What was reported is answered by that. A keeper who looks again reads there what was hidden.
    assert!(ada.queue().posts.is_empty());
    ada.keeps(KeepersDeed::Reopen(post.clone()), "");
    assert_eq!(ada.queue().posts[0].post.as_ref().unwrap().text, "rude words for @cleo");
    ada.keeps(KeepersDeed::Close(post.clone()), "");
    cleo.reports(&post, "Still rude.");
    assert_eq!(ada.queue().posts.len(), 1);
    ada.keeps(KeepersDeed::Show(post.clone()), "");
    assert_eq!(cleo.sees(&post).text, "rude words for @cleo");

    let log = ada.log();
    assert_eq!(log.len(), 5);
    assert_eq!(log[0].deed, Some(KeepersDeed::Show(post.clone())));
    assert!(log[0].is_newest && !log[4].is_newest && log[4].reason == "We are kind here.");
    ben.may_not(Action::KeepersLog(Next::default()), &Refusal::NotFound);
    ada.sets(House { shows_log: true, ..House::default() });
    assert_eq!(ben.log().len(), 6);
}

#[test]
fn suspended_writes_nothing_and_is_in_no_list() {
    let all = Backends::start();
    let (ada, [ben, cleo]) = kept(&all, ["ben", "cleo"]);
    let post = PostRef { user: name("ben"), id: ben.post("loud", None) };
    ada.keeps(KeepersDeed::Suspend { user: name("ben"), hours: None }, "Too loud.");
    let hindered = Hindered::Suspended { until: None, reason: "Too loud.".to_owned() };
    ben.may_not(ben.posting("louder", None), &Refusal::Hindered(hindered.clone()));
    ben.may_not(
        Action::Report(Report { key: ben.key(), post: post.clone(), reason: "x".to_owned() }),
        &Refusal::Hindered(hindered.clone()),
    );
    assert_eq!((ben.everyone(), cleo.everyone()), (vec!["loud".to_owned()], vec![]));
    let thread = Action::Thread(ThreadOf { post, posted: None, after: None, limit: None });
    cleo.may_not(thread, &Refusal::NotFound);
    let profile = cleo.profile("ben");
    assert!(profile.page.posts.is_empty() && profile.hindered == Some(hindered));
    // Leaving a device behind is everybody's right.
    ben.does(Action::EndOtherSessions(Keyed { key: ben.key() }));
    ada.keeps(KeepersDeed::Lift { user: name("ben") }, "");
    assert_eq!(cleo.everyone(), ["loud"]);
    ben.post("quiet", None);
    ada.keeps(KeepersDeed::Suspend { user: name("ben"), hours: Some(2) }, "Again.");
    let until = match ben.ask(ben.posting("louder", None)) {
        Outcome::Refused(Refusal::Hindered(Hindered::Suspended { until, .. })) => until.unwrap(),
        other => panic!("suspended: {other:?}"),
    };
    let in_minutes = (until.0 - tern::clock::Clock::system().wall().0) / 60_000;
    assert!((114..=120).contains(&in_minutes), "{in_minutes}");
}

#[test]
fn join_by_invitation_each_use_spent_once_however_many_race() {
    let all = Backends::without_rate_limits();
    let (ada, [ben]) = kept(&all, ["ben"]);
    ada.sets(House { signup: Signup::Invited, ..House::default() });
    for n in 0..3 {
        eventually(|| (join(&all, n, "eve", "") == code_refused(Problem::Empty)).then_some(()));
    }
    // A machine that has just started may lack one, and says that until it has compared with the others.
    let is_wrong = || join(&all, 0, "eve", "no such code") == code_refused(Problem::Wrong);
    eventually(|| is_wrong().then_some(()));
    let own = Invite { key: ben.key(), code: code_hash("abc"), uses: 1, days: 1 };
    ben.may_not(Action::Invite(own), &Refusal::NotFound);

    ada.invites("gull-and-tern", 2);
    for n in 0..3 {
        // What every machine knows of by then: that the code is somebody's.
        eventually(|| {
            let wrong = join(&all, n, "!", "GULL and tern");
            matches!(wrong, Outcome::Refused(Refusal::Invalid { ref problems })
                if problems[0].field == Field::Username)
            .then_some(())
        });
    }
    let racers = ["dora", "eva", "finn", "gus", "hana", "ivo"];
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let all = &all;
        let race = |(n, user)| scope.spawn(move || race_in(all, n, user, "Gull and TERN"));
        let threads: Vec<_> =
            racers.into_iter().enumerate().map(|(n, user)| race((n % 3, user))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let joined = outcomes.iter().filter(|it| matches!(it, Outcome::Saved(_))).count();
    assert_eq!(joined, 2, "{outcomes:?}");
    let used = outcomes.iter().filter(|it| **it == code_refused(Problem::Used)).count();
    assert_eq!(used, 4, "{outcomes:?}");
    let Outcome::Invitations(own) = ada.ask(Action::Invitations) else { panic!() };
    assert_eq!((own.rows.len(), own.rows[0].used_by.len()), (1, 2));

    // Ended, and members' own.
    ada.does(Action::EndInvitation(EndInvitation {
        key: ada.key(),
        code: code_hash("gull-and-tern"),
    }));
    assert_eq!(join(&all, 0, "jon", "gull-and-tern"), code_refused(Problem::Wrong));
    ada.sets(House { signup: Signup::Invited, members_invite: true, ..House::default() });
    ben.invites("from-ben", 1);
    assert!(matches!(join(&all, 0, "jon", "from-ben"), Outcome::Saved(_)));
    let Outcome::Members(page) =
        ada.ask(Action::Members(tern::action::Members { named: "jon".to_owned(), after: None }))
    else {
        panic!()
    };
    assert_eq!(page.members[0].inviter, Some(name("ben")));
}

/// Joins, asking again while nobody knows how it went or who is behind.
pub(super) fn race_in(all: &Backends, n: usize, user: &str, code: &str) -> Outcome {
    eventually(|| match join(all, n, user, code) {
        Outcome::Refused(Refusal::Busy { .. } | Refusal::Unknown | Refusal::Behind) => None,
        outcome if outcome == code_refused(Problem::Wrong) => None,
        outcome => Some(outcome),
    })
}

#[test]
fn join_by_approval_waits_and_closed_is_refused() {
    let all = Backends::without_rate_limits();
    let (ada, [ben]) = kept(&all, ["ben"]);
    ada.sets(House { signup: Signup::Approved, ..House::default() });
    let eve = Person::join(&all, "eve", 5);
    let waiting = Refusal::Hindered(Hindered::Waiting);
    eve.may_not(Action::Home(Page::default()), &waiting);
    eve.may_not(eve.posting("hello", None), &waiting);
    ben.may_not(
        Action::Profile(PageOf { username: name("eve"), before: None }),
        &Refusal::NotFound,
    );
    assert_eq!(ada.queue().asking_in, 1);
    ada.keeps(KeepersDeed::Refuse { user: name("eve") }, "Who are you?");
    let refused = Hindered::Refused { reason: "Who are you?".to_owned() };
    eve.may_not(eve.posting("hello", None), &Refusal::Hindered(refused));
    ada.keeps(KeepersDeed::Undecide { user: name("eve") }, "");
    assert_eq!(ada.queue().asking_in, 1);
    ada.keeps(KeepersDeed::Admit { user: name("eve") }, "");
    eve.post("hello", None);
    assert_eq!((ben.everyone(), ada.queue().asking_in), (vec!["hello".to_owned()], 0));
    ada.keeps(KeepersDeed::Undecide { user: name("eve") }, "");
    assert!(ben.everyone().is_empty());

    ada.sets(House {
        signup: Signup::Closed,
        words: "We are full.".to_owned(),
        shows_posts: false,
        ..House::default()
    });
    assert_eq!(join(&all, 0, "gus", ""), Outcome::Refused(Refusal::Closed));
    let told = all
        .ask(0, &Request { session: None, action: Action::Welcome, read_to: None, need: None })
        .data;
    let Outcome::Welcome(welcome) = told.outcome else { panic!("{told:?}") };
    assert!(told.cluster.is_closed, "every page tells whether one can join");
    assert_eq!((welcome.signup, welcome.words.as_str()), (Signup::Closed, "We are full."));
    assert!(welcome.posts.is_none());
}

/// Who they are is told to keepers alone until they are let in, and that they are there, too.
#[test]
fn r0057_whoever_waits_to_be_let_in_is_nobody_to_mute_or_block() {
    let all = Backends::without_rate_limits();
    let (ada, [ben]) = kept(&all, ["ben"]);
    ada.sets(House { signup: Signup::Approved, ..House::default() });
    let eve = Person::join(&all, "eve", 5);
    let nobody_to_part_with = || {
        for whom in ["eve", "nobody"] {
            ben.may_not(Action::Mute(ben.whom(whom)), &Refusal::NotFound);
            ben.may_not(Action::Block(ben.whom(whom)), &Refusal::NotFound);
        }
    };
    nobody_to_part_with();
    ada.keeps(KeepersDeed::Admit { user: name("eve") }, "");
    let kept_apart = || match ben.ask(Action::KeptApart(After::default())) {
        Outcome::KeptApart(kept) => kept.people.len(),
        other => panic!("a list was asked for: {other:?}"),
    };
    let of_app = |read: ApiRead| match ben.ask(Action::Api(read)) {
        Outcome::Api(reply) => match *reply {
            ApiReply::Accounts(page) => page.accounts.len(),
            ApiReply::Relations(relations) => relations.len(),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    };
    let lists = [PeopleList::Muted, PeopleList::Blocked].map(|list| ApiRead::People {
        list,
        of: None,
        after: None,
        limit: 40,
    });
    let relation = ApiRead::Relations { usernames: vec![name("eve")] };
    ben.does(Action::Mute(ben.whom("eve")));
    ben.does(Action::Block(ben.whom("eve")));
    let told = || {
        let [muted, blocked] = lists.clone().map(of_app);
        [kept_apart(), muted, blocked, of_app(relation.clone())]
    };
    assert_eq!(told(), [1; 4]);
    // Suspended she is still a member.
    let suspend = |hours| KeepersDeed::Suspend { user: name("eve"), hours };
    ada.keeps(suspend(None), "Too loud.");
    assert_eq!(told(), [1; 4]);
    ada.keeps(KeepersDeed::Lift { user: name("eve") }, "");
    ada.keeps(KeepersDeed::Undecide { user: name("eve") }, "");
    assert_eq!(told(), [0; 4], "she waits again");
    nobody_to_part_with();
    ada.keeps(KeepersDeed::Admit { user: name("eve") }, "");
    assert_eq!(told(), [1; 4]);
    ben.does(Action::Unmute(ben.whom("eve")));
    ben.does(Action::Unblock(ben.whom("eve")));
    eve.post("Let in", None);
}
