//! A cluster as anybody starts it, full of people: posts through the form, pages, log-ins, memory.

use std::io;
use std::thread::sleep;
use std::time::Duration;

use tern::limits::PASSWORD_IDLE_MS;
use tern::thread::spawn_named;

use crate::bare::{self, Bare};
use crate::browser::Browser;
use crate::form::encode;
use crate::harness::{Cluster, Options};
use crate::person::Person;
use crate::table::{Figure, Table};
use crate::turns::Turns;
use crate::wrk::Load;
use crate::{Plan, WRITERS, crowd, megabytes, rate, rest};

/// Connections that ask for pages at once.
pub(crate) const READERS: usize = 16;
/// How many people there are.
pub(crate) const PEOPLE: usize = 200;

/// A cluster, and who is in it.
pub(crate) struct Town {
    pub(crate) cluster: Cluster,
    pub(crate) people: Vec<Person>,
    /// How many posts there are.
    posts: f64,
    /// Which program it is of, as figures say it.
    made: &'static str,
}

/// Measures all of it.
pub(crate) fn measure(plan: &Plan, table: &mut Table) -> io::Result<()> {
    measure_memory(plan, table)?;
    let mut town = Town::start(behind_a_proxy(), PEOPLE);
    for count in [1, WRITERS] {
        let figure = town.measure_posts(count, plan, ("posts", Duration::ZERO))?;
        table.figure(figure);
    }
    while town.posts < plan.posts {
        let load = town.posters(WRITERS, plan.round_ms);
        town.posts += load.run()?.requests;
    }
    town.measure_pages(plan, table)?;
    crowd::measure(&town, plan, table)?;
    drop(town);
    // Three backends hash on the same cores, each as many as there are; so does whoever has one machine.
    let alone = Town::start(Options { backends: 1, ..behind_a_proxy() }, PEOPLE);
    crowd::measure_one_backend(&alone, plan, table)
}

/// As behind a reverse proxy: so many people at one address would be taken for one.
fn behind_a_proxy() -> Options {
    Options { more: vec!["--trusted-proxies=127.0.0.1".to_owned()], ..Options::default() }
}

/// What it takes of the memory: of the program that people install, if it is there.
fn measure_memory(plan: &Plan, table: &mut Table) -> io::Result<()> {
    let (program, made) = rest::program();
    rest::let_go(program)?;
    let options = Options { program: Some(program.to_owned()), ..behind_a_proxy() };
    let mut town = Town { made, ..Town::start(options, 0) };
    table.memory("rest", "at rest", &town.memory("VmRSS:")?);
    town.join(PEOPLE);
    town.fill(plan)?;
    // What hashing took is given back once nobody has signed in for a while.
    sleep(Duration::from_millis(2 * PASSWORD_IDLE_MS));
    let when = format!("{PEOPLE} people, {:.0} posts", town.posts);
    table.memory("filled", &when, &town.memory("VmRSS:")?);
    crowd::measure_memory(&mut town, plan, table)
}

impl Town {
    /// A new one, of so many people.
    pub(crate) fn start(options: Options, people: usize) -> Self {
        let mut town =
            Self { cluster: Cluster::start(options), people: Vec::new(), posts: 0.0, made: "" };
        town.join(people);
        town
    }

    /// So many more join.
    fn join(&mut self, count: usize) {
        for _ in 0..count {
            let mut person = self.cluster.person(&format!("member_{}", self.people.len()));
            person.join();
            self.people.push(person);
        }
    }

    /// Has everybody write as much, some at once, until there are as many posts as there shall be.
    fn fill(&mut self, plan: &Plan) -> io::Result<()> {
        let address = self.cluster.address();
        let browsers = self.people.iter_mut().map(|person| {
            let form = person.get("/").form("/post");
            Browser::poster(&address, person.cookies(), &form)
        });
        let mut browsers = browsers.collect::<io::Result<Vec<Browser>>>()?;
        while self.posts < plan.posts {
            let at_once = PEOPLE.div_ceil(WRITERS);
            std::thread::scope(|scope| {
                let write = |some: &mut [Browser]| -> io::Result<()> {
                    some.iter_mut().try_for_each(|browser| {
                        if browser.try_post()? {
                            Ok(())
                        } else {
                            Err(io::Error::other("a post was not saved"))
                        }
                    })
                };
                let threads = browsers
                    .chunks_mut(at_once)
                    .map(|some| spawn_named(scope, "writer", move |_permit| write(some)));
                threads.collect::<io::Result<Vec<_>>>()?.into_iter().try_for_each(|thread| {
                    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
                })
            })?;
            #[expect(clippy::cast_precision_loss, reason = "a small number")]
            let written = PEOPLE as f64;
            self.posts += written;
        }
        Ok(())
    }

    /// Megabytes of each process that serves.
    pub(crate) fn memory(&self, which: &str) -> io::Result<Vec<(String, f64)>> {
        let (cluster, made) = (&self.cluster, self.made);
        let mut rows = Vec::new();
        for node in 1..=cluster.backends() {
            let resident = megabytes(cluster.pid(node), which)?;
            rows.push((format!("backend {node}{made}"), resident));
        }
        rows.push((format!("web{made}"), megabytes(cluster.web_pid(), which)?));
        Ok(rows)
    }

    /// Posts a second by `count` people through the form on the home page, beside as many threads that
    /// do nothing but put the same bytes on disk. The form is read once: a browser keeps its page.
    /// `flush` is what a flush takes longer than on the disk itself.
    pub(crate) fn measure_posts(
        &mut self,
        count: usize,
        plan: &Plan,
        (budget, flush): (&'static str, Duration),
    ) -> io::Result<Figure> {
        // The first makes a line of the ordinary kind to measure the bare limit with.
        let load = self.posters(count, plan.round_ms);
        self.posts += load.run()?.requests;
        let files = self.cluster.data().join("bare");
        let mut files = bare::writers(&files, count, (self.last_line()?, flush))?;
        let turns = Turns::take(
            plan.rounds,
            || rate(&mut files, plan.round_ms, Bare::write),
            || {
                let told = load.run()?;
                self.posts += told.requests;
                Ok(told.rate)
            },
        )?;
        let what = format!("posts a second, {count} at once");
        Ok(turns.figure(budget, what, "append and fdatasync on 2 of 3 files".to_owned()))
    }

    /// So many people's posts, through the form on the page of each.
    fn posters(&mut self, count: usize, ms: u64) -> Load {
        let mut words = vec!["post".to_owned()];
        for person in self.people.iter_mut().take(count) {
            let form = person.get("/").form("/post");
            let is_kept = |name: &str| name != "key" && name != "text";
            let kept = form.fields.into_iter().filter(|(name, _)| is_kept(name));
            words.extend([encode(&kept.collect::<Vec<_>>()), person.cookies()]);
        }
        let url = self.cluster.address();
        Load { url, threads: count, connections: count, ms, headers: Vec::new(), words }
    }

    /// The line that an ordinary post makes in a file.
    fn last_line(&self) -> io::Result<Vec<u8>> {
        let bytes = std::fs::read(self.cluster.node_data(1).join("users/member_0.jsonl"))?;
        let whole = bytes.strip_suffix(b"\n").unwrap_or(&bytes);
        let start = whole.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        Ok(bytes.get(start..).unwrap_or_default().to_vec())
    }

    /// Pages a second on all readers' connections, beside the style sheet from the same server: of
    /// what it gives as it is, that which comes nearest to a page's size.
    fn measure_pages(&mut self, plan: &Plan, table: &mut Table) -> io::Result<()> {
        let page = self.people.first_mut().map(|person| person.get("/").body);
        let style = page
            .as_deref()
            .and_then(style_path)
            .ok_or_else(|| io::Error::other("the home page names no style sheet"))?;
        let cookies = self.people.first().map(Person::cookies).unwrap_or_default();
        let mut stranger = self.cluster.person("stranger");
        stranger.get("/@member_0");
        let strange = stranger.cookies();
        let url = |path: &str| format!("{}{path}", self.cluster.address());
        for (budget, what, path, cookies) in [
            ("home", "home, signed in", "/", cookies.as_str()),
            ("profile", "profile, signed out", "/@member_0", strange.as_str()),
        ] {
            let page = Load::page(url(path), cookies, READERS, plan.round_ms);
            let fixed = Load::page(url(&style), "", READERS, plan.round_ms);
            let (page_bytes, fixed_bytes) = (page.run()?.answer_bytes, fixed.run()?.answer_bytes);
            let rate = |load: &Load| load.run().map(|told| told.rate);
            let turns = Turns::take(plan.rounds, || rate(&fixed), || rate(&page))?;
            let what = format!("{what}, {READERS} connections ({page_bytes:.0} bytes)");
            let beside = format!("style sheet ({fixed_bytes:.0} bytes)");
            table.figure(turns.figure(budget, what, beside));
        }
        Ok(())
    }
}

/// Where the style sheet is.
fn style_path(page: &str) -> Option<String> {
    let path = page.split("href=\"").find(|part| part.starts_with("/s/style"))?;
    path.split('"').next().map(str::to_owned)
}
