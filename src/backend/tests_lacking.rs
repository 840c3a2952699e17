//! What a backend says of what it may lack: its disk takes nothing, it could ask nobody, or its clock is wrong.

use super::tests::{Home, PASSWORD, Running, opening, tea};
use crate::action::{
    Action, EditPost, Keyed, Link, NewPost, OfferFirst, PageOf, PostFor, RedeemCode, ResetPassword,
    ThreadOf, Whom,
};
use crate::auth::link::LinkSecret;
use crate::auth::session::Token;
use crate::id::{Hash128, NodeId, PostId, RequestId, RequestKey, UserName};
use crate::limits::FIRST_AGREEMENT_MS;
use crate::thread::{Stop, spawn_named};
use crate::user::entry::{Audience, PostRef};
use crate::wire::request::{Outcome, Refusal, Saved};

#[test]
fn r0160_session_is_not_trusted_of_which_the_end_may_be_what_is_lacking() {
    let (home, session) = Home::of_three();
    home.run(|machine| {
        machine.is_in_touch();
        let told = machine.ask(Some(&session), Action::CheckSession);
        assert!(told.session.is_some() && told.data.outcome == Outcome::Checked);
        machine.backend.cluster.hears_of_more(&"ada".parse().unwrap());
        let told = machine.ask(Some(&session), Action::CheckSession);
        assert_eq!(told.data.outcome, Outcome::Refused(Refusal::Behind));
        assert!(told.session.is_none() && told.data.viewer.is_none());
    });
}

#[test]
fn r0160_session_is_not_trusted_where_a_comparison_found_what_could_not_be_taken() {
    let (home, session) = Home::of_three();
    let ada: UserName = "ada".parse().unwrap();
    home.run(|machine| {
        machine.is_in_touch();
        // It compared what it holds with the others, and could not take what it lacks.
        machine.backend.cluster.members.lacks([ada.clone()]);
        let told = machine.ask(Some(&session), Action::CheckSession);
        assert_eq!(told.data.outcome, Outcome::Refused(Refusal::Behind));
        machine.backend.cluster.members.has(&ada);
        let told = machine.ask(Some(&session), Action::CheckSession);
        assert_eq!(told.data.outcome, Outcome::Checked);
    });
}

#[test]
fn r0171_nobody_is_asked_about_whose_copy_lacks_nothing_though_others_do() {
    let (home, session) = Home::of_three();
    home.run(|machine| {
        machine.is_in_touch();
        machine.backend.cluster.members.lacks(["ben".parse().unwrap()]);
        machine.backend.cluster.hears_of_more(&"cleo".parse().unwrap());
        // Nobody would answer.
        let told = machine.ask(Some(&session), Action::CheckSession);
        assert_eq!(told.data.outcome, Outcome::Checked);
    });
}

#[test]
fn r0161_who_is_lacking_is_not_said_not_to_be_there() {
    let (home, session) = Home::of_three();
    let ben: UserName = "ben".parse().unwrap();
    let profile = || Action::Profile(PageOf { username: ben.clone(), before: None });
    home.run(|machine| {
        machine.is_in_touch();
        let none = Outcome::Refused(Refusal::NotFound);
        assert_eq!(machine.ask(None, profile()).data.outcome, none);
        machine.backend.cluster.hears_of_more(&ben);
        for session in [None, Some(session.as_str())] {
            let told = machine.ask(session, profile()).data.outcome;
            assert_eq!(told, Outcome::Refused(Refusal::Behind));
        }
    });
}

const KEY: RequestKey = RequestKey { ops: 0, id: RequestId([9; 16]) };

fn edit(id: PostId, text: &str) -> Action {
    let (key, text, note) = (KEY, text.to_owned(), String::new());
    Action::EditPost(EditPost { key, id, text, note, sensitive: None, descriptions: None })
}

#[test]
fn r0164_edit_is_not_taken_for_done_by_what_a_post_may_not_say_any_more() {
    let home = Home::new();
    let (session, id) = home.run(|alone| {
        let session = alone.joined("ada");
        let Outcome::Saved(Saved { post: Some(id), .. }) = alone.post(&session) else { panic!() };
        let same = alone.ask(Some(&session), edit(id, "Tea")).data.outcome;
        assert!(matches!(same, Outcome::Saved(_)), "{same:?}");
        // Its line says that the one before is committed.
        let ben = alone.joined("ben");
        assert!(matches!(alone.post(&ben), Outcome::Saved(_)));
        let another = Action::Post(tea(7));
        assert!(matches!(alone.ask(Some(&session), another).data.outcome, Outcome::Saved(_)));
        (session, id)
    });
    home.have_members(&[2, 3]);
    home.run(|machine| {
        machine.is_in_touch();
        let same = machine.ask(Some(&session), edit(id, "Tea")).data.outcome;
        assert_eq!(same, Outcome::Refused(Refusal::Behind), "another device may have changed it");
    });
}

#[test]
fn r0165_machine_that_is_cut_off_says_of_no_session_that_it_is_over() {
    let (home, session) = Home::of_three();
    home.run(|machine| {
        let logout = || Action::Logout(Keyed { key: KEY });
        machine.is_in_touch();
        let gone = NodeId::new(2).unwrap();
        machine.backend.cluster.members.gone(gone);
        for ms in [0, 1_000_000] {
            machine.at_ms(ms);
            let told = machine.ask(Some(&session), logout()).data.outcome;
            assert!(matches!(told, Outcome::Refused(Refusal::NoMajority { .. })), "{told:?}");
        }
    });
}

/// Whether somebody is shown a post.
fn is_shown(machine: &mut Running<'_>, session: &str, id: PostId) -> bool {
    let post = PostRef { user: "ada".parse().unwrap(), id };
    let thread = ThreadOf { post, after: None, limit: None, posted: None };
    let told = machine.ask(Some(session), Action::Thread(thread)).data.outcome;
    matches!(told, Outcome::Thread(_))
}

#[test]
fn r0163_who_joined_by_a_clock_that_is_ahead_is_named_by_one_that_is_behind() {
    Home::new().run(|machine| {
        let ada = machine.joined("ada");
        machine.at_ms(30_000);
        let cleo = machine.joined("cleo");
        machine.at_ms(10_000);
        let written = |key, text: &str| {
            let post = NewPost { text: text.to_owned(), ..tea(key) };
            Action::PostFor(PostFor { post, audience: Audience::Named })
        };
        let Outcome::Saved(Saved { post: Some(id), .. }) =
            machine.ask(Some(&ada), written(5, "@cleo, welcome")).data.outcome
        else {
            panic!()
        };
        assert!(is_shown(machine, &cleo, id));
        machine.at_ms(60_000);
        let dora = machine.joined("dora");
        machine.at_ms(20_000);
        let told = machine.ask(Some(&ada), edit(id, "@cleo and @dora, welcome")).data.outcome;
        assert!(matches!(told, Outcome::Saved(_)), "{told:?}");
        assert!(is_shown(machine, &dora, id) && is_shown(machine, &cleo, id));
    });
}

#[test]
fn r0168_nobody_is_refused_by_a_machine_that_could_not_ask_who_they_are() {
    let (home, _session) = Home::of_three();
    let ben: UserName = "ben".parse().unwrap();
    let secret = || LinkSecret::generate().unwrap().secret().to_owned();
    home.run(|machine| {
        let behind = Outcome::Refused(Refusal::Behind);
        // It met another, and asked for nothing yet: somebody may have become a keeper.
        machine.at_ms(FIRST_AGREEMENT_MS);
        machine.is_answered();
        let link = LinkSecret::generate().unwrap().hash();
        let offered = machine.ask(None, Action::OfferFirst(OfferFirst { link }));
        assert_eq!(offered.data.outcome, behind);
        machine.is_compared();
        assert_eq!(machine.login(("ben", PASSWORD), "127.0.0.1"), behind);
        assert_eq!(machine.login(("ada", "another of hers"), "127.0.0.1"), behind);
        let link = Link::NewPassword { user: ben.clone(), secret: secret() };
        assert_eq!(machine.ask(None, Action::OpenLink(link)).data.outcome, behind);
        let (user, new) = (ben.clone(), PASSWORD.to_owned());
        let (secret, opening_now) = (secret(), opening("127.0.0.1"));
        let reset = ResetPassword { key: KEY, user, secret, new, opening: opening_now };
        assert_eq!(machine.ask(None, Action::ResetPassword(reset)).data.outcome, behind);
        let redeem = RedeemCode {
            key: KEY,
            username: ben,
            code: Token::generate().unwrap().secret().to_owned(),
            client: Hash128([1; 16]),
            bound: Hash128([2; 16]),
            or_bound: None,
            opening: opening("127.0.0.1"),
        };
        assert_eq!(machine.ask(None, Action::RedeemCode(redeem)).data.outcome, behind);
    });
}

#[test]
fn r0169_post_is_not_said_to_name_nobody_before_others_were_asked() {
    let (home, session) = Home::of_three();
    home.run(|machine| {
        machine.is_in_touch();
        let post = NewPost { text: "@ben, welcome".to_owned(), ..tea(5) };
        let named = Action::PostFor(PostFor { post, audience: Audience::Named });
        let told = machine.ask(Some(&session), named).data.outcome;
        assert_eq!(told, Outcome::Refused(Refusal::Behind), "he may have joined");
    });
}

/// How often machine 2, which holds the same, is asked for what somebody is told.
fn asked(machine: &mut Running<'_>, session: &str, action: Action) -> (usize, Outcome) {
    let (stop, cluster) = (Stop::new(), &machine.backend.cluster);
    std::thread::scope(|scope| {
        let say = |_permit| cluster.say_the_same(NodeId::new(2).unwrap(), &stop);
        let says = spawn_named(scope, "machine-2", say).unwrap();
        let told = machine.ask(Some(session), action).data.outcome;
        stop.close();
        (says.join().unwrap(), told)
    })
}

#[test]
fn r0172_one_request_asks_about_one_file_once() {
    let (home, session) = Home::of_three();
    let [ada, ben] = ["ada", "ben"].map(|name| name.parse::<UserName>().unwrap());
    let post = PostRef { user: ada.clone(), id: PostId::floor_of(1) };
    let thread = Action::Thread(ThreadOf { post, after: None, limit: None, posted: None });
    let follow = Action::Follow(Whom { key: KEY, username: ben.clone() });
    let unblock = Action::Unblock(Whom { key: KEY, username: ben.clone() });
    let edit = edit(PostId::floor_of(1), "Tea");
    home.run(|machine| {
        machine.is_in_touch();
        machine.backend.cluster.have_silent_peers();
        for (number, (action, whom)) in
            [(thread, &ada), (follow, &ben), (unblock, &ben), (edit, &ada)].into_iter().enumerate()
        {
            machine.backend.cluster.members.lacks([whom.clone()]);
            let (asked, told) = asked(machine, &session, action);
            assert_eq!(asked, 1, "act {number}: {told:?}");
        }
    });
}
