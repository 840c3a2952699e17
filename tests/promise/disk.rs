//! Disks that are wiped, put back from an old copy, damaged, or full.

use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::{Path, PathBuf};

use rustix::process::{Resource, Rlimit, getrlimit, prlimit};

use super::*;
use crate::member::harness::copy;

/// Bytes that a file may have where room is short for an account that may not mount.
const ROOM: u64 = 2_048;

/// Starts the third machine and sees that it refuses, with the code for a directory that is no good.
fn check_refused(fleet: &mut Fleet, expected: &str) {
    let before = fleet.machine(2).said().len();
    fleet.start_machine(2, &Start::default());
    let how = eventually("the third machine refuses to start", WAIT, || fleet.machine(2).ended());
    assert_eq!(how, "exit status: 3");
    let said = fleet.machine(2).said().split_off(before);
    assert!(said.contains(expected), "{expected:?}: {said}");
}

#[test]
fn row03_disk_empty_or_old_backup_refused_replaced_and_filled() {
    let mut fleet = start();
    let mut ada = member(&fleet, "ada");
    // Who never writes again: no later line brings the file along.
    let mut ben = member(&fleet, "ben");
    post_timed(&mut ben, "once");
    let data = fleet.data_of(3);
    let backup = data.with_extension("backup");
    fleet.machine(2).kill();
    copy(&data, &backup);
    fleet.start_machine(2, &Start::default());
    wait_until_well(&fleet);
    let mut texts = Vec::new();
    // Writing pauses for a moment while the members change; the same form is sent until it is saved.
    let mut post = |text: &str| {
        let form = ada.get("/").form("/post");
        saved_at_last(&mut ada, &form, text);
        texts.push(text.to_owned());
    };
    post("after the backup");
    wait_until_well(&fleet);
    for (what, old) in [("an empty disk", None), ("an old backup", Some(&backup))] {
        fleet.machine(2).kill();
        std::fs::remove_dir_all(&data).unwrap();
        if let Some(old) = old {
            copy(old, &data);
        }
        check_refused(&mut fleet, "tern cluster replace 3");
        post(&format!("without the third: {what}"));
        if old.is_some() {
            std::fs::remove_dir_all(&data).unwrap();
        }
        let replaced = fleet.operate(2, &["replace", "3"]);
        assert!(replaced.status.success(), "{replaced:?}");
        fleet.set_changing(2);
        fleet.start_machine(2, &Start::default());
        eventually("the members have changed", WAIT, || fleet.has_changed().then_some(()));
        wait_until_well(&fleet);
        // It votes again: without the first it is needed.
        fleet.machine(0).kill();
        post(&format!("with its vote: {what}"));
        fleet.start_machine(0, &Start::default());
        wait_until_well(&fleet);
    }
    check_kept(&fleet, &[("ada".to_owned(), texts), ("ben".to_owned(), vec!["once".to_owned()])]);
}

/// Turns a letter of the first text of this file into another.
fn flip(path: &Path, text: &str) {
    let bytes = std::fs::read(path).unwrap();
    let at = bytes.windows(text.len()).position(|window| window == text.as_bytes()).expect(text);
    let file = std::fs::File::options().write(true).open(path).unwrap();
    file.write_all_at(b"#", u64::try_from(at).unwrap()).unwrap();
}

/// Looks at ada's page until a machine whose copy is damaged shows it again, by itself too. Meanwhile it
/// shows no part of it for the whole, and the site shows all of it.
fn check_all_or_nothing(fleet: &Fleet, own: &OwnWeb, texts: &[String]) {
    let [mut here, mut there] =
        [&fleet.site(), &own.site].map(|site| Person::new(site, "stranger"));
    let is_whole = |page: &Answer| texts.iter().all(|text| page.body.contains(text.as_str()));
    eventually("the page of the damaged machine", WAIT, || {
        let page = here.get("/@ada");
        assert!(page.status == 200 && is_whole(&page), "nothing is seen of it: {}", page.body);
        let page = there.try_get("/@ada").ok()?;
        assert!(page.status != 200 || is_whole(&page), "a part is shown: {}", page.body);
        (page.status == 200).then_some(())
    });
}

#[test]
fn row04_file_damaged_on_one_machine_repaired_and_reported() {
    let mut fleet = start();
    let own = OwnWeb::start(&fleet, 1);
    let mut ada = member(&fleet, "ada");
    let texts = ["first words", "second words", "third words"].map(str::to_owned);
    for text in &texts {
        post_timed(&mut ada, text);
    }
    check_kept(&fleet, &[("ada".to_owned(), texts.to_vec())]);
    // That the last post is saved the others show once they know it, which is not what this is about.
    for other in [0, 2] {
        wait_for_page(&OwnWeb::start(&fleet, other).site, "/@ada", &["third words"]);
    }
    fleet.machine(1).kill();
    flip(&file(&fleet, 1, "ada"), "second");
    fleet.start_machine(1, &Start::default());
    check_all_or_nothing(&fleet, &own, &texts);
    post_timed(&mut ada, "meanwhile");
    wait_until_well(&fleet);
    let said = fleet.machine(1).said();
    assert!(said.contains("msg=\"damaged file repaired\" user=ada"), "{said}");
    // The machine itself knows; to the others it may have been too quick.
    let mut there = own.person(&ada);
    let status = eventually("the status page tells a member", WAIT, || {
        let page = there.get("/status").body;
        page.contains("repaired what was damaged").then_some(page)
    });
    assert!(status.contains("found a damaged file"), "{status}");
    check_kept(&fleet, &[("ada".to_owned(), [&texts[..], &["meanwhile".to_owned()]].concat())]);
}

/// What people see while the first machine has no room, and after it has some again.
fn check_full(fleet: &Fleet, full: impl FnOnce(&Fleet), room: impl FnOnce(&Fleet)) {
    let own = OwnWeb::start(fleet, 0);
    let mut ada = member(fleet, "ada");
    let mut texts = Vec::new();
    // Longer than what is left of a page of the disk.
    let long = |what: &str| format!("{what} {}", "é".repeat(450));
    texts.push(long("before"));
    post_timed(&mut ada, &texts[0]);
    let ben = member(fleet, "ben");
    let mut there = own.person(&ben);
    full(fleet);
    for number in 0..10 {
        let text = long(&format!("during {number}"));
        post_timed(&mut ada, &text);
        texts.push(text);
    }
    wait_for_page(&fleet.site(), "/status", &["Working"]);
    // Asked for there, it is saved by the two others, or refused in plain words.
    let page = there.get("/");
    assert_eq!(page.status, 200, "{}", page.body);
    let form = page.form("/post");
    let text = long("there");
    let answer = there.submit(&form, &[("text", &text)]);
    let written = answer.written();
    assert!(matches!(written, Written::Saved | Written::NotSaved), "{}", answer.body);
    wait_for_page(&own.site, "/@ada", &["before"]);
    // What it shows is of when it had room, and it says so; asked by way of the others nobody sees that.
    wait_for_page(&own.site, "/public", &["Newer posts may be missing."]);
    let everyone = wait_for_page(&fleet.site(), "/public", &["during 9"]);
    assert!(!everyone.contains("Newer posts may be missing."), "{everyone}");
    room(fleet);
    saved_at_last(&mut there, &form, &text);
    wait_until_well(fleet);
    assert!(!there.get("/public").body.contains("Newer posts may be missing."));
    post_timed(&mut there, "with room again");
    let bens = vec![text, "with room again".to_owned()];
    check_kept(fleet, &[("ada".to_owned(), texts), ("ben".to_owned(), bens)]);
}

#[test]
fn row07_disk_full_on_one_two_go_on_and_it_recovers() {
    let fleet = start();
    if !fleet.disk_of(0).has_image() {
        println!("left out: a full disk (no disk images)");
        return;
    }
    let fill = |fleet: &Fleet| fleet.disk_of(0).fill().unwrap();
    check_full(&fleet, fill, |fleet| fleet.disk_of(0).free().unwrap());
}

/// A program that starts ours, which then lives on when there is no room for a longer file.
fn deaf_to_limits(directory: &Path) -> PathBuf {
    let path = directory.join("deaf-to-limits");
    let program = crate::cluster::harness::PROGRAM;
    let script = format!("#!/bin/sh\ntrap '' XFSZ\nexec {program} \"$@\"\n");
    std::fs::write(&path, script).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).unwrap();
    path
}

#[test]
fn row07_no_room_for_longer_files_two_go_on_and_it_recovers() {
    let mut fleet = start();
    let directory = tempfile::tempdir().unwrap();
    let program = Some(deaf_to_limits(directory.path()));
    fleet.machine(0).kill();
    fleet.start_machine(0, &Start { program, ..Start::default() });
    wait_until_well(&fleet);
    let pid = fleet.machine(0).pid();
    // The soft limit alone, which anybody may raise again.
    let limit = |current| {
        let maximum = getrlimit(Resource::Fsize).maximum;
        prlimit(pid, Resource::Fsize, Rlimit { current, maximum }).unwrap();
    };
    check_full(&fleet, |_| limit(Some(ROOM)), |_| limit(getrlimit(Resource::Fsize).current));
}
