//! Posts kept as they were drawn: whatever was shown to others before, everybody is shown what they would
//! be shown by a web server that keeps nothing.

use super::fake::{ACCEPT_LANGUAGE, Browser, Fake, NOW, of_ben, person, post, site, text};
use super::fitting::fitting;
use super::polls::asks;
use crate::action::KeptPicture;
use crate::clock::{Mono, Wall};
use crate::id::{PictureKind, PictureName};
use crate::user::entry::{Audience, Picture};
use crate::web::handler::Site;
use crate::wire::request::{FoundPage, Kept, Outcome, PostPage, PostView};

/// What may differ in a post from how it was told before.
const CHANGES: [fn(&mut PostView); 20] = [
    |_| (),
    |post| post.text.push_str(" #green"),
    |post| post.author.display_name = "Ben K.".to_owned(),
    |post| post.author.avatar = Some(Box::new(face())),
    |post| post.at = Wall(post.at.0 - 1_000),
    |post| post.note = Some("Gloves".to_owned()),
    |post| post.edited_at = Some(Wall(NOW.0 - 1_000)),
    |post| post.reposted_by = Some(person("mina", "Mina")),
    |post| post.reposted_by = Some(person("mina", "Mina Okafor")),
    |post| post.mine.liked = true,
    |post| post.mine.reposted = true,
    |post| post.mine.bookmarked = true,
    |post| post.audience = Audience::Quiet,
    |post| post.audience = Audience::Named,
    |post| post.reply_to = Some(of_ben(7)),
    |post| post.replies = 2,
    |post| post.mentions = Vec::new(),
    |post| post.hidden = Some("Not his.".to_owned()),
    |post| post.pictures = vec![picture()],
    |post| post.poll = Some(Box::new(asks([None, None]))),
];
/// Where posts stand in a list.
const PAGES: [&str; 7] =
    ["/", "/public", "/@ben", "/@ada", "/tag/glove", "/search?q=glove", "/bookmarks"];
/// Milliseconds that have gone by.
const LATER: [u64; 4] = [0, 56_000, 4_000_000, 9 * 86_400_000];
/// Prime to how many views there are, so that steps of so many lead through all of them.
const STEPS: [usize; 2] = [1, 2_503];

/// What is told, who looks, and when.
#[derive(Debug, Clone, Copy)]
struct View {
    change: usize,
    is_adas: bool,
    /// Whether it is what stands first on its author's profile, or was written just now.
    is_first: bool,
    page: &'static str,
    language: Option<&'static str>,
    is_member: bool,
    later_ms: u64,
}

fn file(bytes: &[u8]) -> PictureName {
    PictureName::of(PictureKind::Jpeg, bytes)
}

fn face() -> KeptPicture {
    KeptPicture { file: file(b"face"), thumb: file(b"small") }
}

fn picture() -> Picture {
    let description = "A glove".to_owned();
    let (width, height, bytes, sent_as) = (40, 30, 7, None);
    Picture { file: file(b"one"), thumb: file(b"two"), width, height, bytes, description, sent_as }
}

impl View {
    /// One of them for each number.
    fn numbered(mut number: usize) -> Self {
        let mut one_of = |count: usize| {
            let digit = number % count;
            number /= count;
            digit
        };
        Self {
            change: one_of(CHANGES.len()),
            is_adas: one_of(2) == 1,
            is_first: one_of(2) == 1,
            page: PAGES[one_of(PAGES.len())],
            language: [None, Some("de")][one_of(2)],
            is_member: one_of(2) == 1,
            later_ms: LATER[one_of(LATER.len())],
        }
    }

    const COUNT: usize = CHANGES.len() * 2 * 2 * PAGES.len() * 2 * 2 * LATER.len();

    fn told(self) -> PostPage {
        let by = if self.is_adas { ("ada", "Ada Lind") } else { ("ben", "Ben Kroll") };
        let mut glove = post(899, by.0, by.1, 0, "Found: a glove of @ada and @eve <b>");
        CHANGES[self.change](&mut glove);
        let other = post(7, "ben", "Ben Kroll", 1, "Nothing new");
        let just_posted = Kept { post: glove.id, on: 3, of: 3 };
        let just_posted = Some(just_posted).filter(|_| self.is_first);
        PostPage { posts: vec![other, glove], older: None, suggestions: Vec::new(), just_posted }
    }

    /// What a site shows of the list.
    fn shown(self, site: &Site<Fake>) -> String {
        site.clock.set(Mono(0), Wall(NOW.0 + self.later_ms));
        site.answer(move |action| {
            let told = self.told();
            Ok(match fitting(action) {
                Outcome::Posts(_) => Outcome::Posts(told),
                Outcome::Profile(mut profile) => {
                    profile.pinned = told.posts.get(1).filter(|_| self.is_first).cloned();
                    profile.page = told;
                    Outcome::Profile(profile)
                }
                Outcome::Found(_) => {
                    Outcome::Found(FoundPage { posts: told.posts, ..FoundPage::default() })
                }
                other => other,
            })
        });
        ACCEPT_LANGUAGE.set(self.language);
        let new = if self.is_member { Browser::ada } else { Browser::stranger };
        let page = text(&new(site).get(self.page));
        let feed =
            page.split_once("<ol class=\"feed\">").and_then(|(_, it)| it.split_once("</ol>"));
        feed.map_or_else(|| "no list".to_owned(), |(feed, _)| without_secrets(feed))
    }
}

/// The key of a poll's form is another one each time that one goes by another clock.
fn without_secrets(feed: &str) -> String {
    let mut parts = feed.split("<input type=\"hidden\"");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('>').unwrap().1)
}

#[test]
fn post_shown_as_by_a_site_that_keeps_nothing() {
    let keeping = site();
    let mut lists = 0;
    for (step, at) in STEPS.iter().flat_map(|step| (0..View::COUNT).map(move |at| (step, at))) {
        let view = View::numbered(at * step % View::COUNT);
        // Not each of so many is worth its time; which are left out differs.
        if (at + step) % 7 != 0 {
            continue;
        }
        let shown = view.shown(&keeping);
        assert_eq!(shown, view.shown(&site()), "{view:?}");
        lists += usize::from(shown.contains("<article"));
    }
    assert!(lists > View::COUNT / 5, "{lists}");
}
