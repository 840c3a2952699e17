//! People who write as fast as they are answered, and remember what they were told.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;
use tern::thread::{Stop, spawn_named};

use super::harness::{Cluster, eventually};
use super::person::{Person, Written};

/// How long a number of posts may take, failures included.
const PROGRESS: Duration = Duration::from_secs(90);
/// How often a form is sent again before its writer gives up.
const TRIES_MAX: usize = 200;

/// What the writers were told so far.
#[derive(Debug, Default)]
pub(crate) struct Load {
    stop: Stop,
    saved: AtomicUsize,
    troubles: Mutex<Vec<(String, Written)>>,
}

/// A writer's name and the texts that were acknowledged.
pub(crate) type Acknowledged = Vec<(String, Vec<String>)>;

impl Load {
    /// Waits until so many more posts have been saved.
    pub(crate) fn wait_for_more(&self, count: usize) {
        let goal = self.saved.load(Ordering::SeqCst) + count;
        eventually("posts go on being saved", PROGRESS, || {
            (self.saved.load(Ordering::SeqCst) >= goal).then_some(())
        });
    }

    /// Every answer to a post other than "saved", with the post.
    pub(crate) fn troubles(&self) -> Vec<(String, Written)> {
        self.troubles.lock().clone()
    }

    /// Writes posts until stopped; a post that is not saved is sent again with its own key.
    fn write(&self, person: &mut Person) -> Vec<String> {
        let mut acknowledged = Vec::new();
        let mut number = 0;
        while !self.stop.is_closed() {
            number += 1;
            let text = format!("{} writes {number}", person.name);
            if self.write_one(person, &text) {
                acknowledged.push(text);
                self.saved.fetch_add(1, Ordering::SeqCst);
            }
        }
        acknowledged
    }

    fn write_one(&self, person: &mut Person, text: &str) -> bool {
        let (mut written, form) = person.try_post(text);
        let mut tries = 0;
        while written != Written::Saved {
            self.troubles.lock().push((text.to_owned(), written));
            tries += 1;
            let (Some(form), true) = (&form, tries < TRIES_MAX && !self.stop.is_closed()) else {
                return false;
            };
            self.stop.wait(Duration::from_millis(50));
            written = person.try_again(form, text);
        }
        true
    }
}

/// Runs `test` while `writers` people write; what they were told, and what the test gives.
pub(crate) fn under_load<T>(
    cluster: &Cluster,
    writers: usize,
    test: impl FnOnce(&Load) -> T,
) -> (Acknowledged, T) {
    under_load_at(&cluster.address(), writers, test)
}

/// The same at any site.
pub(crate) fn under_load_at<T>(
    site: &str,
    writers: usize,
    test: impl FnOnce(&Load) -> T,
) -> (Acknowledged, T) {
    let person = |n| Person::new(site, &format!("writer_{n}"));
    let mut people: Vec<_> = (0..writers).map(person).collect();
    for person in &mut people {
        person.join();
    }
    let load = Load::default();
    std::thread::scope(|scope| {
        let writing = |person: &mut Person| (person.name.clone(), load.write(person));
        let threads: Vec<_> = (people.iter_mut())
            .map(|person| spawn_named(scope, "writer", move |_permit| writing(person)).unwrap())
            .collect();
        // The writers end when the test does, also when it fails.
        let closing = Closing(&load.stop);
        let outcome = test(&load);
        drop(closing);
        (threads.into_iter().map(|thread| thread.join().unwrap()).collect(), outcome)
    })
}

struct Closing<'a>(&'a Stop);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}
