//! A machine whose disk does not come back from a flush.

use std::path::Path;
use std::process::Command;

use super::harness::{Machines, eventually};
use super::wait_equal;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/repair/hang.c");

fn build(library: &Path) {
    let mut command = Command::new("cc");
    command.args(["-shared", "-fPIC", "-O2", SOURCE, "-ldl", "-o"]).arg(library);
    assert!(command.status().unwrap().success());
}

/// It answers everybody but those who need its disk, so that whoever asks it for them waits in vain; and
/// others cannot write for them as long as they take its word that it is there.
#[test]
fn r0081_machine_whose_disk_hangs_is_taken_for_frozen() {
    let mut all = Machines::start(3);
    let mut ada = all.join(0, "ada");
    let directory = tempfile::tempdir().unwrap();
    let (library, hang) = (directory.path().join("hang.so"), directory.path().join("hang"));
    build(&library);
    all.kill(0);
    let mut command = Command::new(env!("CARGO_BIN_EXE_tern"));
    command.env("LD_PRELOAD", &library).env("TERN_TEST_HANG", &hang);
    let addresses: Vec<String> = (0..3).map(|n| all.address(n)).collect();
    all.spawn_by(command, 0, &addresses);
    (0..3).for_each(|n| all.wait_until_writable(n));
    all.post(0, &mut ada, "before");
    let downs = |n: usize| all.log(n).matches("msg=\"peer down\" peer=1").count();
    let before = [0, 1, 2].map(downs);
    std::fs::write(&hang, "").unwrap();
    std::thread::scope(|scope| {
        let (all, mut hers) = (&all, ada.clone());
        // Nobody is told of it before the disk comes back.
        scope.spawn(move || all.try_post(0, &mut hers, "while it hangs"));
        (1..3).for_each(|n| eventually(|| (downs(n) > before[n]).then_some(())));
        all.post(1, &mut ada, "meanwhile");
        std::fs::remove_file(&hang).unwrap();
    });
    let is_up = |n: usize| {
        let page = all.status(n)?;
        page.machines.iter().all(|row| row.down_since.is_none()).then_some(())
    };
    (0..3).for_each(|n| eventually(|| is_up(n)));
    all.post(0, &mut ada, "after it");
    wait_equal(&all, "ada");
}
