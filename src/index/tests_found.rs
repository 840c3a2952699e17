//! What is found under names and tags, against a plain reading of the entries.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::world::{ANYONE, World, name};
use super::*;
use crate::clock::Wall;
use crate::limits::NEWS_COUNTED_MAX;
use crate::text::{Label, Tag};

const PEOPLE: [&str; 3] = ["ada", "ben", "cleo"];
const TEXTS: [&str; 6] =
    ["hello", "@ada #Seeds", "@ben, @cleo: #seeds #Brot!", "#BROT", "@ada @ada", "@dora ada@ben"];
const TAGS: [&str; 2] = ["seeds", "brot"];

fn tag(text: &str) -> Tag {
    Tag::parse(text).unwrap()
}

/// Post numbers begin in the millisecond of their raw value, so that follows fall between them.
fn at(ms: u64) -> PostId {
    PostId::floor_of(ms)
}

fn posted(ms: u64, text: &str) -> Entry {
    Entry::Posted {
        at: Wall(ms),
        id: at(ms),
        text: text.into(),
        reply_to: None,
        note: None,
        pictures: Vec::new(),
    }
}

fn followed(ms: u64, user: &str) -> Entry {
    Entry::Followed { at: Wall(ms), user: name(user) }
}

fn shown(list: &PostList) -> Vec<(&str, u64)> {
    list.posts.iter().map(|post| (post.user.as_str(), post.id.at_ms())).collect()
}

fn told(list: &NewsList) -> Vec<(&str, u64)> {
    let told = |news: &'_ News| match news {
        News::Named(post) => (post.user.clone(), post.id.at_ms()),
        News::Followed(who, since) => (who.clone(), since.0),
    };
    let place = |user: UserName| *PEOPLE.iter().find(|known| **known == user.as_str()).unwrap();
    list.news.iter().map(told).map(|(user, ms)| (place(user), ms)).collect()
}

fn joined() -> [(&'static str, Entry); 3] {
    PEOPLE.map(|user| (user, Entry::Joined { at: Wall(1) }))
}

#[test]
fn news_of_others_latest_first_by_page() {
    let mut world = World::of(&joined());
    for (user, entry) in [
        ("ben", posted(2, "@ada come")),
        ("cleo", followed(3, "ada")),
        ("ada", posted(4, "I am @ada")),
        ("cleo", posted(5, "@ada and @ben")),
        ("ben", followed(6, "ada")),
        ("ben", Entry::Unfollowed { at: Wall(7), user: name("ada") }),
        ("ben", followed(8, "ada")),
        ("ben", followed(9, "ada")),
    ] {
        world.write(user, &entry);
    }
    let first = world.index.news(world.eyes("ada"), None, 2);
    assert_eq!((told(&first), first.older), (vec![("ben", 8), ("cleo", 5)], Some(at(5))));
    let rest = world.index.news(world.eyes("ada"), first.older, 9);
    assert_eq!((told(&rest), rest.older), (vec![("cleo", 3), ("ben", 2)], None));
    // Between two milliseconds: the follow of that moment lies below.
    let between = PostId::from_raw(at(3).get() + 1);
    assert_eq!(
        told(&world.index.news(world.eyes("ada"), Some(between), 9)),
        [("cleo", 3), ("ben", 2)]
    );
    let count = |ms| world.index.news_count(world.eyes("ada"), at(ms));
    assert_eq!([0, 2, 3, 5, 8].map(count), [4, 3, 2, 1, 0]);
    assert_eq!(told(&world.index.news(world.eyes("ben"), None, 9)), [("cleo", 5)]);

    // Whoever left is in no list.
    world.write("cleo", &Entry::Left { at: Wall(9) });
    assert_eq!(told(&world.index.news(world.eyes("ada"), None, 9)), [("ben", 8), ("ben", 2)]);
}

#[test]
fn news_of_one_moment_stay_together_and_counting_ends() {
    let mut world = World::of(&joined());
    for user in ["ben", "cleo"] {
        world.write(user, &followed(7, "ada"));
        world.write(user, &posted(7, "@ada"));
    }
    let page = world.index.news(world.eyes("ada"), None, 1);
    assert_eq!((page.news.len(), page.older), (4, None));
    for ms in 8..300 {
        world.write("ben", &posted(ms, "@ada"));
    }
    assert_eq!(world.index.news_count(world.eyes("ada"), at(0)), NEWS_COUNTED_MAX);
}

#[test]
fn tags_found_by_any_spelling_and_the_last_used_first() {
    let world = World::of(&[
        ("ada", posted(1, "#Größe #seeds")),
        ("ben", posted(2, "#GRÖSSE")),
        ("ben", posted(3, "#brot, #Brot!")),
        ("ada", posted(4, "#seeds again")),
        ("ada", Entry::PostDeleted { at: Wall(5), id: at(4) }),
    ]);
    let page = world.index.tagged(ANYONE, &tag("größe"), None, 1);
    assert_eq!((shown(&page), page.older), (vec![("ben", 2)], Some(at(2))));
    assert_eq!(shown(&world.index.tagged(ANYONE, &tag("grösse"), page.older, 1)), [("ada", 1)]);
    assert_eq!(world.index.tagged(ANYONE, &tag("nothing"), None, 9), PostList::default());
    assert_eq!(world.index.recent_tags(ANYONE, 2), [tag("brot"), tag("GRÖSSE")]);
    assert_eq!(world.index.recent_tags(ANYONE, 9).len(), 3);
}

#[test]
fn nothing_is_found_of_whom_one_mutes_or_blocks_or_what_a_keeper_hid() {
    let mut world = World::of(&joined());
    for (user, entry) in [
        ("ben", posted(2, "@ada #seeds")),
        ("ben", followed(3, "ada")),
        ("cleo", posted(4, "@ada #brot")),
        ("cleo", followed(5, "ada")),
        ("cleo", posted(6, "@ada again")),
        ("ben", Entry::KeeperMade { at: Wall(1) }),
    ] {
        world.write(user, &entry);
    }
    let seen = |world: &World, eyes| {
        let all = (&[][..], &[][..]);
        let (news, index) = (world.index.news(eyes, None, 9), &world.index);
        assert_eq!(index.news_count(eyes, at(0)), news.news.len());
        let tagged = index.tagged(eyes, &tag("brot"), None, 9).posts.len();
        let found = index.candidates(eyes, all, None, 9).posts.len();
        (news.news.len(), tagged, index.recent_tags(eyes, 9).len(), found)
    };
    assert_eq!(seen(&world, world.eyes("ada")), (5, 1, 2, 3));

    let (user, reason) = (name("cleo"), "rude".to_owned());
    world.write("ben", &Entry::PostHidden { at: Wall(8), user, id: at(4), reason });
    assert_eq!(seen(&world, world.eyes("ada")), (4, 0, 1, 2));
    assert_eq!(seen(&world, world.eyes("cleo")), (0, 1, 2, 3));
    assert_eq!(seen(&world, ANYONE), (0, 0, 1, 2));

    world.write("ada", &Entry::Muted { at: Wall(9), user: name("cleo") });
    assert_eq!(seen(&world, world.eyes("ada")), (2, 0, 1, 1));
    assert_eq!(world.index.named(world.eyes("ada"), "cl", 9), [name("cleo")]);
    world.write("ben", &Entry::Blocked { at: Wall(9), user: name("ada") });
    assert_eq!(seen(&world, world.eyes("ada")), (0, 0, 0, 0));
    assert!(world.index.named(world.eyes("ada"), "be", 9).is_empty());
    assert_eq!(seen(&world, ANYONE), (0, 0, 1, 2));

    // Whoever shows their posts to members alone shows strangers none, whichever way they ask.
    let profile = |members_only| {
        let (display_name, bio) = ("Ben".to_owned(), String::new());
        Entry::Profile { at: Wall(9), display_name, bio, members_only, avatar: None }
    };
    world.write("ben", &profile(true));
    assert_eq!(seen(&world, ANYONE), (0, 0, 0, 1));
    assert_eq!(seen(&world, world.eyes("cleo")), (0, 1, 2, 3));
    let whole = Index::build(world.users.values());
    assert!(!whole.shows_posts_of(ANYONE, &name("ben")));
    assert!(whole.profile(ANYONE, &name("ben"), None, 9).posts.is_empty());
    let (mut early, before) = (Index::default(), User::absent(name("ben")));
    early.replace(&before, &world.users[&name("ben")]);
    assert!(!early.shows_posts_of(ANYONE, &name("ben")));
    world.write("ben", &profile(false));
    assert_eq!(seen(&world, ANYONE), (0, 0, 1, 2));
}

#[test]
fn named_are_members_whose_names_begin_so() {
    let mut world = World::of(&joined());
    world.write("adam", &Entry::Joined { at: Wall(1) });
    world.write("adele", &posted(1, "no account"));
    world.write("ben", &Entry::Left { at: Wall(2) });
    assert_eq!(world.index.named(ANYONE, "ad", 9), [name("ada"), name("adam")]);
    assert_eq!(world.index.named(ANYONE, "ad", 1), [name("ada")]);
    assert!(world.index.named(ANYONE, "b", 9).is_empty());
}

// ---- against a plain reading

/// Who wrote what, and who follows whom since when.
#[derive(Debug, Default)]
struct Plain {
    posts: BTreeMap<(u64, UserName), &'static str>,
    deleted: BTreeSet<(u64, UserName)>,
    follows: BTreeMap<(UserName, UserName), u64>,
    left: BTreeSet<UserName>,
}

impl Plain {
    fn of(log: &[(UserName, Entry)]) -> Self {
        let mut plain = Self::default();
        for (user, entry) in log {
            if plain.left.contains(user) {
                continue;
            }
            match entry {
                Entry::Posted { id, text, .. } => {
                    let key = (id.at_ms(), user.clone());
                    let text = *TEXTS.iter().find(|known| **known == text.as_str()).unwrap();
                    if !plain.deleted.contains(&key) {
                        plain.posts.entry(key).or_insert(text);
                    }
                }
                Entry::PostDeleted { id, .. } => {
                    plain.posts.remove(&(id.at_ms(), user.clone()));
                    plain.deleted.insert((id.at_ms(), user.clone()));
                }
                Entry::Followed { at, user: whom } => {
                    plain.follows.entry((user.clone(), whom.clone())).or_insert(at.0);
                }
                Entry::Unfollowed { user: whom, .. } => {
                    plain.follows.remove(&(user.clone(), whom.clone()));
                }
                Entry::Left { .. } => {
                    plain.posts.retain(|(_, author), _| author != user);
                    plain.follows.retain(|(who, _), _| who != user);
                    plain.left.insert(user.clone());
                }
                _ => {}
            }
        }
        plain
    }

    /// Posts whose author and text are so, newest first.
    fn posts(&self, is_so: impl Fn(&UserName, &str) -> bool) -> BTreeSet<(u64, UserName)> {
        let found = self.posts.iter().filter(|((_, author), text)| is_so(author, text));
        found.map(|(key, _)| key.clone()).collect()
    }

    fn news(&self, of: &UserName) -> BTreeSet<(u64, UserName)> {
        let named = |author: &UserName, text: &str| author != of && names(text, of);
        let follows = self
            .follows
            .iter()
            .filter(|((who, whom), _)| whom == of && who != of && !self.left.contains(of));
        self.posts(named)
            .into_iter()
            .chain(follows.map(|((who, _), ms)| (*ms, who.clone())))
            .collect()
    }
}

/// The plain reading of the texts above.
fn names(text: &str, name: &UserName) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '@').any(|word| word == format!("@{name}"))
}

fn bears(text: &str, tag: &str) -> bool {
    text.to_lowercase().contains(&format!("#{tag}"))
}

/// All pages of a list; the order among equal numbers is nobody's business.
fn all_pages(query: impl Fn(Option<PostId>) -> PostList) -> BTreeSet<(u64, UserName)> {
    let (mut all, mut before) = (Vec::new(), None);
    loop {
        let page = query(before);
        all.extend(page.posts.into_iter().map(|post| (post.id.at_ms(), post.user)));
        before = page.older;
        if before.is_none() {
            assert!(all.windows(2).all(|pair| pair[0].0 >= pair[1].0));
            let set: BTreeSet<_> = all.iter().cloned().collect();
            assert_eq!(set.len(), all.len(), "a post stands there twice");
            return set;
        }
    }
}

fn check(index: &Index, plain: &Plain, n: usize) {
    for word in TAGS {
        let found = all_pages(|before| index.tagged(ANYONE, &tag(word), before, n));
        assert_eq!(found, plain.posts(|_, text| bears(text, word)), "{word}");
    }
    let used = TAGS.iter().filter(|word| !plain.posts(|_, text| bears(text, word)).is_empty());
    assert_eq!(index.recent_tags(ANYONE, 9).len(), used.count());
    for user in PEOPLE.map(name) {
        let of = |author: &UserName, text: &str| *author == user || names(text, &user);
        let asked = ([user.clone()], [tag("seeds")]);
        let found = all_pages(|before| index.candidates(ANYONE, (&asked.0, &[]), before, n));
        assert_eq!(found, plain.posts(of), "{user}");
        let found = all_pages(|before| index.candidates(ANYONE, (&asked.0, &asked.1), before, n));
        assert_eq!(found, plain.posts(|author, text| of(author, text) && bears(text, "seeds")));
        let expected = plain.news(&user);
        let (mut found, mut before) = (BTreeSet::new(), None);
        loop {
            let page = index.news(index.eyes(Some(&user), Wall(0)), before, n);
            found.extend(told(&page).into_iter().map(|(who, ms)| (ms, name(who))));
            before = page.older;
            if before.is_none() {
                break;
            }
        }
        assert_eq!(found, expected, "news of {user}");
        let above = expected.iter().filter(|(ms, _)| *ms > 5).count();
        // A set: one who is followed and named by the same person in one moment counts once there.
        assert!(index.news_count(index.eyes(Some(&user), Wall(0)), at(5)) >= above, "{user}");
    }
    assert_eq!(
        all_pages(|before| index.candidates(ANYONE, (&[], &[]), before, n)).len(),
        index.posts()
    );
}

fn any_line() -> impl Strategy<Value = (UserName, Entry)> {
    let who = || prop::sample::select(PEOPLE.to_vec());
    let entry = prop_oneof![
        8 => (1..12u64, prop::sample::select(TEXTS.to_vec())).prop_map(|(ms, text)| posted(ms, text)),
        2 => (1..12u64).prop_map(|ms| Entry::PostDeleted { at: Wall(ms), id: at(ms) }),
        4 => (1..12u64, who()).prop_map(|(ms, user)| followed(ms, user)),
        2 => who().prop_map(|user| Entry::Unfollowed { at: Wall(1), user: name(user) }),
        1 => Just(Entry::Left { at: Wall(9) }),
    ];
    (who().prop_map(name), entry)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn found_fed_built_or_replaced_equals_plain_reading(
        log in prop::collection::vec(any_line(), 0..60),
        cut in any::<prop::sample::Index>(),
        n in 1..5usize,
    ) {
        // Nobody has news before they joined.
        let joins = joined().into_iter().map(|(user, entry)| (name(user), entry));
        let log: Vec<_> = joins.chain(log).collect();
        let mut fed = World::default();
        let plain = Plain::of(&log);
        let mut early = World::default();
        for (at, (user, entry)) in log.iter().enumerate() {
            fed.write(user.as_str(), entry);
            if at < cut.index(log.len()) {
                early.write(user.as_str(), entry);
            }
        }
        check(&fed.index, &plain, n);
        check(&Index::build(fed.users.values()), &plain, n);
        let mut whole = early.index;
        for (user, after) in &fed.users {
            let absent = User::absent(user.clone());
            whole.replace(early.users.get(user).unwrap_or(&absent), after);
        }
        check(&whole, &plain, n);
        for (user, memory) in &fed.users {
            let expected: usize = plain
                .posts
                .iter()
                .filter(|((_, author), _)| author == user)
                .map(|(_, text)| crate::text::labels(text).len())
                .sum();
            prop_assert_eq!(memory.labels.len(), expected);
            let is_one = |label: &Label| label.is_tag() || label.name().is_some();
            prop_assert!(memory.labels.iter().all(|(_, label)| is_one(label)));
        }

    }
}
