//! Who is shown what is not for everybody, on every list: against a plain reading, and the stories behind
//! the rules.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::world::{ANYONE, World, name};
use super::*;
use crate::clock::Wall;
use crate::id::{PictureKind, PictureName};
use crate::text::Tag;
use crate::user::entry::{Audience, Picture};

const PEOPLE: [&str; 4] = ["ada", "ben", "cleo", "dora"];
/// Dora takes her name when others have long written it.
const JOINED: [u64; 4] = [1, 1, 1, 6];
const TEXTS: [&str; 5] = ["alone", "to @ben", "to @dora #seeds", "@cleo and @ada #seeds", "#seeds"];
const AUDIENCES: [Audience; 4] =
    [Audience::Everyone, Audience::Quiet, Audience::Followers, Audience::Named];

fn at(ms: u64) -> PostId {
    PostId::floor_of(ms)
}

fn post(user: &str, ms: u64) -> PostRef {
    PostRef { user: name(user), id: at(ms) }
}

fn picture() -> Picture {
    let file = PictureName::of(PictureKind::Jpeg, b"gull");
    let thumb = PictureName::of(PictureKind::Png, b"gull");
    let (description, sent_as) = (String::new(), None);
    Picture { file, thumb, width: 4, height: 3, bytes: 9, description, sent_as }
}

fn posted(ms: u64, audience: Audience, text: &str, reply_to: Option<PostRef>) -> Entry {
    let (at, id, text, note) = (Wall(ms), at(ms), text.to_owned(), None);
    let pictures = if ms.is_multiple_of(3) { vec![picture()] } else { Vec::new() };
    if audience.is_everyone() {
        Entry::Posted { at, id, text, reply_to, note, pictures, sensitive: false }
    } else {
        Entry::PostedFor { at, id, audience, text, reply_to, note, pictures, sensitive: false }
    }
}

fn edited(ms: u64, text: &str) -> Entry {
    Entry::PostEdited {
        at: Wall(20),
        id: at(ms),
        text: text.to_owned(),
        note: None,
        sensitive: None,
        descriptions: None,
    }
}

fn deleted(ms: u64) -> Entry {
    Entry::PostDeleted { at: Wall(21), id: at(ms), few: false }
}

fn followed(user: &str) -> Entry {
    Entry::Followed { at: Wall(7), user: name(user) }
}

fn joined() -> Vec<(UserName, Entry)> {
    let joins = PEOPLE.iter().zip(JOINED);
    joins.map(|(user, at)| (name(user), Entry::Joined { at: Wall(at) })).collect()
}

// ---- against a plain reading

#[derive(Debug, Clone)]
struct Plain {
    audience: Audience,
    text: String,
    said_at: u64,
    reply_to: Option<PostRef>,
    has_picture: bool,
}

#[derive(Debug, Default)]
struct Model {
    posts: BTreeMap<PostRef, Plain>,
    deleted: BTreeSet<PostRef>,
    follows: BTreeSet<(UserName, UserName)>,
    blocks: BTreeSet<(UserName, UserName)>,
    reposts: BTreeSet<(UserName, PostRef)>,
}

type Posts = BTreeSet<PostRef>;

impl Model {
    fn of(log: &[(UserName, Entry)]) -> Self {
        let mut model = Self::default();
        for (user, entry) in log {
            model.take(user, entry);
        }
        let blocks = model.blocks.clone();
        let apart = |a: &UserName, b: &UserName| {
            blocks.contains(&(a.clone(), b.clone())) || blocks.contains(&(b.clone(), a.clone()))
        };
        model.follows.retain(|(who, whom)| who != whom && !apart(who, whom));
        model
    }

    fn take(&mut self, user: &UserName, entry: &Entry) {
        let own = |id: &PostId| PostRef { user: user.clone(), id: *id };
        let audience = match entry {
            Entry::PostedFor { audience, .. } => *audience,
            _ => Audience::Everyone,
        };
        match entry {
            Entry::Posted { at, id, text, reply_to, pictures, .. }
            | Entry::PostedFor { at, id, text, reply_to, pictures, .. } => {
                let (text, reply_to) = (text.clone(), reply_to.clone());
                let (said_at, has_picture) = (at.0, !pictures.is_empty());
                let plain = Plain { audience, text, said_at, reply_to, has_picture };
                if !self.deleted.contains(&own(id)) {
                    self.posts.entry(own(id)).or_insert(plain);
                }
            }
            Entry::PostEdited { at, id, text, .. } => {
                if let Some(post) = self.posts.get_mut(&own(id)) {
                    (post.text, post.said_at) = (text.clone(), at.0);
                }
            }
            Entry::PostDeleted { id, .. } => {
                self.posts.remove(&own(id));
                self.deleted.insert(own(id));
            }
            Entry::Followed { user: whom, .. } => {
                self.follows.insert((user.clone(), whom.clone()));
            }
            Entry::Unfollowed { user: whom, .. } => {
                self.follows.remove(&(user.clone(), whom.clone()));
            }
            Entry::Blocked { user: whom, .. } if whom != user => {
                self.blocks.insert((user.clone(), whom.clone()));
            }
            Entry::Reposted { post, .. } => {
                self.reposts.insert((user.clone(), post.clone()));
            }
            _ => {}
        }
    }

    fn follows(&self, who: Option<&UserName>, whom: &UserName) -> bool {
        who.is_some_and(|who| self.follows.contains(&(who.clone(), whom.clone())))
    }

    fn is_apart(&self, viewer: Option<&UserName>, whom: &UserName) -> bool {
        viewer.is_some_and(|viewer| {
            let (viewer, whom) = (viewer.clone(), whom.clone());
            self.blocks.contains(&(viewer.clone(), whom.clone()))
                || self.blocks.contains(&(whom, viewer))
        })
    }

    fn names(&self, post: &PostRef, who: Option<&UserName>) -> bool {
        let Some(who) = who else { return false };
        let plain = &self.posts[post];
        let joined = JOINED[PEOPLE.iter().position(|known| *known == who.as_str()).unwrap()];
        let is_named = plain.text.split(' ').any(|word| word == format!("@{who}"));
        is_named && joined <= plain.said_at
    }

    fn shows(&self, viewer: Option<&UserName>, post: &PostRef) -> bool {
        let is_own = viewer == Some(&post.user);
        let is_for = match self.posts[post].audience {
            Audience::Everyone | Audience::Quiet => true,
            Audience::Followers => {
                is_own || self.follows(viewer, &post.user) || self.names(post, viewer)
            }
            Audience::Named => is_own || self.names(post, viewer),
        };
        is_for && !self.is_apart(viewer, &post.user)
    }

    /// The posts that are shown and are so.
    fn shown(&self, viewer: Option<&UserName>, is_so: impl Fn(&PostRef, &Plain) -> bool) -> Posts {
        let posts = self.posts.iter().filter(|(post, plain)| is_so(post, plain));
        posts.map(|(post, _)| post.clone()).filter(|post| self.shows(viewer, post)).collect()
    }

    /// What these reposted, as far as it may be shown on.
    fn reposted(&self, viewer: Option<&UserName>, by: impl Fn(&UserName) -> bool) -> Posts {
        let reposts = self.reposts.iter().filter(|(who, post)| {
            by(who)
                && !self.is_apart(viewer, who)
                && self.posts.get(post).is_some_and(|it| !it.audience.is_few())
        });
        reposts.map(|(_, post)| post.clone()).filter(|post| self.shows(viewer, post)).collect()
    }
}

fn all_pages(query: impl Fn(Option<PostId>) -> PostList) -> Posts {
    let (mut all, mut before) = (Posts::new(), None);
    loop {
        let page = query(before);
        all.extend(page.posts);
        before = page.older;
        if before.is_none() {
            return all;
        }
    }
}

/// A list for apps, from both ends.
fn walked(index: &Index, eyes: Eyes, list: Walk<'_>) -> Posts {
    let all = |is_rising| -> Posts {
        let span = Span { is_rising, ..Span::default() };
        let walked = index.walk(eyes, list, span, 999);
        assert_eq!(walked.stopped, None);
        walked.items.into_iter().map(|item| item.post).collect()
    };
    let falling = all(false);
    assert_eq!(falling, all(true), "{list:?} from its two ends");
    falling
}

#[track_caller]
fn check(index: &Index, model: &Model, viewer: Option<&UserName>) {
    let eyes = index.eyes(viewer, Wall(99));
    let (tag, n) = (Tag::parse("seeds").unwrap(), 3);
    for post in model.posts.keys() {
        assert_eq!(index.shows(eyes, post), model.shows(viewer, post), "{viewer:?} {post:?}");
        assert_eq!(index.shows_text(eyes, post), model.shows(viewer, post));
        let answers = |plain: &Plain| plain.reply_to.as_ref() == Some(post);
        let replies = model.shown(viewer, |_, plain| answers(plain));
        assert_eq!(index.reply_count(eyes, post) as usize, replies.len());
        let thread = index.replies(eyes, post, 99).replies;
        let direct: Posts =
            thread.iter().filter(|it| it.depth == 1).map(|it| it.post.clone()).collect();
        assert_eq!(direct, replies, "{viewer:?} below {post:?}");
        assert!(thread.iter().all(|it| model.shows(viewer, &it.post)));
    }
    let few = model.posts.values().filter(|plain| plain.audience.is_few()).count();
    assert_eq!(index.posts(), model.posts.len() - few);
    let public = |plain: &Plain| plain.audience == Audience::Everyone;
    let everyone = model.shown(viewer, |_, plain| public(plain));
    assert_eq!(all_pages(|before| index.everyone(eyes, before, n)), everyone);
    assert_eq!(walked(index, eyes, Walk::Everyone), everyone);
    let pictured = model.shown(viewer, |_, plain| public(plain) && plain.has_picture);
    assert_eq!(walked(index, eyes, Walk::Pictured), pictured);
    let is_seen = !model.shown(viewer, |_, plain| plain.has_picture).is_empty();
    assert_eq!(index.shows_picture(eyes, picture().file), is_seen);
    let tagged = model.shown(viewer, |_, plain| public(plain) && plain.text.contains("#seeds"));
    assert_eq!(all_pages(|before| index.tagged(eyes, &tag, before, n)), tagged);
    let any = TagsWanted { any: std::slice::from_ref(&tag), ..TagsWanted::default() };
    assert_eq!(walked(index, eyes, Walk::Tagged(any)), tagged);
    let pictured = tagged.intersection(&pictured).cloned().collect::<Posts>();
    let any = TagsWanted { only_pictures: true, ..any };
    assert_eq!(walked(index, eyes, Walk::Tagged(any)), pictured);
    assert_eq!(index.recent_tags(eyes, 9).is_empty(), tagged.is_empty());
    let found = model.shown(viewer, |post, plain| public(plain) || viewer == Some(&post.user));
    assert_eq!(all_pages(|before| index.candidates(eyes, (&[], &[]), before, n)), found);
    check_own(index, model, viewer);
    for author in PEOPLE.map(name) {
        let own = model.shown(viewer, |post, _| post.user == author);
        assert_eq!(all_pages(|before| index.posts_of(eyes, &author, before, n)), own);
        assert_eq!(walked(index, eyes, Walk::Of(&author, false)), own);
        let reposts = model.reposted(viewer, |who| *who == author);
        let both: Posts = own.union(&reposts).cloned().collect();
        assert_eq!(all_pages(|before| index.profile(eyes, &author, before, n)), both);
        assert_eq!(walked(index, eyes, Walk::Of(&author, true)), both);
        let of = |(post, plain): &(&PostRef, &Plain)| {
            let is_own = viewer == Some(&author);
            post.user == author && (is_own || !plain.audience.is_few())
        };
        let is_apart = model.is_apart(viewer, &author);
        let count = if is_apart { 0 } else { model.posts.iter().filter(of).count() };
        assert_eq!(index.counts(eyes, &author).posts as usize, count);
    }
}

/// A member's home, and what names them.
fn check_own(index: &Index, model: &Model, viewer: Option<&UserName>) {
    let Some(own) = viewer else { return };
    let eyes = index.eyes(viewer, Wall(99));
    let followed = |who: &UserName| model.follows(viewer, who);
    let posts = model.shown(viewer, |post, _| post.user == *own || followed(&post.user));
    let reposts = model.reposted(viewer, |who| followed(who));
    let home: Posts = posts.union(&reposts).cloned().collect();
    assert_eq!(all_pages(|before| index.home(eyes, before, 3)), home, "home of {own}");
    let named = |post: &PostRef, plain: &Plain| {
        post.user != *own && plain.text.split(' ').any(|word| word == format!("@{own}"))
    };
    let named = model.shown(viewer, named);
    let news = index.news(eyes, None, &NewsKind::ALL, 999).news;
    let told: Posts = news
        .into_iter()
        .filter_map(|it| if let News::Named(post) = it { Some(post) } else { None })
        .collect();
    assert_eq!(told, named, "news of {own}");
    for listened in [Listened::Home, Listened::Everyone] {
        let (happened, _) = index.happened(eyes, listened, 0, 999).unwrap();
        for what in happened {
            let (Happened::Posted(post)
            | Happened::Named(post)
            | Happened::Edited(post)
            | Happened::Reposted(post, ..)) = &what
            else {
                continue;
            };
            assert!(model.shows(viewer, post), "{own} hears {what:?}");
            let is_reposted = matches!(what, Happened::Reposted(..));
            let audience = model.posts[post].audience;
            assert!(!is_reposted || !audience.is_few());
            assert!(listened == Listened::Home || audience == Audience::Everyone);
        }
    }
}

fn any_line() -> impl Strategy<Value = (UserName, Entry)> {
    let who = || prop::sample::select(PEOPLE.to_vec());
    let text = || prop::sample::select(TEXTS.to_vec());
    let reply = prop::option::of((who(), 1..12u64));
    let audience = prop::sample::select(AUDIENCES.to_vec());
    let written = (1..12u64, audience, text(), reply).prop_map(|(ms, audience, text, reply)| {
        // No circles: those have their own test.
        let reply_to = reply.filter(|(_, parent)| *parent < ms);
        posted(ms, audience, text, reply_to.map(|(user, parent)| post(user, parent)))
    });
    let entry = prop_oneof![
        10 => written,
        2 => (1..12u64, text()).prop_map(|(ms, text)| edited(ms, text)),
        2 => (1..12u64).prop_map(deleted),
        5 => who().prop_map(followed),
        2 => who().prop_map(|user| Entry::Unfollowed { at: Wall(8), user: name(user) }),
        1 => who().prop_map(|user| Entry::Blocked { at: Wall(8), user: name(user) }),
        3 => (who(), 1..12u64).prop_map(|(user, ms)| {
            Entry::Reposted { at: Wall(30 + ms), post: post(user, ms) }
        }),
    ];
    (who().prop_map(name), entry)
}

fn check_all(index: &Index, model: &Model) {
    check(index, model, None);
    PEOPLE.map(name).iter().for_each(|viewer| check(index, model, Some(viewer)));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn s52_every_list_shows_what_is_for_few_to_those_few(
        log in prop::collection::vec(any_line(), 0..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let log: Vec<_> = joined().into_iter().chain(log).collect();
        let (mut fed, mut early) = (World::default(), World::default());
        for (at, (user, entry)) in log.iter().enumerate() {
            fed.write(user.as_str(), entry);
            if at < cut.index(log.len()) {
                early.write(user.as_str(), entry);
            }
        }
        let model = Model::of(&log);
        check_all(&fed.index, &model);
        check_all(&Index::build(fed.users.values()), &model);
        let mut whole = early.index;
        for (user, after) in &fed.users {
            let absent = User::absent(user.clone());
            whole.replace(early.users.get(user).unwrap_or(&absent), after);
        }
        check_all(&whole, &model);
    }
}

// ---- stories

fn told(world: &World, user: &str, listened: Listened<'_>, from: u64) -> Vec<Happened> {
    world.index.happened(world.eyes(user), listened, from, 99).unwrap().0
}

#[test]
fn end_of_a_post_for_few_is_told_to_those_who_could_read_it() {
    let mut world = World::default();
    for user in PEOPLE {
        world.write(user, &Entry::Joined { at: Wall(1) });
    }
    for user in ["cleo", "dora"] {
        world.write(user, &followed("ada"));
    }
    let gone = |ms| vec![Happened::Deleted(post("ada", ms))];
    for (ms, audience, readers) in [
        (10, Audience::Quiet, vec!["ada", "cleo", "dora"]),
        (11, Audience::Followers, vec!["ada", "ben", "cleo", "dora"]),
        (12, Audience::Named, vec!["ada", "ben"]),
    ] {
        world.write("ada", &posted(ms, audience, "to @ben", None));
        let from = world.index.next_change();
        world.write("ada", &deleted(ms));
        for user in PEOPLE {
            let expected = if readers.contains(&user) { gone(ms) } else { Vec::new() };
            assert_eq!(told(&world, user, Listened::Home, from), expected, "{user} {audience:?}");
            assert_eq!(told(&world, user, Listened::Everyone, from), [], "{user} {audience:?}");
        }
        let strangers = world.index.happened(ANYONE, Listened::Everyone, from, 99).unwrap().0;
        assert_eq!(strangers, []);
    }
    // Whom an edit names no longer, it is gone for; whom it names now may read it from now on.
    world.write("ada", &posted(13, Audience::Named, "to @ben", None));
    let from = world.index.next_change();
    world.write("ada", &edited(13, "@cleo"));
    assert_eq!(told(&world, "ben", Listened::Home, from), gone(13));
    let edited = [Happened::Edited(post("ada", 13))];
    assert_eq!(told(&world, "cleo", Listened::Home, from), edited);
    assert_eq!(told(&world, "dora", Listened::Home, from), []);
}

#[test]
fn r0154_post_for_few_is_none_to_others_once_it_was_taken_back() {
    let mut world = World::default();
    for user in PEOPLE {
        world.write(user, &Entry::Joined { at: Wall(1) });
    }
    for (ms, audience) in [(10, Audience::Named), (11, Audience::Everyone)] {
        world.write("ada", &posted(ms, audience, "to @ben", None));
        let few = audience.is_few();
        world.write("ada", &Entry::PostDeleted { at: Wall(21), id: at(ms), few });
        // Nobody takes it back twice, and if so the first time counts.
        world.write("ada", &Entry::PostDeleted { at: Wall(22), id: at(ms), few: !few });
    }
    let rebuilt = Index::build(world.users.values());
    let told = |index: &Index, eyes| {
        [10, 11]
            .map(|ms| (index.shows(eyes, &post("ada", ms)), index.is_for(eyes, &post("ada", ms))))
    };
    let (none, some) = ((false, false), (true, true));
    for index in [&world.index, &rebuilt] {
        let eyes = |user: &str| index.eyes(Some(&name(user)), Wall(0));
        assert_eq!(told(index, eyes("ada")), [some, some]);
        for eyes in [eyes("ben"), eyes("cleo"), ANYONE] {
            assert_eq!(told(index, eyes), [none, some]);
        }
    }
    world.write("ada", &Entry::Left { at: Wall(30) });
    assert_eq!(told(&world.index, ANYONE), [some, some], "what is left of her says nothing");
}

#[test]
fn end_of_a_page_names_no_post_that_is_not_shown() {
    let mut world = World::default();
    for user in PEOPLE {
        world.write(user, &Entry::Joined { at: Wall(1) });
    }
    for (ms, audience) in [(10, AUDIENCES[0]), (11, AUDIENCES[3]), (12, AUDIENCES[0])] {
        world.write("ada", &posted(ms, audience, "alone", None));
    }
    for page in [
        world.index.everyone(ANYONE, None, 1),
        world.index.profile(world.eyes("ben"), &name("ada"), None, 1),
    ] {
        assert_eq!((page.posts, page.older), (vec![post("ada", 12)], Some(at(12))));
    }
}

#[test]
fn r0162_whom_a_post_names_is_the_same_before_and_after_a_start_by_whatever_clock() {
    let mut world = World::default();
    world.write("ada", &Entry::Joined { at: Wall(1) });
    world.write("dora", &Entry::Joined { at: Wall(8) });
    // The clock of the machine that takes it is behind the one that let dora in; its number comes after all.
    let Entry::PostedFor { id, audience, text, reply_to, note, pictures, sensitive, .. } =
        posted(10, Audience::Named, "to @dora", None)
    else {
        panic!()
    };
    let at = Wall(5);
    let behind = Entry::PostedFor { at, id, audience, text, reply_to, note, pictures, sensitive };
    world.write("ada", &behind);
    let sees =
        |index: &Index| index.shows(index.eyes(Some(&name("dora")), Wall(99)), &post("ada", 10));
    assert!(sees(&Index::build(world.users.values())));
    assert!(sees(&world.index));
}

#[test]
fn whoever_awaits_a_keeper_is_none_of_the_few() {
    let mut world = World::default();
    for user in PEOPLE {
        world.write(user, &Entry::Joined { at: Wall(1) });
    }
    world.write("dora", &Entry::AskedIn { at: Wall(1) });
    world.write("ada", &posted(10, Audience::Named, "to @dora #seeds", None));
    world.write("cleo", &Entry::KeeperMade { at: Wall(1) });
    let sees = |world: &World, user: &str| world.index.shows(world.eyes(user), &post("ada", 10));
    assert!(!sees(&world, "dora"));
    world.write("cleo", &Entry::MemberAdmitted { at: Wall(11), user: name("dora") });
    assert!(sees(&world, "dora"));
    // A keeper is shown nothing for being one, but the picture of what was reported.
    let shown = |world: &World, ms| {
        let eyes = world.eyes("cleo");
        (world.index.shows(eyes, &post("ada", ms)), world.index.shows_picture(eyes, picture().file))
    };
    world.write("ada", &posted(12, Audience::Named, "to @dora #seeds", None));
    assert_eq!(shown(&world, 12), (false, false));
    let reported =
        Entry::Reported { at: Wall(13), user: name("ada"), id: at(12), reason: String::new() };
    world.write("dora", &reported);
    assert_eq!(shown(&world, 12), (false, true));
    world.write("cleo", &Entry::ReportClosed { at: Wall(14), user: name("ada"), id: at(12) });
    assert_eq!(shown(&world, 12), (false, false));
}
