//! Damaged files on three real machines: found, set aside, rebuilt from the others, and nothing that
//! was acknowledged lost.

mod catch_up;
mod full;
mod hang;
mod harness;
pub(crate) mod pictures;
pub(crate) mod settle;

use std::path::PathBuf;
use std::time::Duration;

use harness::{Machines, eventually};
use tern::thread::Stop;

/// Flips a letter of a word in a file, wherever it stands first.
fn flip(path: &PathBuf, word: &str) {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.contains(word), "{word:?} is not in {}", path.display());
    let flipped: String = word.chars().rev().collect();
    std::fs::write(path, text.replacen(word, &flipped, 1)).unwrap();
}

fn is_equal(all: &Machines, name: &str) -> bool {
    let files: Vec<_> = (0..all.count()).map(|n| std::fs::read(all.file(n, name)).ok()).collect();
    files.first().is_some_and(Option::is_some) && files.windows(2).all(|two| two[0] == two[1])
}

/// Whether a machine's file of a user holds these words and is not marked.
fn is_whole(all: &Machines, n: usize, name: &str, words: &[&str]) -> bool {
    let text = std::fs::read_to_string(all.file(n, name)).unwrap_or_default();
    !all.mark(n, name).exists() && words.iter().all(|word| text.contains(word))
}

fn wait_whole(all: &Machines, n: usize, name: &str, words: &[&str]) {
    eventually(|| is_whole(all, n, name, words).then_some(()));
}

fn wait_equal(all: &Machines, name: &str) {
    eventually(|| is_equal(all, name).then_some(()));
}

fn wait_logged(all: &Machines, n: usize, words: &str) {
    eventually(|| all.log(n).contains(words).then_some(()));
}

#[test]
fn byte_flipped_at_rest_found_at_start_and_file_rebuilt() {
    let mut all = Machines::start(3);
    let mut ada = all.join(0, "ada");
    all.post(0, &mut ada, "first words");
    all.post(0, &mut ada, "second words");
    wait_whole(&all, 2, "ada", &["second words"]);
    all.kill(2);
    flip(&all.file(2, "ada"), "first");
    all.spawn(2);
    wait_whole(&all, 2, "ada", &["first words", "second words"]);
    assert!(all.aside(2, "ada", 1).contains("tsrif"), "the bad file is kept");
    all.post(2, &mut ada, "third words");
    wait_equal(&all, "ada");
    eventually(|| {
        (all.texts(2, "ada") == ["third words", "second words", "first words"]).then_some(())
    });
    assert!(all.log(2).contains("msg=\"damaged file set aside\" user=ada line="), "{}", all.log(2));
    wait_logged(&all, 2, "msg=\"damaged file repaired\" user=ada");
    assert!(!all.log(2).contains("possible loss"), "{}", all.log(2));
}

#[test]
fn marked_machine_has_no_vote_until_a_majority_of_others_is_there() {
    let mut all = Machines::start(3);
    let mut ada = all.join(0, "ada");
    all.post(0, &mut ada, "first words");
    wait_whole(&all, 2, "ada", &["first words"]);
    all.kill(1);
    all.kill(2);
    flip(&all.file(2, "ada"), "first");
    all.spawn(2);
    // Two machines are up and one of them has no vote on ada; on everybody else they do.
    eventually(|| all.try_join(0, "bob").then_some(()));
    assert!(all.mark(2, "ada").exists());
    assert!(!all.is_posted(0, &mut ada, "not with one vote"));
    assert!(all.mark(2, "ada").exists(), "one other machine is no majority");
    // Nor after another start: the mark is on the disk, and what is left of the file is no whole.
    all.kill(2);
    all.spawn(2);
    eventually(|| all.try_join(0, "cyd").then_some(()));
    assert!(!all.is_posted(0, &mut ada, "nor after another start"));
    assert!(all.mark(2, "ada").exists(), "one other machine is no majority");
    all.spawn(1);
    wait_whole(&all, 2, "ada", &["first words"]);
    eventually(|| all.is_posted(2, &mut ada, "words at last").then_some(()));
    wait_equal(&all, "ada");
}

#[test]
fn each_machine_damaged_in_another_user_all_rebuilt() {
    let mut all = Machines::start(3);
    let names = ["ada", "bob", "cyd"];
    let mut sessions: Vec<String> = names.iter().map(|name| all.join(0, name)).collect();
    for session in &mut sessions {
        all.post(0, session, "first words");
    }
    for n in 0..3 {
        for name in names {
            wait_whole(&all, n, name, &["first words"]);
        }
    }
    (0..3).for_each(|n| all.kill(n));
    for (n, name) in names.iter().enumerate() {
        flip(&all.file(n, name), "first");
    }
    (0..3).for_each(|n| all.spawn(n));
    for (n, name) in names.iter().enumerate() {
        wait_whole(&all, n, name, &["first words"]);
        assert!(!all.log(n).contains("possible loss"), "{}", all.log(n));
    }
    for (n, session) in sessions.iter_mut().enumerate() {
        eventually(|| all.is_posted(n, session, "second words").then_some(()));
        wait_equal(&all, names[n]);
    }
}

#[test]
fn two_of_three_damaged_highest_of_all_taken() {
    let mut all = Machines::start(3);
    let mut ada = all.join(0, "ada");
    all.post(0, &mut ada, "first words");
    all.post(0, &mut ada, "second words");
    (0..3).for_each(|n| wait_whole(&all, n, "ada", &["second words"]));
    (0..3).for_each(|n| all.kill(n));
    flip(&all.file(1, "ada"), "first");
    flip(&all.file(2, "ada"), "second");
    (0..3).for_each(|n| all.spawn(n));
    (0..3).for_each(|n| wait_whole(&all, n, "ada", &["first words", "second words"]));
    let said = |n: usize| all.log(n).contains("msg=\"possible loss\" user=ada");
    eventually(|| (said(1) || said(2)).then_some(()));
    eventually(|| all.is_posted(1, &mut ada, "third words").then_some(()));
    wait_equal(&all, "ada");
}

#[test]
fn machine_alone_goes_on_with_what_is_intact_and_says_so() {
    let mut all = Machines::start(1);
    let mut ada = all.join(0, "ada");
    all.post(0, &mut ada, "first words");
    all.post(0, &mut ada, "second words");
    all.kill(0);
    flip(&all.file(0, "ada"), "second");
    all.spawn(0);
    wait_logged(&all, 0, "msg=\"possible loss\" user=ada");
    assert!(is_whole(&all, 0, "ada", &["first words"]));
    assert!(all.aside(0, "ada", 1).contains("dnoces"));
    assert_eq!(all.texts(0, "ada"), ["first words"]);
    all.post(0, &mut ada, "third words");
    assert_eq!(all.texts(0, "ada"), ["third words", "first words"]);
    all.kill(0);
    all.spawn(0);
    eventually(|| (all.texts(0, "ada") == ["third words", "first words"]).then_some(()));
}

#[test]
fn zeros_in_unflushed_last_line_cut_off_and_voting_goes_on() {
    let mut all = Machines::start(3);
    let mut ada = all.join(0, "ada");
    all.post(0, &mut ada, "first words");
    wait_whole(&all, 2, "ada", &["first words"]);
    all.kill(2);
    let path = all.file(2, "ada");
    let whole = std::fs::read(&path).unwrap();
    let torn = [&whole[..], b"{\"v\":\"1.9", &[0; 1100], b"\n"].concat();
    std::fs::write(&path, torn).unwrap();
    all.kill(1);
    all.spawn(2);
    // Without the vote of the machine whose tail was torn there is no majority.
    eventually(|| all.is_posted(0, &mut ada, "second words").then_some(()));
    assert!(all.log(2).contains("msg=\"torn tail cut off\" user=ada"), "{}", all.log(2));
    assert!(!all.log(2).contains("damaged file"), "{}", all.log(2));
}

/// Closes what a machine within this process runs by, also when the test fails.
struct CloseAtEnd(Stop);

impl Drop for CloseAtEnd {
    fn drop(&mut self) {
        self.0.close();
    }
}

#[test]
fn byte_flipped_while_running_found_by_reading() {
    let all = Machines::start(3);
    let mut ada = all.join(0, "ada");
    all.post(0, &mut ada, "first words");
    all.post(0, &mut ada, "second words");
    wait_whole(&all, 2, "ada", &["second words"]);
    // In place, as a disk does it, and before it is read: what was read lately is shown from memory, and
    // found by the regular check.
    let text = std::fs::read_to_string(all.file(2, "ada")).unwrap();
    let at = text.find("\"text\":\"first").unwrap();
    let file = std::fs::File::options().write(true).open(all.file(2, "ada")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"#", u64::try_from(at).unwrap()).unwrap();
    // Reading shows what can be read, and all of it again once the file is rebuilt.
    eventually(|| (all.texts(2, "ada") == ["second words", "first words"]).then_some(()));
    wait_whole(&all, 2, "ada", &["\"text\":\"first words"]);
    wait_logged(&all, 2, "msg=\"damaged file repaired\" user=ada");
    assert!(all.aside(2, "ada", 1).contains("#text\":\"first"));
    all.post(2, &mut ada, "third words");
    wait_equal(&all, "ada");
    assert_eq!(all.texts(2, "ada"), ["third words", "second words", "first words"]);
}

#[test]
fn byte_flipped_while_running_found_by_regular_check() {
    let mut all = Machines::start(3);
    let mut ada = all.join(0, "ada");
    all.post(0, &mut ada, "first words");
    wait_whole(&all, 2, "ada", &["first words"]);
    all.kill(2);
    let all = all;
    std::thread::scope(|scope| {
        let stop = CloseAtEnd(Stop::new());
        let running = stop.0.clone();
        let machine = &all;
        scope.spawn(move || machine.run_inside(2, Duration::from_millis(20), &running));
        all.wait_until_writable(2);
        eventually(|| (all.texts(2, "ada") == ["first words"]).then_some(()));
        flip(&all.file(2, "ada"), "first");
        eventually(|| all.data(2).join("damaged/ada.1.jsonl").exists().then_some(()));
        wait_whole(&all, 2, "ada", &["first words"]);
        assert!(all.aside(2, "ada", 1).contains("tsrif"));
        assert_eq!(all.texts(2, "ada"), ["first words"]);
        eventually(|| all.is_posted(2, &mut ada, "second words").then_some(()));
        wait_equal(&all, "ada");
    });
}

#[test]
fn file_deleted_under_running_machine_found_at_next_write() {
    let all = Machines::start(3);
    let mut ada = all.join(0, "ada");
    all.post(0, &mut ada, "first words");
    wait_whole(&all, 2, "ada", &["first words"]);
    std::fs::remove_file(all.file(2, "ada")).unwrap();
    all.post(0, &mut ada, "second words");
    wait_whole(&all, 2, "ada", &["first words", "second words"]);
    wait_logged(&all, 2, "msg=\"damaged file repaired\" user=ada");
    eventually(|| (all.texts(2, "ada") == ["second words", "first words"]).then_some(()));
}

#[test]
fn file_deleted_or_cut_between_lines_at_rest_filled_again() {
    let mut all = Machines::start(3);
    let names = ["ada", "bob"];
    let mut sessions = names.map(|name| all.join(0, name));
    for session in &mut sessions {
        all.post(0, session, "first words");
        all.post(0, session, "second words");
    }
    for name in names {
        wait_whole(&all, 2, name, &["second words"]);
    }
    all.kill(2);
    std::fs::remove_file(all.file(2, "ada")).unwrap();
    let text = std::fs::read_to_string(all.file(2, "bob")).unwrap();
    let end = text.find("second words").and_then(|at| text[..at].rfind('\n')).unwrap();
    std::fs::write(all.file(2, "bob"), &text[..=end]).unwrap();
    all.spawn(2);
    for name in names {
        wait_whole(&all, 2, name, &["first words", "second words"]);
        wait_equal(&all, name);
        eventually(|| (all.texts(2, name) == ["second words", "first words"]).then_some(()));
    }
}

fn is_aside(all: &Machines, round: u32) -> bool {
    all.data(2).join(format!("damaged/ada.{round}.jsonl")).exists()
}

#[test]
fn killed_while_rebuilding_rebuilt_after_a_later_start() {
    let mut all = Machines::start(3);
    let mut ada = all.join(0, "ada");
    all.post(0, &mut ada, "first words");
    for round in 1..=8_u32 {
        wait_whole(&all, 2, "ada", &["first words"]);
        all.kill(2);
        flip(&all.file(2, "ada"), "first");
        all.spawn(2);
        // The mark is there before anything else, and goes last.
        eventually(|| (all.mark(2, "ada").exists() || is_aside(&all, round)).then_some(()));
        all.kill(2);
        let is_marked = all.mark(2, "ada").exists();
        let is_safe = is_marked || !is_aside(&all, round) || is_whole(&all, 2, "ada", &["first"]);
        assert!(is_safe, "neither marked nor whole: a start would trust what is left of it");
        all.spawn(2);
    }
    wait_whole(&all, 2, "ada", &["first words"]);
    all.post(2, &mut ada, "second words");
    wait_equal(&all, "ada");
}

#[test]
fn read_on_one_machine_never_older_on_the_next() {
    let all = Machines::start(3);
    let mut writer = all.join(0, "ada");
    let mut reader = writer.clone();
    for number in 1..=30 {
        // The reader's own session learns of the post on one machine alone, by looking.
        all.post(number % 3, &mut writer, &format!("words {number}"));
        let first = all.own_texts((number + 1) % 3, &mut reader).len();
        let second = all.own_texts((number + 2) % 3, &mut reader).len();
        assert!(second >= first, "{second} posts after {first}");
    }
}
