//! Inviting, reporting, and what keepers may do.

use super::*;
use crate::clock::Wall;
use crate::limits::{INVITATION_USES_MAX, INVITATIONS_MAX, REASON_CHARS_MAX};
use crate::user::entry::{Entry, House, SessionId, Signup};
use crate::user::keeping::Deed;
use crate::user::{Place, User};

const NOW: Wall = Wall(1_700_000_000_000);
const DAY: u64 = 24 * 60 * 60 * 1000;

fn name(text: &str) -> UserName {
    UserName::parse(text).unwrap()
}

fn post() -> PostRef {
    PostRef { user: name("ben"), id: PostId::from_raw(7) }
}

fn act_at(user: &mut User, now: Wall, change: &Change) -> Result<Plan, ActionError> {
    let who = Who { session: Some(SessionId("s0".to_owned())) };
    let plan = handle(user, &who, change, now)?;
    for entry in &plan.entries {
        user.apply(entry, Place::default());
    }
    Ok(plan)
}

fn act(user: &mut User, change: &Change) -> Result<Plan, ActionError> {
    act_at(user, NOW, change)
}

fn join(admission: Admission) -> (User, Plan) {
    let mut user = User::absent(name("ada"));
    let session = NewSession {
        app: None,
        id: SessionId("s0".to_owned()),
        device: "Firefox".to_owned(),
        address: "192.0.2.1".to_owned(),
    };
    let password_hash = "hash".to_owned();
    let join = Change::Join { display_name: String::new(), password_hash, admission, session };
    let plan = act(&mut user, &join).unwrap();
    (user, plan)
}

fn ada() -> User {
    join(Admission::Free).0
}

fn keeper() -> User {
    let mut user = ada();
    user.apply(&Entry::KeeperMade { at: NOW }, Place::default());
    user
}

fn invite(text: &str, uses: u32, days: u32) -> Change {
    Change::Invite { code: code_hash(text), uses_and_days: [uses, days] }
}

fn promise(text: &str, by: &str) -> Change {
    Change::Promise { code: code_hash(text), by: name(by) }
}

fn problem(field: Field, problem: Problem) -> ActionError {
    ActionError::Invalid(vec![FieldProblem { field, problem }])
}

#[test]
fn join_says_on_what_ground() {
    let (invited, _) = join(Admission::Invited { inviter: name("ben"), code: code_hash("gull") });
    assert_eq!((invited.inviter, invited.has_asked_in), (Some(name("ben")), false));
    let (asking, plan) = join(Admission::Asking);
    assert!(asking.has_asked_in && asking.inviter.is_none());
    assert!(matches!(plan.entries.last(), Some(Entry::SessionOpened { .. })));
}

#[test]
fn promise_spends_each_use_once_and_in_time() {
    let mut user = ada();
    act(&mut user, &invite("gull", 2, 1)).unwrap();
    assert!(!act(&mut user, &invite("gull", 9, 9)).unwrap().changes_file());
    assert!(act(&mut user, &promise(" GU-LL", "eva")).unwrap().changes_file());
    // Whom it was promised to it still is, whatever happens.
    assert!(!act(&mut user, &promise("gull", "eva")).unwrap().changes_file());
    assert!(act(&mut user, &promise("gull", "finn")).unwrap().changes_file());
    let used = problem(Field::Code, Problem::Used);
    assert_eq!(act(&mut user, &promise("gull", "gus")), Err(used));
    let wrong = problem(Field::Code, Problem::Wrong);
    assert_eq!(act(&mut user, &promise("tern", "gus")), Err(wrong.clone()));
    let past = problem(Field::Code, Problem::Past);
    let later = Wall(NOW.0 + DAY);
    assert_eq!(act_at(&mut user, later, &promise("gull", "gus")), Err(past));
    assert!(!act_at(&mut user, later, &promise("gull", "eva")).unwrap().changes_file());
    act(&mut user, &Change::EndInvitation { code: code_hash("gull") }).unwrap();
    assert_eq!(act(&mut user, &promise("gull", "eva")), Err(wrong));
}

#[test]
fn invitations_limited_and_those_that_are_over_make_room() {
    let mut user = ada();
    act(&mut user, &invite("many", 1_000_000, 1_000_000)).unwrap();
    let made = &user.keeping.as_ref().unwrap().invitations[&code_hash("many")];
    assert_eq!((made.uses, made.until), (INVITATION_USES_MAX, Wall(NOW.0 + 90 * DAY)));
    for number in 1..INVITATIONS_MAX {
        act(&mut user, &invite(&format!("code {number}"), 1, 1)).unwrap();
    }
    let max = u32::try_from(INVITATIONS_MAX).unwrap();
    let full = problem(Field::Code, Problem::Full { max });
    assert_eq!(act(&mut user, &invite("one more", 1, 1)), Err(full));
    act_at(&mut user, Wall(NOW.0 + DAY), &invite("one more", 1, 1)).unwrap();
    assert_eq!(user.keeping.as_ref().unwrap().invitations.len(), 2);
}

#[test]
fn keepers_acts_are_a_keepers_alone_and_need_their_reasons() {
    let keep = |deed: Deed| Change::Keep { deed, at: NOW, closes: None, verified_hash: None };
    let hide = |why: &str| keep(Deed::Hid(post(), why.to_owned()));
    assert_eq!(act(&mut ada(), &hide("Rude.")), Err(ActionError::NotFound));
    let mut keeper = keeper();
    assert_eq!(act(&mut keeper, &hide(" \n")), Err(problem(Field::Reason, Problem::Empty)));
    let long = "x".repeat(REASON_CHARS_MAX + 3);
    let over = problem(Field::Reason, Problem::TooLong { over: 3 });
    assert_eq!(act(&mut keeper, &hide(&long)), Err(over));
    act(&mut keeper, &hide(" Rude. ")).unwrap();
    assert_eq!(keeper.keeping.as_ref().unwrap().acts[0].deed.reason(), " Rude.");
    let oneself = keep(Deed::Suspended(name("ada"), None, "why not".to_owned()));
    assert_eq!(act(&mut keeper, &oneself), Err(problem(Field::Username, Problem::Own)));
    let words = "x".repeat(1_001);
    let house = House { words, signup: Signup::Closed, ..House::default() };
    let over = problem(Field::Community, Problem::TooLong { over: 1 });
    assert_eq!(act(&mut keeper, &keep(Deed::Set(house))), Err(over));
    let leave = Change::Leave { verified_hash: "hash".to_owned() };
    assert_eq!(act(&mut keeper, &leave), Err(ActionError::Keeper));
    keeper.apply(&Entry::KeeperEnded { at: NOW }, Place::default());
    assert_eq!(act(&mut keeper, &hide("Rude.")), Err(ActionError::NotFound));
    act(&mut keeper, &leave).unwrap();
    let gone = act(&mut keeper, &Change::SetKeeper { is_keeper: true });
    assert_eq!(gone, Err(ActionError::NotFound));
}

#[test]
fn s15_sessions_end_with_a_change_of_rights() {
    let mut user = ada();
    for is_keeper in [true, false] {
        let session = Entry::SessionOpened {
            at: NOW,
            id: SessionId(format!("s{is_keeper}")),
            device: String::new(),
            address: String::new(),
            app: None,
        };
        user.apply(&session, Place::default());
        let again = act(&mut user, &Change::SetKeeper { is_keeper: !is_keeper }).unwrap();
        assert!(again.entries.is_empty(), "as it was already: nobody is signed out");
        assert!(!user.sessions.is_empty());
        act(&mut user, &Change::SetKeeper { is_keeper }).unwrap();
        assert_eq!((user.is_keeper(), user.sessions.len()), (is_keeper, 0));
    }
}

#[test]
fn s18_keepers_acts_need_the_password_given_within_ten_minutes() {
    let keep = |verified: Option<&str>| {
        let verified_hash = verified.map(str::to_owned);
        let deed = Deed::Hid(post(), "Rude.".to_owned());
        Change::Keep { deed, at: NOW, closes: None, verified_hash }
    };
    let later = |ms: u64| Wall(NOW.0 + ms);
    let ten_minutes = 600_000;
    assert!(act_at(&mut keeper(), later(ten_minutes - 1), &keep(None)).is_ok());
    for ms in [ten_minutes, DAY, 179 * DAY] {
        let asked = problem(Field::Password, Problem::Empty);
        assert_eq!(act_at(&mut keeper(), later(ms), &keep(None)), Err(asked), "{ms}");
        assert!(act_at(&mut keeper(), later(ms), &keep(Some("hash"))).is_ok(), "{ms}");
    }
    // A password that was changed since it was looked at is none, however fresh the session.
    assert_eq!(act(&mut keeper(), &keep(Some("other hash"))), Err(ActionError::BadLogin));
    // Others hear of nothing, whatever they know.
    let nothing = act_at(&mut ada(), later(DAY), &keep(Some("hash")));
    assert_eq!(nothing, Err(ActionError::NotFound));
}

#[test]
fn report_needs_a_reason_and_another_author() {
    let mut user = ada();
    let report = |post: PostRef, reason: &str| Change::Report { post, reason: reason.to_owned() };
    assert_eq!(act(&mut user, &report(post(), "")), Err(problem(Field::Reason, Problem::Empty)));
    let own = PostRef { user: name("ada"), id: PostId::from_raw(1) };
    let oneself = problem(Field::Username, Problem::Wrong);
    assert_eq!(act(&mut user, &report(own, "me")), Err(oneself));
    act(&mut user, &report(post(), "Rude.")).unwrap();
    act(&mut user, &report(post(), "Still.")).unwrap();
    assert_eq!(user.keeping.as_ref().unwrap().reports[&post()].reason, "Still.");
}

#[test]
fn code_is_told_by_its_letters_alone() {
    assert_eq!(code_hash("ABcd-e f"), code_hash("abcdef"));
    assert_ne!(code_hash("abcdef"), code_hash("abcdeg"));
    assert_eq!(code_hash("x").0.len(), 64);
}

#[test]
fn cursor_reads_what_it_wrote_and_nothing_else() {
    let cursor = Cursor { at: Wall(7), user: name("ada"), id: u64::MAX };
    assert_eq!(cursor.to_string().parse(), Ok(cursor));
    for bad in ["", "7.ada", "7.ada.1.2", "07.ada.1", "7.Ada.1", "+7.ada.1", "7.ada.-1"] {
        assert_eq!(bad.parse::<Cursor>(), Err(CursorError), "{bad:?}");
    }
}
