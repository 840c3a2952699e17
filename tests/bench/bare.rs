//! The bare limit: a line appended to three files, each flushed, and two of the three waited for.
//! What no design that keeps its promise on three disks could pass.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};

/// One writer with a file on each of three "machines".
pub(crate) struct Bare {
    files: Vec<Sender<u64>>,
    done: Receiver<Flushed>,
    number: u64,
}

/// Which write a file has on disk, or why not.
type Flushed = io::Result<u64>;

/// Makes `count` writers of a line, each with files of its own in `directory`. A flush takes longer than on
/// the disk itself by what is given with the line.
pub(crate) fn writers(
    directory: &Path,
    count: usize,
    (line, flush): (Vec<u8>, Duration),
) -> io::Result<Vec<Bare>> {
    let write = Arc::new((line, flush));
    (0..count).map(|number| Bare::new(directory, number, &write)).collect()
}

impl Bare {
    fn new(directory: &Path, number: usize, write: &Arc<(Vec<u8>, Duration)>) -> io::Result<Self> {
        // Room for every answer: a file that is late never waits for its writer.
        let (sender, done) = bounded(1024);
        let mut files = Vec::new();
        for node in 1..=3 {
            let place = directory.join(format!("node-{node}"));
            std::fs::create_dir_all(&place)?;
            let path = place.join(format!("{number}.jsonl"));
            let file = OpenOptions::new().create(true).append(true).open(path)?;
            files.push(disk(file, Arc::clone(write), sender.clone())?);
        }
        Ok(Self { files, done, number: 0 })
    }

    /// Writes one line, and waits for two of its three files.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        self.number += 1;
        for file in &self.files {
            file.send(self.number).map_err(io::Error::other)?;
        }
        let mut flushed = 0;
        while flushed < 2 {
            // What the third file says of an earlier write does not count.
            let number = self.done.recv().map_err(io::Error::other)??;
            flushed += usize::from(number == self.number);
        }
        Ok(())
    }
}

/// The thread of one file; it ends when its writer is gone.
fn disk(
    mut file: File,
    write: Arc<(Vec<u8>, Duration)>,
    done: Sender<Flushed>,
) -> io::Result<Sender<u64>> {
    let (sender, jobs) = bounded(1024);
    std::thread::Builder::new().name("disk".to_owned()).spawn(move || {
        let (line, flush) = &*write;
        for number in jobs {
            let written = file.write_all(line);
            if !flush.is_zero() {
                std::thread::sleep(*flush);
            }
            let outcome = written.and_then(|()| file.sync_data()).map(|()| number);
            if done.send(outcome).is_err() {
                return;
            }
        }
    })?;
    Ok(sender)
}
