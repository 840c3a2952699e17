//! Reading in a large community beside a small one: no page costs more than what it shows.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use tern::clock::Clock;
use tern::id::{PostId, UserName};

use crate::client::now;
use crate::growth::Growth;
use crate::harness::PROGRAM;
use crate::machines::Machines;
use crate::made::Made;
use crate::person::Person;
use crate::table::{Beside, Figure, Table};
use crate::web::Web;
use crate::{Plan, median, megabytes, process, rest};

/// When the first post was made, in milliseconds since 1970.
const FIRST_MS: u64 = 1_600_000_000_000;
/// How long people have written since, in milliseconds.
const YEARS_MS: u64 = 5 * 365 * 24 * 60 * 60 * 1_000;
/// How often each page is asked for.
const TIMES: usize = 30;
/// How many people somebody follows.
const FOLLOWS: [u64; 3] = [1, 100, FOLLOWS_MOST];
const FOLLOWS_MOST: u64 = 1_000;

/// How many people and posts.
#[derive(Clone, Copy)]
struct Size {
    people: u64,
    posts_each: u64,
    /// Posts of the one who writes most.
    posts_most: u64,
}

const SMALL: Size = Size { people: 10, posts_each: 40, posts_most: 100 };
const LARGE: Size = Size { people: 10_000, posts_each: 90, posts_most: 100_000 };
/// Ten thousand, a hundred thousand and a million posts, as many to each.
const GROWING: [Size; 3] = [
    Size { people: 100, posts_each: 90, posts_most: 1_000 },
    Size { people: 300, posts_each: 300, posts_most: 10_000 },
    LARGE,
];

impl Size {
    const fn posts(self) -> u64 {
        self.people * self.posts_each + self.posts_most
    }
}

/// A community on one machine, and somebody in it who follows many.
struct Community {
    machines: Machines,
    _web: Web,
    ada: Person,
    /// Who follows as many as [`FOLLOWS`] says.
    followers: Vec<Person>,
    /// An address in the middle of the longest profile.
    deep: String,
    /// What the backend takes once it serves: that of the program that people install, if it is there.
    at_rest_mb: f64,
    /// With files that the system has at hand.
    warm: Start,
    /// With files that it has not, if it lets go of them.
    cold: Option<Start>,
}

/// Milliseconds from a machine's start until a page is there, and of reading its files alone.
struct Start {
    ms: f64,
    cat_ms: f64,
}

/// Measures each page in both.
pub(crate) fn measure(_plan: &Plan, table: &mut Table) -> io::Result<()> {
    let mut small = Community::start(SMALL)?;
    let mut large = Community::start(LARGE)?;
    let posts = LARGE.posts();
    let follows = format!("home with {FOLLOWS_MOST} follows");
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
        table.figure(Figure {
            budget: "pages",
            what: format!("{what}, {posts} posts: milliseconds"),
            is: median(took.1),
            beside: Some(Beside::new("the same of a small community", median(took.0))),
        });
    }
    for (what, query) in
        [("a word that stands nowhere", "xyzzy"), ("a word in every post", "words")]
    {
        let took = (0..5).map(|_| large.ask(&format!("/search?q={query}")));
        table.figure(Figure {
            budget: "search",
            what: format!("search for {what}, {posts} posts: milliseconds"),
            is: median(took.collect::<io::Result<Vec<f64>>>()?),
            beside: None,
        });
    }
    table.figure(Figure {
        budget: "million",
        what: format!(
            "the backend{} at rest with {posts} posts, a tag in each: MB resident",
            rest::program().1
        ),
        is: large.at_rest_mb,
        beside: None,
    });
    let mut points = Vec::new();
    for (follows, person) in FOLLOWS.iter().zip(&mut large.followers) {
        let took: io::Result<Vec<f64>> = (0..TIMES).map(|_| ask(person, "/")).collect();
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        points.push((*follows as f64, median(took?)));
    }
    let what = format!("home, {posts} posts, ms");
    table.growth(Growth { budget: "grown-follows", what, of: "people followed", points });
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
            let made = file(&name, n, posts);
            std::fs::write(machines.file(0, &name), made.bytes())?;
        }
        let mut sessions = Vec::new();
        for count in FOLLOWS.iter().map(|count| (*count).min(size.people)) {
            let name = format!("follows_{}", sessions.len());
            let mut made = Made::new(&name);
            sessions.push((name.clone(), made.session(&name, Clock::system().wall())?));
            for n in 0..count {
                made.follow(UserName::parse(&format!("user{n:04}")).map_err(io::Error::other)?);
            }
            std::fs::write(machines.file(0, &name), made.bytes())?;
        }
        let at_rest_mb = {
            let (program, _) = rest::program();
            rest::let_go(program)?;
            let _site = come_up(&mut machines, Command::new(program))?;
            megabytes(process(&machines, 0)?, "VmRSS:")?
        };
        machines.kill(0);
        let users = machines.data(0).join("users");
        let cold = if let_go(&users)? {
            let cat_ms = time(|| read_all(&users))?;
            let_go(&users)?;
            let (_, _, ms) = come_up(&mut machines, Command::new(PROGRAM))?;
            machines.kill(0);
            Some(Start { ms, cat_ms })
        } else {
            None
        };
        read_all(&users)?;
        let cat_ms = time(|| read_all(&users))?;
        let (web, mut ada, ms) = come_up(&mut machines, Command::new(PROGRAM))?;
        let warm = Start { ms, cat_ms };
        ada.join();
        for n in 0..size.people.min(FOLLOWS_MOST) {
            ada.follow(&format!("user{n:04}"));
        }
        let deep = format!(
            "/@most?before={}",
            number(size.people, size.posts_most / 2, size.posts_most).get()
        );
        let followers = sessions.iter().map(|(name, session)| {
            let mut person = Person::new(web.address(), name);
            person.keep_session(&format!("s={session}"));
            person
        });
        let followers = followers.collect();
        Ok(Self { machines, _web: web, ada, followers, deep, at_rest_mb, warm, cold })
    }

    /// Milliseconds until a page is there.
    fn ask(&mut self, path: &str) -> io::Result<f64> {
        ask(&mut self.ada, path)
    }

    /// The median of several.
    fn ask_often(&mut self, path: &str) -> io::Result<f64> {
        let took: io::Result<Vec<f64>> = (0..TIMES).map(|_| self.ask(path)).collect();
        took.map(median)
    }
}

/// Measures communities of several sizes, one after the other.
pub(crate) fn measure_growth(_plan: &Plan, table: &mut Table) -> io::Result<()> {
    let mut grown: BTreeMap<(&'static str, &'static str), Vec<(f64, f64)>> = BTreeMap::new();
    for size in GROWING {
        let mut community = Community::start(size)?;
        #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
        let posts = size.posts() as f64;
        let figures = [
            ("grown", "start, ms", community.warm.ms),
            ("grown", "backend at rest, MB", community.at_rest_mb),
            ("grown-page", "home, many followed, ms", community.ask_often("/")?),
            ("grown-page", "longest profile, ms", community.ask_often("/@most")?),
            ("grown-page", "mentions, ms", community.ask_often("/mentions")?),
            ("grown", "search, a word nowhere, ms", community.ask("/search?q=xyzzy")?),
        ];
        for (budget, what, figure) in figures {
            grown.entry((what, budget)).or_default().push((posts, figure));
        }
        let is_largest =
            size.posts() == GROWING.map(Size::posts).into_iter().max().unwrap_or_default();
        let budget = if is_largest { "start" } else { "start-more" };
        start_figure("start-more", posts, &community.warm, "at hand", table);
        match &community.cold {
            Some(cold) => start_figure(budget, posts, cold, "on the disk", table),
            None => table.note(format!(
                "start with {posts} posts, nothing at hand: left out, as files stay at hand (fincore tells)"
            )),
        }
    }
    for ((what, budget), points) in grown {
        let of = "posts of the community";
        table.growth(Growth { budget, what: what.to_owned(), of, points });
    }
    Ok(())
}

fn start_figure(budget: &'static str, posts: f64, start: &Start, whence: &str, table: &mut Table) {
    table.figure(Figure {
        budget,
        what: format!(
            "start with {posts} posts, a line each, {whence}: milliseconds until a page is there"
        ),
        is: start.ms,
        beside: Some(Beside::new("reading the same files", start.cat_ms)),
    });
}

/// Starts the machine by this command, with a web server: that, somebody at it, and the milliseconds until
/// they had a page.
fn come_up(machines: &mut Machines, program: Command) -> io::Result<(Web, Person, f64)> {
    let address = machines.address(0);
    let began = now();
    machines.spawn_by(program, 0, &[address]);
    let web = Web::start(machines)?;
    let mut ada = Person::new(web.address(), "ada");
    let until = now();
    while ada.try_get("/@most").map_or(true, |page| page.status != 200) {
        if until.elapsed().as_secs() > 300 {
            return Err(io::Error::other("the machine does not come up"));
        }
        std::thread::park_timeout(std::time::Duration::from_millis(5));
    }
    Ok((web, ada, began.elapsed().as_secs_f64() * 1_000.0))
}

/// Has the system let go of what it has at hand of these files, as after it was switched on; whether it did.
fn let_go(folder: &Path) -> io::Result<bool> {
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        rest::let_go(&path)?;
        paths.push(path);
    }
    let told = Command::new("fincore")
        .args(["--bytes", "--noheadings", "--output", "RES"])
        .args(paths)
        .output();
    let Ok(told) = told else { return Ok(false) };
    let told = String::from_utf8_lossy(&told.stdout).into_owned();
    let held: Vec<u64> = told.lines().filter_map(|line| line.trim().parse().ok()).collect();
    Ok(!held.is_empty() && held.iter().sum::<u64>() == 0)
}

/// Milliseconds until somebody has a page.
fn ask(person: &mut Person, path: &str) -> io::Result<f64> {
    time(|| {
        let page = person.try_get(path).map_err(io::Error::other)?;
        match page.status {
            200 => Ok(()),
            status => Err(io::Error::other(format!("{path}: {status}"))),
        }
    })
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

/// The number of somebody's post: each writes evenly through all the years.
fn number(person: u64, post: u64, posts: u64) -> PostId {
    PostId::floor_of(FIRST_MS + post * YEARS_MS / posts + person * 10)
}

/// A file of somebody who joined and wrote so many posts, one a line as people write them.
fn file(name: &str, person: u64, posts: u64) -> Made {
    let mut made = Made::new(name);
    for post in 0..posts {
        let text = format!("These are some words of #{name} in the garden, number {post}.");
        made.post(number(person, post, posts), text);
    }
    made
}
