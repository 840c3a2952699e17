//! Reading in a large community beside a small one: no page costs more than what it shows.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::time::Instant;

use tern::clock::Wall;
use tern::id::{Hash128, PostId};
use tern::limits::SEARCH_MS;
use tern::replica::version::{Term, Version};
use tern::store::line::{Kind, NewLine, encode};
use tern::user::entry::Entry;

use crate::client::now;
use crate::growth::Growth;
use crate::machines::Machines;
use crate::person::Person;
use crate::table::{Most, Table, Worst};
use crate::web::Web;
use crate::{Plan, median, megabytes, process};

/// When the first post was made, in milliseconds since 1970.
const FIRST_MS: u64 = 1_600_000_000_000;
/// Posts that share a line of a file: as people write them, one.
const LINE_POSTS: u64 = 1;
/// How often each page is asked for.
const TIMES: usize = 30;
/// What a page may cost beside the same page of the small community: twice, for the noise.
const TIMES_MOST: f64 = 2.0;
/// What a backend that holds a million posts may take of a small machine's memory, in megabytes.
const AT_REST_MB_MOST: f64 = 120.0;

/// How many people and posts.
#[derive(Clone, Copy)]
struct Size {
    people: u64,
    posts_each: u64,
    /// Posts of the one who writes most.
    posts_most: u64,
}

const SMALL: Size = Size { people: 10, posts_each: 40, posts_most: 100 };
const LARGE: Size = Size { people: 1_000, posts_each: 900, posts_most: 100_000 };
/// Ten thousand, a hundred thousand and a million posts, as many to each.
const GROWING: [Size; 3] = [
    Size { people: 100, posts_each: 90, posts_most: 1_000 },
    Size { people: 300, posts_each: 300, posts_most: 10_000 },
    LARGE,
];
/// Times what reading the same files takes that a start may take.
const START_TIMES_MOST: f64 = 3.0;

impl Size {
    const fn posts(self) -> u64 {
        self.people * self.posts_each + self.posts_most
    }
}

/// A community on one machine, and somebody in it who follows everybody.
struct Community {
    machines: Machines,
    _web: Web,
    ada: Person,
    /// An address in the middle of the longest profile.
    deep: String,
    /// What the backend takes once it serves.
    at_rest_mb: f64,
    /// Milliseconds from its start until a page is there, and reading its files alone.
    start_ms: f64,
    cat_ms: f64,
}

/// Measures each page in both.
pub(crate) fn measure(_plan: &Plan, table: &mut Table) -> io::Result<()> {
    let mut small = Community::start(SMALL)?;
    let mut large = Community::start(LARGE)?;
    let posts = LARGE.posts();
    let follows = format!("home with {} follows", LARGE.people);
    let profile = format!("a profile with {} posts", LARGE.posts_most);
    let pages = [
        (follows, "/".to_owned(), "/".to_owned()),
        ("everyone".to_owned(), "/public".to_owned(), "/public".to_owned()),
        (profile.clone(), "/@most".to_owned(), "/@most".to_owned()),
        (format!("{profile}, the middle"), small.deep.clone(), large.deep.clone()),
        (
            "a tag that all posts of one bear".to_owned(),
            "/tag/most".to_owned(),
            "/tag/most".to_owned(),
        ),
        ("mentions".to_owned(), "/mentions".to_owned(), "/mentions".to_owned()),
    ];
    for (what, small_path, large_path) in pages {
        // One after the other, so that both meet the same noise.
        let mut took = (Vec::new(), Vec::new());
        for _ in 0..TIMES {
            took.0.push(small.ask(&small_path)?);
            took.1.push(large.ask(&large_path)?);
        }
        table.worst(Worst {
            what: format!("{what}, {posts} posts: milliseconds"),
            ours: median(took.1),
            beside: Some(("the same of a small community".to_owned(), median(took.0))),
            most: Most::Times(TIMES_MOST),
        });
    }
    for (what, query) in
        [("a word that stands nowhere", "xyzzy"), ("a word in every post", "words")]
    {
        let took = (0..5).map(|_| large.ask(&format!("/search?q={query}")));
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let most = SEARCH_MS as f64 + 500.0;
        table.worst(Worst {
            what: format!("search for {what}, {posts} posts: milliseconds"),
            ours: median(took.collect::<io::Result<Vec<f64>>>()?),
            beside: None,
            most: Most::Value(most),
        });
    }
    table.worst(Worst {
        what: format!("the backend at rest with {posts} posts, a tag in each: MB resident"),
        ours: large.at_rest_mb,
        beside: None,
        most: Most::Value(AT_REST_MB_MOST),
    });
    // Besides, what folding the longest file took and the allocator kept.
    let resident = megabytes(process(&large.machines, 0)?, "VmRSS:")?;
    table.note(format!("{posts} posts, after all that: {resident:.0} MB resident in the backend"));
    Ok(())
}

impl Community {
    fn start(size: Size) -> io::Result<Self> {
        let mut machines = Machines::start(1);
        machines.kill(0);
        let people = (0..size.people).map(|n| (format!("user{n:04}"), n, size.posts_each));
        let all = people.chain([("most".to_owned(), size.people, size.posts_most)]);
        for (name, n, posts) in all {
            std::fs::write(machines.file(0, &name), file(&name, (n, size.people + 1), posts))?;
        }
        let cat_ms = time(|| read_all(&machines.data(0).join("users")))?;
        let began = now();
        machines.spawn(0);
        let web = Web::start(&machines)?;
        let mut ada = Person::new(web.address(), "ada");
        let until = now();
        while ada.try_get("/@most").map_or(true, |page| page.status != 200) {
            if until.elapsed().as_secs() > 300 {
                return Err(io::Error::other("the machine does not come up"));
            }
            std::thread::park_timeout(std::time::Duration::from_millis(5));
        }
        let start_ms = began.elapsed().as_secs_f64() * 1_000.0;
        let at_rest_mb = megabytes(process(&machines, 0)?, "VmRSS:")?;
        ada.join();
        for n in 0..size.people {
            ada.follow(&format!("user{n:04}"));
        }
        let deep = format!(
            "/@most?before={}",
            number(size.people, size.people + 1, size.posts_most / 2).get()
        );
        Ok(Self { machines, _web: web, ada, deep, at_rest_mb, start_ms, cat_ms })
    }

    /// Milliseconds until a page is there.
    fn ask(&mut self, path: &str) -> io::Result<f64> {
        time(|| {
            let page = self.ada.try_get(path).map_err(io::Error::other)?;
            match page.status {
                200 => Ok(()),
                status => Err(io::Error::other(format!("{path}: {status}"))),
            }
        })
    }

    /// The median of several.
    fn ask_often(&mut self, path: &str) -> io::Result<f64> {
        let took: io::Result<Vec<f64>> = (0..TIMES).map(|_| self.ask(path)).collect();
        took.map(median)
    }
}

/// Measures communities of several sizes, one after the other.
pub(crate) fn measure_growth(_plan: &Plan, table: &mut Table) -> io::Result<()> {
    let mut grown: BTreeMap<&str, Vec<(f64, f64)>> = BTreeMap::new();
    for size in GROWING {
        let mut community = Community::start(size)?;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let posts = size.posts() as f64;
        let figures = [
            ("start, ms", community.start_ms),
            ("reading the files alone, ms", community.cat_ms),
            ("backend at rest, MB", community.at_rest_mb),
            ("home, all followed, ms", community.ask_often("/")?),
            ("longest profile, ms", community.ask_often("/@most")?),
            ("mentions, ms", community.ask_often("/mentions")?),
            ("search, a word nowhere, ms", community.ask("/search?q=xyzzy")?),
        ];
        for (what, figure) in figures {
            grown.entry(what).or_default().push((posts, figure));
        }
        table.worst(Worst {
            what: format!(
                "start with {posts} posts, a line each: milliseconds until a page is there"
            ),
            ours: community.start_ms,
            beside: Some((
                "reading the same files, which the system has at hand".to_owned(),
                community.cat_ms,
            )),
            most: Most::Times(START_TIMES_MOST),
        });
    }
    for (what, points) in grown {
        table.growth(Growth { what: what.to_owned(), points });
    }
    Ok(())
}

/// Milliseconds that something takes.
fn time(work: impl FnOnce() -> io::Result<()>) -> io::Result<f64> {
    let began: Instant = now();
    work()?;
    Ok(began.elapsed().as_secs_f64() * 1_000.0)
}

/// What `cat` does.
fn read_all(folder: &Path) -> io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        io::copy(&mut File::open(entry?.path())?, &mut io::sink())?;
    }
    Ok(())
}

/// The number of somebody's post: people take turns.
fn number(person: u64, people: u64, post: u64) -> PostId {
    PostId::floor_of(FIRST_MS + (post * people + person) * 10)
}

/// A file of somebody who joined and wrote so many posts.
fn file(name: &str, (person, people): (u64, u64), posts: u64) -> Vec<u8> {
    let term = Term { epoch: 1, round: 1, node: 1, boot: 1 };
    let at = Wall(FIRST_MS - 1);
    let (display_name, bio) = (name.to_owned(), String::new());
    let joined = Entry::Joined { at };
    let mut entries =
        vec![joined, Entry::Profile { at, display_name, bio, members_only: false, avatar: None }];
    let (mut bytes, mut base, mut base_hash) = (Vec::new(), Version::ZERO, Hash128::default());
    let mut post = 0;
    while post < posts || !entries.is_empty() {
        let end = posts.min(post + LINE_POSTS);
        entries.extend((post..end).map(|post| {
            let id = number(person, people, post);
            let text = format!("These are some words of #{name} in the garden, number {post}.");
            Entry::Posted {
                at: Wall(id.at_ms()),
                id,
                text,
                reply_to: None,
                note: None,
                pictures: Vec::new(),
            }
        }));
        post = end;
        let version = Version { term, seq: base.seq + 1 };
        let line = encode(&NewLine {
            version,
            base,
            base_hash,
            com: base,
            kind: Kind::Delta,
            requests: &[],
            entries: &entries,
        });
        bytes.extend_from_slice(&line.bytes);
        (base, base_hash) = (version, line.hash);
        entries.clear();
    }
    bytes
}
