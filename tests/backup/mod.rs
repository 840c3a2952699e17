//! Backups with real processes: made while people write and a machine dies, brought back on other
//! machines, refused where they are not what was written.

mod alone;
mod check;
mod pictures;
mod refused;
mod run;
mod talk;
mod unusable;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use tern::id::RequestId;

use crate::member::harness::{Machines, Ran, eventually, quoted};
use crate::member::{Over, Writer};

/// `tern backup …`.
fn backup(words: &[&str]) -> Ran {
    let first = ["backup"].iter().chain(words).map(|word| (*word).to_owned());
    Ran::of(first)
}

/// The command that makes a backup of machines that run, asking that one first; and where it goes.
fn creation(all: &Machines, first: u16, name: &str) -> (PathBuf, Vec<String>) {
    let to = all.dir.path().join(name);
    let others = (1..=3).filter(|number| *number != first);
    let at: Vec<String> =
        std::iter::once(first).chain(others).map(|number| all.address(number)).collect();
    let words = ["backup".to_owned(), "create".to_owned(), to.display().to_string()];
    let options = [format!("--at={}", at.join(",")), all.key_option()];
    (to, words.into_iter().chain(options).collect())
}

fn create(all: &Machines, first: u16, name: &str) -> PathBuf {
    let (to, words) = creation(all, first, name);
    Ran::of(words).done();
    to
}

fn verified(file: &Path) {
    let told = backup(&["verify", &file.display().to_string()]).done();
    assert!(told.contains("is whole"), "{told}");
}

/// A user's file as it stands in a backup.
fn file_in(backup: &Path, name: &str) -> String {
    let out = std::process::Command::new("tar")
        .arg("-xOf")
        .arg(backup)
        .arg(format!("tern-backup/users/{name}.jsonl"))
        .output()
        .unwrap();
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

/// Restores a backup on three new machines, of which two join with nothing.
fn restored(from: &Path) -> Machines {
    let mut new = Machines::not_set_up(3);
    let (data, address) = (new.data(1), new.address(1));
    let data = format!("--data={}", data.display());
    let address = format!("--address={address}");
    let file = from.display().to_string();
    backup(&["restore", &file, &data, &address, &new.key_option()]).done();
    new.spawn(1);
    new.wait_until_writable(1);
    for (number, members) in [(2, &[1, 2][..]), (3, &[1, 2, 3])] {
        let word = format!("{number}={}", new.address(number));
        new.change(&["add", &word], number).done();
        new.spawn(number);
        for member in members {
            new.wait_until_open(*member, members);
        }
    }
    new
}

/// Whether a process writes a file there that has no name yet, or one that says that it is a part.
fn is_written_without_name(home: &Path) -> bool {
    let below = |path: &Path| std::fs::read_dir(path).into_iter().flatten().filter_map(Result::ok);
    let open = below(Path::new("/proc")).flat_map(|process| below(&process.path().join("fd")));
    let unnamed = home.join("#").display().to_string();
    open.filter_map(|file| std::fs::read_link(file.path()).ok()).any(|file| {
        let name = file.to_string_lossy();
        name.starts_with(&unnamed) || (file.starts_with(home) && name.contains(".part-"))
    })
}

#[test]
fn backup_under_load_while_a_machine_dies_brings_back_all_that_was_confirmed() {
    let mut all = Machines::start(3);
    let writers = [(1, "ada"), (2, "ben")].map(|(through, name)| Writer::new(&all, through, name));
    // The machine that is asked first knows nobody of these but by the others.
    let quiet: Vec<String> = (0..40).map(|number| format!("quiet{number}")).collect();
    for (name, through) in quiet.iter().zip([1, 2].into_iter().cycle()) {
        all.post(through, &all.join(through, name), "kept");
    }
    let (is_over, is_made, caller) = (AtomicBool::new(false), AtomicBool::new(false), all.caller());
    let (made, words) = creation(&all, 3, "load.tar");
    let home = all.dir.path().to_owned();
    let is_begun = || is_written_without_name(&home);
    let mut before = Vec::new();
    std::thread::scope(|scope| {
        let over = Over(&is_over);
        for writer in &writers {
            scope.spawn(|| writer.run(&caller, &is_over));
        }
        writers.iter().for_each(Writer::wait_for_more);
        before = writers.each_ref().map(Writer::texts).to_vec();
        let making = scope.spawn(|| {
            let _made = Over(&is_made);
            Ran::of(words).done()
        });
        // In the middle of it: the file is begun and has no name yet.
        eventually("a backup that is being made", || {
            (is_begun() || is_made.load(Ordering::Relaxed)).then_some(())
        });
        all.kill(3);
        making.join().unwrap();
        writers.iter().for_each(Writer::wait_for_more);
        drop(over);
    });
    verified(&made);
    assert_eq!(made.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    for (writer, texts) in ["ada", "ben"].into_iter().zip(&before) {
        let file = file_in(&made, writer);
        for text in texts {
            assert!(file.contains(&quoted(text)), "{text:?}: {file}");
        }
    }

    let new = restored(&made);
    for (name, texts) in ["ada", "ben"].into_iter().zip(&before) {
        (1..=3).for_each(|number| new.wait_until_held_once(number, name, texts));
    }
    for name in &quiet {
        (1..=3).for_each(|number| new.wait_until_held_once(number, name, &["kept".to_owned()]));
    }
    check_goes_on(&new, &writers[0]);
}

/// Who was signed in when the backup was made still is, and writes.
fn check_goes_on(new: &Machines, writer: &Writer) {
    let mut post = new.caller().new_post("afterwards");
    // The restored files know the ids that the first machines' requests had.
    (post.key.id, post.key.ops) = (RequestId([0xee; 16]), writer.texts().len() as u64);
    eventually("somebody to write who was signed in", || {
        new.caller().is_saved(3, writer.session(), &post).then_some(())
    });
}

#[test]
fn backup_asked_of_a_machine_that_has_missed_everything_lacks_nothing() {
    let mut all = Machines::start(3);
    let ada = all.join(1, "ada");
    all.kill(3);
    all.post(1, &ada, "while you were away");
    let ben = all.join(2, "ben");
    all.post(2, &ben, "me too");
    all.spawn(3);
    // As soon as it answers at all: it has caught up with nothing.
    eventually("machine 3 to answer", || all.held(3));
    let to = create(&all, 3, "a.tar");
    verified(&to);
    assert!(file_in(&to, "ada").contains("while you were away"));
    assert!(file_in(&to, "ben").contains("me too"));
    // Without the others nobody knows what was confirmed: nothing is made, and nothing left.
    all.kill(1);
    all.kill(2);
    let to = all.dir.path().join("b.tar");
    let at = format!("--at={}", all.address(3));
    backup(&["create", &to.display().to_string(), &at, &all.key_option()])
        .refused(4, "not enough machines");
    let left = std::fs::read_dir(all.dir.path()).unwrap().filter_map(Result::ok);
    let left = left.filter(|entry| entry.file_name().to_string_lossy().contains("b.tar"));
    assert_eq!(left.count(), 0);
}
