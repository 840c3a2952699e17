//! The clients that people like, as they come from `PyPI`, against a cluster of real processes with two web
//! servers: the library Mastodon.py and the program toot.
//!
//! They are fetched once into an environment of their own under `target/`, in the versions of
//! `requirements.txt`. Where neither that nor a network is there, these tests fail: a client that was not
//! tried is not known to work. `TERN_SKIP_CLIENTS=1` leaves them out.

mod python;
mod site;
mod toot;

use site::TwoDoors;

/// The ten lines of `src/API.md` for those who write bots.
fn example() -> &'static str {
    let page = include_str!("../../src/API.md");
    let (_, after) = page.split_once("```python\n").unwrap_or_else(|| panic!("no example"));
    after.split_once("```").map(|(code, _)| code).unwrap_or_default()
}

#[test]
fn library_does_what_a_person_does_while_machines_die() {
    if python::is_left_out() {
        return;
    }
    let site = TwoDoors::open(&["ada", "ben", "cleo"]);
    site.run("library.py");
}

#[test]
fn library_hears_each_post_once_while_machines_die() {
    if python::is_left_out() {
        return;
    }
    let site = TwoDoors::open(&["ada", "ben", "cleo"]);
    site.run("listening.py");
}

#[test]
fn bot_of_the_documentation_runs() {
    if python::is_left_out() {
        return;
    }
    let code = example();
    assert!((8..=14).contains(&code.lines().count()), "{code}");
    let site = TwoDoors::open(&["ada"]);
    let token = site.token("ada");
    for address in site.addresses() {
        let mut bot = python::command("python");
        bot.args(["-c", code]).env("TERN", address).env("TOKEN", &token);
        let said = python::output(&mut bot);
        assert!(said.contains("Good morning"), "{said}");
    }
    // Its key makes the second run's post that of the first.
    let mut stranger = site.person("stranger");
    let page = stranger.get("/public").body;
    assert_eq!(page.matches("Good morning").count(), 1, "{page}");
}
