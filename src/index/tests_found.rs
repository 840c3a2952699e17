//! What is found under names and tags, against a plain reading of the entries.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::world::{ANYONE, World, name};
use super::*;
use crate::clock::Wall;
use crate::limits::{NEWS_COUNTED_MAX, PASSED_OVER_MAX};
use crate::text::{Label, Tag};
use crate::user::entry::Audience;

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
        sensitive: false,
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
        News::PollEnded(post, at) => (post.user.clone(), at.0),
        News::Followed(who, at) | News::Liked(_, who, at) | News::Reposted(_, who, at) => {
            (who.clone(), at.0)
        }
    };
    let place = |user: UserName| *PEOPLE.iter().find(|known| **known == user.as_str()).unwrap();
    list.news.iter().map(told).map(|(user, ms)| (place(user), ms)).collect()
}

/// When, and what in words.
fn said(list: &NewsList) -> Vec<(u64, String)> {
    let of = |post: &PostRef| format!("{} {}", post.user, post.id.at_ms());
    let said = |news: &'_ News| match news {
        News::Named(post) => (post.id.at_ms(), format!("named by {}", post.user)),
        News::Followed(who, at) => (at.0, format!("followed by {who}")),
        News::Liked(post, who, at) => (at.0, format!("{who} likes {}", of(post))),
        News::Reposted(post, who, at) => (at.0, format!("{who} reposted {}", of(post))),
        News::PollEnded(post, at) => (at.0, format!("poll {} over", of(post))),
    };
    list.news.iter().map(said).collect()
}

fn post(user: &str, ms: u64) -> PostRef {
    PostRef { user: name(user), id: at(ms) }
}

fn liked(ms: u64, user: &str, of: u64) -> Entry {
    Entry::Liked { at: Wall(ms), post: post(user, of) }
}

fn reposted(ms: u64, user: &str, of: u64) -> Entry {
    Entry::Reposted { at: Wall(ms), post: post(user, of) }
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
    let first = world.index.news(world.eyes("ada"), None, &NewsKind::ALL, 2);
    assert_eq!((told(&first), first.older), (vec![("ben", 8), ("cleo", 5)], Some(at(5))));
    let rest = world.index.news(world.eyes("ada"), first.older, &NewsKind::ALL, 9);
    assert_eq!((told(&rest), rest.older), (vec![("cleo", 3), ("ben", 2)], None));
    // Between two milliseconds: the follow of that moment lies below.
    let between = PostId::from_raw(at(3).get() + 1);
    assert_eq!(
        told(&world.index.news(world.eyes("ada"), Some(between), &NewsKind::ALL, 9)),
        [("cleo", 3), ("ben", 2)]
    );
    let count = |ms| world.index.news_count(world.eyes("ada"), at(ms), &NewsKind::ALL);
    assert_eq!([0, 2, 3, 5, 8].map(count), [4, 3, 2, 1, 0]);
    assert_eq!(told(&world.index.news(world.eyes("ben"), None, &NewsKind::ALL, 9)), [("cleo", 5)]);

    // Whoever left is in no list.
    world.write("cleo", &Entry::Left { at: Wall(9) });
    assert_eq!(
        told(&world.index.news(world.eyes("ada"), None, &NewsKind::ALL, 9)),
        [("ben", 8), ("ben", 2)]
    );
}

#[test]
fn news_of_one_moment_stay_together_and_counting_ends() {
    let mut world = World::of(&joined());
    for user in ["ben", "cleo"] {
        world.write(user, &followed(7, "ada"));
        world.write(user, &posted(7, "@ada"));
    }
    let page = world.index.news(world.eyes("ada"), None, &NewsKind::ALL, 1);
    assert_eq!((page.news.len(), page.older), (4, None));
    for ms in 8..300 {
        world.write("ben", &posted(ms, "@ada"));
    }
    assert_eq!(world.index.news_count(world.eyes("ada"), at(0), &NewsKind::ALL), NEWS_COUNTED_MAX);
}

#[test]
fn likes_and_reposts_of_posts_that_stand_told_to_their_author_until_undone() {
    let mut world = World::of(&joined());
    for (user, entry) in [
        ("ada", posted(2, "hello")),
        ("ada", posted(3, "hello")),
        ("ben", liked(10, "ada", 2)),
        ("ben", liked(10, "ada", 3)),
        ("ben", liked(11, "ada", 2)),
        ("cleo", reposted(12, "ada", 2)),
        ("ada", liked(13, "ada", 2)),
        ("ada", reposted(13, "ada", 2)),
        ("cleo", liked(14, "ada", 77)),
    ] {
        world.write(user, &entry);
    }
    let news = |world: &World, user: &str, kinds: &[NewsKind]| {
        let said = said(&world.index.news(world.eyes(user), None, kinds, 9));
        said.into_iter().map(|(ms, what)| format!("{ms} {what}")).collect::<Vec<_>>()
    };
    let (likes, repost) = (["10 ben likes ada 3", "10 ben likes ada 2"], "12 cleo reposted ada 2");
    let all = news(&world, "ada", &NewsKind::ALL);
    assert_eq!(all, [repost, likes[0], likes[1]]);
    assert_eq!(news(&world, "ada", &[NewsKind::Liked]), likes);
    assert_eq!(news(&world, "ada", &[NewsKind::Reposted]), [repost]);
    assert!(news(&world, "ada", &NewsKind::OF_PAGES).is_empty());
    assert!(news(&world, "ben", &NewsKind::ALL).is_empty());
    let count = |kinds| world.index.news_count(world.eyes("ada"), at(10), kinds);
    assert_eq!((count(&NewsKind::ALL), count(&NewsKind::OF_PAGES)), (1, 0));

    world.write("ben", &Entry::Unliked { at: Wall(15), post: post("ada", 3) });
    assert_eq!(news(&world, "ada", &NewsKind::ALL), [repost, likes[1]]);
    world.write("ben", &liked(16, "ada", 3));
    assert_eq!(news(&world, "ada", &NewsKind::ALL)[0], "16 ben likes ada 3");
    world.write("ada", &Entry::PostDeleted { at: Wall(17), id: at(3), few: false });
    assert_eq!(news(&world, "ada", &NewsKind::ALL), [repost, likes[1]]);
    world.write("cleo", &Entry::Unreposted { at: Wall(18), post: post("ada", 2) });
    world.write("ada", &Entry::Muted { at: Wall(18), user: name("ben"), until: None });
    assert!(news(&world, "ada", &NewsKind::ALL).is_empty());
}

#[test]
fn tags_found_by_any_spelling_and_the_last_used_first() {
    let world = World::of(&[
        ("ada", posted(1, "#Größe #seeds")),
        ("ben", posted(2, "#GRÖSSE")),
        ("ben", posted(3, "#brot, #Brot!")),
        ("ada", posted(4, "#seeds again")),
        ("ada", Entry::PostDeleted { at: Wall(5), id: at(4), few: false }),
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
        let (news, index) = (world.index.news(eyes, None, &NewsKind::ALL, 9), &world.index);
        assert_eq!(index.news_count(eyes, at(0), &NewsKind::ALL), news.news.len());
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

    world.write("ada", &Entry::Muted { at: Wall(9), user: name("cleo"), until: None });
    assert_eq!(seen(&world, world.eyes("ada")), (2, 0, 1, 1));
    assert_eq!(world.index.named(world.eyes("ada"), "cl", 9), [name("cleo")]);
    world.write("ben", &Entry::Blocked { at: Wall(9), user: name("ada") });
    assert_eq!(seen(&world, world.eyes("ada")), (0, 0, 0, 0));
    assert!(world.index.named(world.eyes("ada"), "be", 9).is_empty());
    assert_eq!(seen(&world, ANYONE), (0, 0, 1, 2));

    // Whoever shows their posts to members alone shows strangers none, whichever way they ask.
    let profile = |members_only| {
        let (display_name, bio) = ("Ben".to_owned(), String::new());
        let posts_for = Audience::Everyone;
        Entry::Profile { at: Wall(9), display_name, bio, members_only, posts_for, avatar: None }
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
fn walk_over_tags_passes_over_what_is_not_wanted_and_says_where_it_goes_on() {
    let unwanted = u64::try_from(PASSED_OVER_MAX).unwrap() + 10;
    let mut world = World::of(&joined());
    world.write("ada", &posted(1, "#Brot #seeds"));
    (2..2 + unwanted).for_each(|ms| world.write("ben", &posted(ms, "#brot")));
    let (any, other) = ([tag("brot")], [tag("seeds")]);
    let all = TagsWanted { any: &any, all: &other, ..TagsWanted::default() };
    let walk = |tags, span| world.index.walk(ANYONE, Walk::Tagged(tags), span, 5);
    let first = walk(all, Span::default());
    assert_eq!((first.items.len(), first.stopped), (0, Some(at(12))));
    let next = walk(all, Span { below: first.stopped, ..Span::default() });
    let found: Vec<_> = next.items.iter().map(|item| item.post.clone()).collect();
    assert_eq!((found, next.stopped), (vec![post("ada", 1)], None));
    let none = TagsWanted { none: &other, ..all };
    assert!(walk(none, Span { below: Some(at(12)), ..Span::default() }).items.is_empty());
    let none = TagsWanted { none: &other, any: &any, ..TagsWanted::default() };
    assert_eq!(walk(none, Span { below: Some(at(4)), ..Span::default() }).items.len(), 2);
    let pictured = TagsWanted { only_pictures: true, ..none };
    assert_eq!(walk(pictured, Span::default()).stopped, Some(at(12)));
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
    /// Who likes which post since when; and reposted, where it is so.
    marks: BTreeMap<(UserName, bool, PostRef), u64>,
    /// Who mutes whom, and blocks, where it is so.
    apart: BTreeSet<(UserName, bool, UserName)>,
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
                Entry::Liked { at, post } => {
                    plain.marks.entry((user.clone(), false, post.clone())).or_insert(at.0);
                }
                Entry::Reposted { at, post } => {
                    plain.marks.entry((user.clone(), true, post.clone())).or_insert(at.0);
                }
                Entry::Unliked { post, .. } => {
                    plain.marks.remove(&(user.clone(), false, post.clone()));
                }
                Entry::Unreposted { post, .. } => {
                    plain.marks.remove(&(user.clone(), true, post.clone()));
                }
                Entry::Muted { user: whom, .. } => {
                    plain.apart.insert((user.clone(), false, whom.clone()));
                }
                Entry::Blocked { user: whom, .. } => {
                    plain.apart.insert((user.clone(), true, whom.clone()));
                }
                Entry::Unmuted { user: whom, .. } => {
                    plain.apart.remove(&(user.clone(), false, whom.clone()));
                }
                Entry::Unblocked { user: whom, .. } => {
                    plain.apart.remove(&(user.clone(), true, whom.clone()));
                }
                Entry::Left { .. } => {
                    plain.marks.retain(|(who, ..), _| who != user);
                    plain.apart.retain(|(who, ..)| who != user);
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

    /// Whether somebody hears nothing of another.
    fn is_apart(&self, viewer: &UserName, who: &UserName) -> bool {
        let stated = |one: &UserName, is_block, other: &UserName| {
            one != other && self.apart.contains(&(one.clone(), is_block, other.clone()))
        };
        stated(viewer, false, who) || stated(viewer, true, who) || stated(who, true, viewer)
    }

    /// All that concerns somebody: when, and what in words.
    fn news(&self, of: &UserName) -> BTreeSet<(u64, String)> {
        let named = self.posts(|author, text| author != of && names(text, of));
        let named = named.into_iter().map(|(ms, who)| (ms, format!("named by {who}"), who));
        let is_fan =
            |who: &UserName, whom: &UserName| whom == of && who != of && !self.left.contains(of);
        let fans = self.follows.iter().filter(|((who, whom), _)| is_fan(who, whom));
        let fans = fans.map(|((who, _), ms)| (*ms, format!("followed by {who}"), who.clone()));
        let stands = |it: &PostRef| self.posts.contains_key(&(it.id.at_ms(), it.user.clone()));
        let marks = self
            .marks
            .iter()
            .filter(|((who, _, post), _)| post.user == *of && who != of && stands(post));
        let marks = marks.map(|((who, is_repost, post), ms)| {
            let verb = if *is_repost { "reposted" } else { "likes" };
            (*ms, format!("{who} {verb} {of} {}", post.id.at_ms()), who.clone())
        });
        let all = named.chain(fans).chain(marks);
        all.filter(|(.., who)| !self.is_apart(of, who)).map(|(ms, what, _)| (ms, what)).collect()
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

/// The pages of somebody's news, downwards and upwards, of all kinds and of each.
fn check_news(index: &Index, user: &UserName, expected: &BTreeSet<(u64, String)>, n: usize) {
    let eyes = index.eyes(Some(user), Wall(0));
    let all = |kinds: &[NewsKind], is_rising: bool| {
        let wanted = NewsWanted { kinds, by: None };
        let (mut found, mut span) = (Vec::new(), Span { is_rising, ..Span::default() });
        loop {
            let page = index.news_part(eyes, span, &wanted, n);
            let page_said = said(&page);
            assert!(page_said.is_sorted_by(|a, b| a.0 >= b.0));
            found.extend(page_said);
            match page.older {
                None => break,
                older if is_rising => span.above = older,
                older => span.below = older,
            }
        }
        let set: BTreeSet<_> = found.iter().cloned().collect();
        assert_eq!(set.len(), found.len(), "twice: {found:?}");
        set
    };
    for is_rising in [false, true] {
        assert_eq!(&all(&NewsKind::ALL, is_rising), expected, "news of {user}");
        let each = NewsKind::ALL.iter().flat_map(|kind| all(&[*kind], is_rising));
        assert_eq!(&each.collect::<BTreeSet<_>>(), expected, "news of {user} by kind");
    }
    let above = expected.iter().filter(|(ms, _)| *ms > 5).count();
    assert_eq!(index.news_count(eyes, at(5), &NewsKind::ALL), above, "{user}");
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
        check_news(index, &user, &plain.news(&user), n);
    }
    assert_eq!(
        all_pages(|before| index.candidates(ANYONE, (&[], &[]), before, n)).len(),
        index.posts()
    );
}

fn any_line() -> impl Strategy<Value = (UserName, Entry)> {
    let who = || prop::sample::select(PEOPLE.to_vec());
    let of = || (who(), 1..12u64).prop_map(|(user, ms)| post(user, ms));
    let user = || who().prop_map(name);
    let entry = prop_oneof![
        8 => (1..12u64, prop::sample::select(TEXTS.to_vec())).prop_map(|(ms, text)| posted(ms, text)),
        2 => (1..12u64).prop_map(|ms| Entry::PostDeleted { at: Wall(ms), id: at(ms), few: false }),
        4 => (1..12u64, who()).prop_map(|(ms, user)| followed(ms, user)),
        2 => who().prop_map(|user| Entry::Unfollowed { at: Wall(1), user: name(user) }),
        6 => (1..12u64, of()).prop_map(|(ms, post)| Entry::Liked { at: Wall(ms), post }),
        4 => (1..12u64, of()).prop_map(|(ms, post)| Entry::Reposted { at: Wall(ms), post }),
        2 => of().prop_map(|post| Entry::Unliked { at: Wall(1), post }),
        1 => of().prop_map(|post| Entry::Unreposted { at: Wall(1), post }),
        1 => user().prop_map(|user| Entry::Muted { at: Wall(1), user, until: None }),
        1 => user().prop_map(|user| Entry::Unmuted { at: Wall(1), user }),
        1 => user().prop_map(|user| Entry::Blocked { at: Wall(1), user }),
        1 => user().prop_map(|user| Entry::Unblocked { at: Wall(1), user }),
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
