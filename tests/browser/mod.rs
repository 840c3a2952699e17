//! A real browser on the real program: what a person sees and does, at a phone's width and a desk's,
//! in both colour schemes.
//!
//! It needs Debian's `chromium` and `chromium-driver`; without them these tests fail and say so, unless
//! `TERN_SKIP_BROWSER=1` is set. With `TERN_BROWSER_ALL=1` (`make look`) they look at everything, not only
//! at what changes most. Pictures go to `target/screens/`.
//!
//! - `pages`: the table of pages; `matrix`: each of them from all sides, with `axe`, `rules` and `weight`; `sheet`:
//!   their pictures side by side.
//! - `forms`: the table of forms that write; `comes_back`: each of them with all that may go wrong.
//! - `by_keyboard`: from the landing page to a reply without a mouse.
//! - `pictures`: the box to write in with pictures, posts that have some, a picture beside a name.
//! - `newcomer`: joins, finds a friend and leaves, on a phone, by what the pages say.
//! - `typed`: what is typed stays, and stands where it belongs. `large`: text of double size on a phone.
//! - `walk`: two people talk while a machine dies.
//! - `webdriver`, `emulate`, `keyboard`, `driver`: the browser. `static_page`, on what is `served`:
//!   whether they do what they say.

mod axe;
mod by_keyboard;
mod comes_back;
mod community;
mod desk;
mod driver;
mod emulate;
mod forms;
mod keyboard;
mod large;
mod matrix;
mod newcomer;
mod pages;
mod pictures;
mod polls;
mod rules;
mod served;
mod sheet;
mod site;
mod static_page;
mod typed;
mod view;
mod walk;
mod webdriver;
mod weight;

use std::time::Duration;

use tern::clock::Clock;

use crate::cluster::harness::{Cluster, Options};

/// How long anything a person waits for may take here: slow machines share their cores.
const PATIENCE_MS: u64 = 20_000;
/// Between two looks at whether it has come.
const GLANCE: Duration = Duration::from_millis(20);

/// Looks again and again until there is something, or patience ends.
///
/// # Panics
/// When nothing came; the message says what was awaited.
fn until<T>(awaited: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let clock = Clock::system();
    let deadline = clock.mono().plus_ms(PATIENCE_MS);
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(clock.mono() < deadline, "{awaited}: not within {PATIENCE_MS} ms");
        std::thread::park_timeout(GLANCE);
    }
}

/// Whether whoever runs the tests asked to leave these out.
fn is_skipped(test: &str) -> bool {
    let skipped = std::env::var_os("TERN_SKIP_BROWSER").is_some_and(|value| value == "1");
    if skipped {
        println!("{test}: skipped, TERN_SKIP_BROWSER=1");
    }
    skipped
}

/// Whether whoever runs the tests asked for all of them.
fn is_full_run() -> bool {
    std::env::var_os("TERN_BROWSER_ALL").is_some_and(|value| value == "1")
}

#[test]
fn two_people_talk_while_a_machine_dies() {
    if is_skipped("two_people_talk_while_a_machine_dies") {
        return;
    }
    let more = vec!["--community=Fen Lane".to_owned()];
    let cluster = Cluster::start(Options { no_restart: true, more, ..Options::default() });
    walk::two_people_talk(&cluster);
}
