//! A post, by how many posts its author has: files of four people, made as if they had written them.

use std::io;

use tern::clock::Clock;
use tern::id::PostId;

use crate::client::{Client, Writer};
use crate::growth::Growth;
use crate::machines::Machines;
use crate::made::Made;
use crate::table::{Beside, Figure, Table};
use crate::turns::Turns;
use crate::{Plan, median, rate};

/// When the first post was made, in milliseconds since 1970.
const FIRST_MS: u64 = 1_600_000_000_000;
/// Posts that authors have.
const POSTS: [u32; 4] = [10, 1_000, 10_000, 100_000];
/// The two that are compared: in the list above.
const FEW: usize = 0;
const MANY: usize = 2;

/// Measures all of them in turns.
pub(crate) fn measure(plan: &Plan, table: &mut Table) -> io::Result<()> {
    let mut all = Machines::start(3);
    (0..3).for_each(|n| all.kill(n));
    let now = Clock::system().wall();
    let mut sessions = Vec::new();
    for posts in POSTS {
        let name = format!("author_{posts}");
        let mut made = Made::new(&name);
        let session = made.session(&name, now)?;
        for post in 0..u64::from(posts) {
            let text = format!("A line of some sixty letters, as most posts are, number {post}");
            made.post(PostId::floor_of(FIRST_MS + post * 10), text);
        }
        for n in 0..3 {
            std::fs::write(all.file(n, &name), made.bytes())?;
        }
        sessions.push(session);
    }
    (0..3).for_each(|n| all.spawn(n));
    (0..3).for_each(|n| all.wait_until_writable(n));
    let mut writers = Vec::new();
    for (session, id) in sessions.iter().zip(1..) {
        let mut writer = Client::new(&all, 0, id, session)?;
        // The first takes the lock, and has all machines agree on the file.
        (0..5).try_for_each(|_| writer.post())?;
        writers.push((writer, Vec::new()));
    }
    for _round in 0..plan.rounds {
        for (writer, took) in &mut writers {
            let each = rate(std::slice::from_mut(writer), plan.round_ms, Client::post)?;
            took.push(1_000.0 / each);
        }
    }
    let took: Vec<f64> = writers.into_iter().map(|(_, took)| median(took)).collect();
    let of = |which: usize| took.get(which).copied().unwrap_or_default();
    table.figure(Figure {
        budget: "author",
        what: format!("a post of an author with {} posts, ms", POSTS[MANY]),
        is: of(MANY),
        beside: Some(Beside::new(format!("with {} posts", POSTS[FEW]), of(FEW))),
    });
    let points = POSTS.iter().map(|posts| f64::from(*posts)).zip(took.iter().copied()).collect();
    let what = "a post, ms".to_owned();
    table.growth(Growth { budget: "grown-author", what, of: "posts of its author", points });
    Ok(())
}

/// Posts of many people with five machines beside three, in turns.
pub(crate) fn measure_members(plan: &Plan, table: &mut Table) -> io::Result<()> {
    let (mut five, mut three) = (Town::start(5)?, Town::start(3)?);
    let turns = Turns::take(
        plan.rounds,
        || rate(&mut three.writers, plan.round_ms, Client::post),
        || rate(&mut five.writers, plan.round_ms, Client::post),
    )?;
    let what = format!("posts a second, {} at once, 5 machines", crate::WRITERS);
    table.figure(turns.figure("members", what, "3 machines".to_owned()));
    Ok(())
}

/// Machines, and people who write at them.
struct Town {
    _machines: Machines,
    writers: Vec<Client>,
}

impl Town {
    fn start(count: usize) -> io::Result<Self> {
        let machines = Machines::start(count);
        let writers = (0..crate::WRITERS).zip(0..).map(|(number, id)| {
            let session = machines.join(0, &format!("writer_{number}"));
            Client::new(&machines, number % count, id, &session)
        });
        let writers = writers.collect::<io::Result<Vec<Client>>>()?;
        Ok(Self { _machines: machines, writers })
    }
}
