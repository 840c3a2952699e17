//! Posts where a flush takes as long as on the memory card of a small machine: there the disk is what one
//! waits for. Where a flush is nearly free, as on a server's disk, it is the processors.

use std::io;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::cluster::Town;
use crate::harness::Options;
use crate::table::Table;
use crate::{Plan, WRITERS, invalid};

/// What a flush takes longer: of the order of what such cards take.
const FLUSH: Duration = Duration::from_millis(5);
/// What makes the machines wait so long, as kept beside this file.
const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/card.c");

/// Measures it, with one and with several writers.
pub(crate) fn measure(plan: &Plan, table: &mut Table) -> io::Result<()> {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let library = directory.path().join("card.so");
    build(&library)?;
    let environment = vec![
        ("LD_PRELOAD".to_owned(), library.into_os_string()),
        ("TERN_CARD_MS".to_owned(), FLUSH.as_millis().to_string().into()),
    ];
    let mut town = Town::start(Options { environment, ..Options::default() }, WRITERS);
    for count in [1, WRITERS] {
        let figure = town.measure_posts(count, plan, ("posts-card", FLUSH))?;
        table.figure(figure);
    }
    Ok(())
}

fn build(library: &Path) -> io::Result<()> {
    let mut command = Command::new("cc");
    command.args(["-shared", "-fPIC", "-O2", SOURCE, "-ldl", "-o"]).arg(library);
    let built = command.output()?;
    if built.status.success() {
        return Ok(());
    }
    Err(invalid(&format!("{SOURCE}: {}", String::from_utf8_lossy(&built.stderr))))
}
