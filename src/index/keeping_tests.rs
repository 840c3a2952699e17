//! What keepers' files tell together, however they came here; and who of several has the last word.

use proptest::prelude::*;

use super::world::{World, name};
use super::*;
use crate::clock::Wall;
use crate::user::entry::{Audience, CodeHash, House, Signup};
use crate::user::keeping::{Deed, Standing};

const KEEPERS: [&str; 3] = ["ada", "ben", "cleo"];
const OTHERS: [&str; 3] = ["dora", "eva", "finn"];

fn post_ref(user: &str, id: u64) -> PostRef {
    PostRef { user: name(user), id: PostId::from_raw(id) }
}

fn hidden(at: u64, user: &str, id: u64, reason: &str) -> Entry {
    let (user, id) = (name(user), PostId::from_raw(id));
    Entry::PostHidden { at: Wall(at), user, id, reason: reason.to_owned() }
}

fn shown(at: u64, user: &str, id: u64) -> Entry {
    Entry::PostShown { at: Wall(at), user: name(user), id: PostId::from_raw(id) }
}

fn suspended(at: u64, user: &str, until: Option<u64>) -> Entry {
    let reason = "loud".to_owned();
    Entry::MemberSuspended { at: Wall(at), user: name(user), until: until.map(Wall), reason }
}

fn reported(at: u64, user: &str, id: u64) -> Entry {
    let (user, id) = (name(user), PostId::from_raw(id));
    Entry::Reported { at: Wall(at), user, id, reason: format!("because {at}") }
}

fn closed(at: u64, user: &str, id: u64) -> Entry {
    Entry::ReportClosed { at: Wall(at), user: name(user), id: PostId::from_raw(id) }
}

fn made(at: u64) -> Entry {
    Entry::KeeperMade { at: Wall(at) }
}

#[test]
fn newest_word_of_any_keeper_holds_and_only_a_keepers() {
    let mut world = World::default();
    world.write("ada", &made(1));
    world.write("ben", &made(1));
    world.write("ada", &hidden(10, "dora", 5, "rude"));
    assert_eq!(world.index.hidden(&post_ref("dora", 5)), Some("rude"));
    world.write("ben", &shown(11, "dora", 5));
    assert_eq!(world.index.hidden(&post_ref("dora", 5)), None);
    // An older word that comes in late changes nothing; one by somebody who is no keeper is none.
    world.write("cleo", &hidden(99, "dora", 5, "I say so"));
    world.write("eva", &made(2));
    world.write("eva", &hidden(3, "dora", 5, "late"));
    assert_eq!(world.index.hidden(&post_ref("dora", 5)), None);
    // What was done stays done when its keeper is none any more.
    world.write("ada", &hidden(20, "dora", 6, "spam"));
    world.write("ada", &Entry::KeeperEnded { at: Wall(21) });
    world.write("ada", &shown(22, "dora", 6));
    assert_eq!(world.index.hidden(&post_ref("dora", 6)), Some("spam"));
    assert_eq!(world.index.keepers(), [name("ben"), name("eva")]);
}

#[test]
fn what_a_keeper_did_outlives_their_account() {
    let mut world = World::default();
    world.write("ada", &made(1));
    let house = House { signup: Signup::Closed, ..House::default() };
    world.write("ada", &Entry::CommunitySet { at: Wall(2), house });
    world.write("ada", &hidden(3, "dora", 5, "spam"));
    world.write("ada", &suspended(4, "eva", None));
    world.write("ada", &reported(5, "dora", 9));
    let made = Entry::InvitationMade { at: Wall(6), code: code(1), uses: 2, until: Wall(60) };
    world.write("ada", &made);
    world.write("ada", &Entry::KeeperEnded { at: Wall(7) });
    world.write("ada", &Entry::Left { at: Wall(8) });
    let is_as_before = |index: &Index| {
        assert_eq!(index.house().signup, Signup::Closed);
        assert_eq!(index.hidden(&post_ref("dora", 5)), Some("spam"));
        assert!(matches!(index.standing(&name("eva"), Wall(50)), Standing::Suspended { .. }));
        let (log, _) = index.log(None, 9);
        assert_eq!(log.iter().map(|it| it.keeper.as_str()).collect::<Vec<_>>(), ["ada"; 3]);
        // What they said as a member is gone.
        assert_eq!(index.inviter(&code(1)), None);
        assert!(index.reported(None, 9).0.is_empty() && index.keepers().is_empty());
    };
    is_as_before(&world.index);
    is_as_before(&Index::build(world.users.values()));
    // Another keeper has the last word.
    world.write("ben", &Entry::KeeperMade { at: Wall(9) });
    world.write("ben", &shown(10, "dora", 5));
    assert_eq!(world.index.hidden(&post_ref("dora", 5)), None);
}

#[test]
fn deed_gets_a_time_above_all_it_overrules() {
    let mut world = World::default();
    world.write("ada", &made(1));
    world.write("ada", &hidden(500, "dora", 5, "rude"));
    world.write("eva", &reported(700, "dora", 5));
    let index = &world.index;
    let show = Deed::Showed(post_ref("dora", 5));
    assert_eq!(index.time_of(&show, Wall(9)), Wall(501));
    assert_eq!(index.time_of(&show, Wall(900)), Wall(900));
    let close = Deed::Closed(post_ref("dora", 5));
    assert_eq!(index.time_of(&close, Wall(9)), Wall(700));
    world.write("ada", &closed(700, "dora", 5));
    assert!(world.index.reported(None, 9).0.is_empty());
}

#[test]
fn suspension_ends_by_itself_or_is_lifted() {
    let mut world = World::default();
    world.write("ada", &made(1));
    world.write("dora", &Entry::Joined { at: Wall(1) });
    let post = Entry::Posted {
        at: Wall(2),
        id: PostId::from_raw(2),
        text: "hi".to_owned(),
        reply_to: None,
        note: None,
        pictures: Vec::new(),
        sensitive: false,
    };
    world.write("dora", &post);
    world.write("ada", &suspended(10, "dora", Some(100)));
    let standing = |index: &Index, now| index.standing(&name("dora"), Wall(now));
    assert!(matches!(standing(&world.index, 99), Standing::Suspended { .. }));
    assert_eq!(standing(&world.index, 100), Standing::Member);
    let at = |index: &Index, now| {
        index.everyone(index.eyes(Some(&name("eva")), Wall(now)), None, 9).posts.len()
    };
    assert_eq!((at(&world.index, 99), at(&world.index, 100)), (0, 1));
    let own = world.index.eyes(Some(&name("dora")), Wall(99));
    assert_eq!(world.index.everyone(own, None, 9).posts.len(), 1);
    world.write("ada", &Entry::SuspensionLifted { at: Wall(11), user: name("dora") });
    assert_eq!(at(&world.index, 12), 1);
}

#[test]
fn reports_wait_longest_first_until_looked_at() {
    let mut world = World::default();
    world.write("ada", &made(1));
    for (at, by, id) in [(30, "eva", 1), (10, "finn", 2), (20, "eva", 3), (40, "finn", 1)] {
        world.write(by, &reported(at, "dora", id));
    }
    let ids = |index: &Index, after: Option<&Since<PostRef>>| {
        let (found, has_more) = index.reported(after, 2);
        let ids: Vec<_> = found.iter().map(|it| (it.post.id.get(), it.reports.len())).collect();
        (ids, has_more)
    };
    assert_eq!(ids(&world.index, None), (vec![(2, 1), (3, 1)], true));
    let since = Since { at: Wall(20), last: post_ref("dora", 3) };
    assert_eq!(ids(&world.index, Some(&since)), (vec![(1, 2)], false));
    world.write("ada", &closed(35, "dora", 1));
    // The report that came after it is open.
    assert_eq!(ids(&world.index, Some(&since)), (vec![(1, 1)], false));
    assert!(world.index.has_reported(&name("finn"), &post_ref("dora", 1)));
    assert!(!world.index.has_reported(&name("eva"), &post_ref("dora", 1)));
}

/// All that can be asked of the keepers' part.
fn told(index: &Index) -> String {
    let names = KEEPERS.iter().chain(&OTHERS);
    let standing: Vec<_> = names.map(|user| index.standing(&name(user), Wall(50))).collect();
    let posts = (0..4).map(|id| post_ref("dora", id));
    let hidden: Vec<_> = posts.map(|post| index.hidden(&post).map(str::to_owned)).collect();
    let codes = (0..4).map(|n| index.inviter(&code(n)).cloned()).collect::<Vec<_>>();
    let (log, _) = index.log(None, 999);
    let queue = index.reported(None, 99);
    let asking = index.asking_in(None, 99);
    let keepers = index.keepers();
    let mut log: Vec<_> = log.into_iter().map(|it| (it.at, it.keeper, it.nth, it.deed)).collect();
    // Numbers are given by the order of arrival; among the same time that is nobody's business.
    log.sort_by_key(|(at, keeper, nth, _)| (*at, keeper.clone(), *nth));
    format!(
        "{keepers:?} {standing:?} {hidden:?} {codes:?} {log:?} {queue:?} {asking:?} {:?}",
        index.house()
    )
}

fn code(n: u8) -> CodeHash {
    CodeHash(format!("{n:02x}").repeat(32))
}

fn any_line() -> impl Strategy<Value = (&'static str, Entry)> {
    let about = || prop::sample::select(OTHERS.to_vec());
    let words = |is_open: bool| {
        let signup = if is_open { Signup::Open } else { Signup::Closed };
        House { signup, ..House::default() }
    };
    let by_keeper = prop_oneof![
        2 => (0..60u64).prop_map(made),
        1 => (0..60u64).prop_map(|at| Entry::KeeperEnded { at: Wall(at) }),
        3 => (0..60u64, 0..4u64).prop_map(|(at, id)| hidden(at, "dora", id, &format!("{at}"))),
        2 => (0..60u64, 0..4u64).prop_map(|(at, id)| shown(at, "dora", id)),
        2 => (0..60u64, 0..4u64).prop_map(|(at, id)| closed(at, "dora", id)),
        2 => (0..60u64, about()).prop_map(|(at, user)| suspended(at, user, Some(at + 30))),
        1 => (0..60u64, about())
            .prop_map(|(at, user)| Entry::SuspensionLifted { at: Wall(at), user: name(user) }),
        2 => (0..60u64, about())
            .prop_map(|(at, user)| Entry::MemberAdmitted { at: Wall(at), user: name(user) }),
        1 => (0..60u64, about())
            .prop_map(|(at, user)| Entry::MemberUndecided { at: Wall(at), user: name(user) }),
        1 => (0..60u64, any::<bool>())
            .prop_map(move |(at, is)| Entry::CommunitySet { at: Wall(at), house: words(is) }),
        1 => Just(Entry::Left { at: Wall(60) }),
    ];
    let by_other = prop_oneof![
        3 => (0..60u64, 0..4u64).prop_map(|(at, id)| reported(at, "dora", id)),
        1 => Just(Entry::AskedIn { at: Wall(1) }),
        1 => Just(Entry::Joined { at: Wall(1) }),
    ];
    // Codes are random: no two people make the same one.
    let invitation = (0..3usize, any::<bool>()).prop_map(|(who, is_made)| {
        let (at, code) = (Wall(1), code(u8::try_from(who).unwrap()));
        let entry = if is_made {
            Entry::InvitationMade { at, code, uses: 2, until: Wall(60) }
        } else {
            Entry::InvitationEnded { at, code }
        };
        (KEEPERS[who], entry)
    });
    prop_oneof![
        3 => (prop::sample::select(KEEPERS.to_vec()), by_keeper),
        1 => invitation,
        1 => (about(), by_other),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn keeping_fed_built_or_replaced_tells_the_same(
        log in prop::collection::vec(any_line(), 0..60),
        cut in 0..60usize,
    ) {
        let mut fed = World::default();
        let mut whole = World::default();
        for (at, (user, entry)) in log.iter().enumerate() {
            if at == cut {
                whole.index = fed.index.clone();
                whole.users = fed.users.clone();
            }
            fed.write(user, entry);
        }
        let expected = told(&fed.index);
        for (user, after) in &fed.users {
            let absent = User::absent(user.clone());
            let before = whole.users.get(user).unwrap_or(&absent);
            whole.index.replace(before, after);
        }
        prop_assert_eq!(told(&whole.index), expected.clone());
        prop_assert_eq!(told(&Index::build(fed.users.values())), expected);
    }
}

/// Whoever waited for a keeper's word, or was refused, read what its author shows to members alone: every
/// account counted as a member's.
#[test]
fn r0030_posts_for_members_are_read_by_those_who_came_in_alone() {
    let mut world = World::default();
    for user in ["ada", "dora", "eva", "finn"] {
        world.write(user, &Entry::Joined { at: Wall(1) });
    }
    world.write("ada", &made(1));
    world.write("eva", &Entry::AskedIn { at: Wall(1) });
    let (display_name, bio, avatar) = (String::new(), String::new(), None);
    let (at, members_only, posts_for) = (Wall(2), true, Audience::Everyone);
    let only = Entry::Profile { at, display_name, bio, members_only, posts_for, avatar };
    world.write("dora", &only);
    let (at, id, text) = (Wall(3), PostId::from_raw(3), "the key #seeds".to_owned());
    let posted = Entry::Posted {
        at,
        id,
        text,
        reply_to: None,
        note: None,
        pictures: Vec::new(),
        sensitive: false,
    };
    world.write("dora", &posted);
    let check = |world: &World, expected: [bool; 3], what: &str| {
        for index in [&world.index, &Index::build(world.users.values())] {
            let sees = ["dora", "eva", "finn"].map(|user| {
                let eyes = index.eyes(Some(&name(user)), Wall(9));
                let tag = crate::text::Tag::parse("seeds").unwrap();
                let counts = [
                    index.everyone(eyes, None, 9).posts.len(),
                    index.posts_of(eyes, &name("dora"), None, 9).posts.len(),
                    index.tagged(eyes, &tag, None, 9).posts.len(),
                    index.recent_tags(eyes, 9).len(),
                    index.counts(eyes, &name("dora")).posts as usize,
                    usize::from(index.shows(eyes, &post_ref("dora", 3))),
                ];
                assert!(counts.iter().all(|count| *count == counts[0]), "{user} {what} {counts:?}");
                counts[0] == 1
            });
            assert_eq!(sees, expected, "{what}");
        }
    };
    check(&world, [true, false, true], "waiting");
    // Suspending somebody lets them in no more than it puts them out.
    world.write("ada", &suspended(4, "eva", None));
    world.write("ada", &suspended(5, "finn", None));
    check(&world, [true, false, true], "suspended");
    let reason = "who?".to_owned();
    world.write("ada", &Entry::MemberRefused { at: Wall(6), user: name("eva"), reason });
    check(&world, [true, false, true], "refused");
    world.write("ada", &Entry::MemberAdmitted { at: Wall(7), user: name("eva") });
    check(&world, [true, true, true], "admitted");
    world.write("ada", &Entry::MemberUndecided { at: Wall(8), user: name("eva") });
    check(&world, [true, false, true], "undecided");
}
