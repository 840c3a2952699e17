//! The data directory of a whole cluster: `node-1`, `node-2` and so on, each one backend's, and the
//! key.

use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::RunClusterError;
use crate::clock::Clock;
use crate::id::NodeId;
use crate::limits::CHILD_POLL_MS;

/// What a backend's directory says of itself, as far as it matters here.
#[derive(serde::Deserialize)]
struct NodeFile {
    /// Whether its cluster has ever been whole: from then on promises count.
    #[serde(default)]
    opened: bool,
}

/// The directory of one backend.
pub(super) fn node_directory(data: &Path, node: NodeId) -> PathBuf {
    data.join(format!("node-{node}"))
}

/// Takes the directory for this process; the lock lasts as long as the file is open. The directory
/// itself is locked, as the backends lock theirs: no file is left behind.
pub(super) fn lock(data: &Path) -> Result<File, RunClusterError> {
    let unreadable = |source| RunClusterError::Unreadable { path: data.to_owned(), source };
    let directory = File::open(data).map_err(unreadable)?;
    match directory.try_lock() {
        Ok(()) => Ok(directory),
        Err(TryLockError::WouldBlock) => Err(RunClusterError::InUse { path: data.to_owned() }),
        Err(TryLockError::Error(source)) => Err(unreadable(source)),
    }
}

/// Waits until no process uses a backend's directory any more: after a kill of an earlier
/// `tern run-cluster` its children need a moment to notice and to end.
pub(super) fn wait_until_free(
    data: &Path,
    backends: u16,
    clock: &Clock,
    limit_ms: u64,
) -> Result<(), RunClusterError> {
    let deadline = clock.mono().plus_ms(limit_ms);
    for node in (1..=backends).filter_map(|number| NodeId::new(number).ok()) {
        let directory = node_directory(data, node);
        while directory.exists() {
            match lock(&directory) {
                Ok(_let_go_at_once) => break,
                Err(RunClusterError::InUse { .. }) if clock.mono() < deadline => {
                    log::debug!("waiting for a process of an earlier run node={node}");
                    std::thread::park_timeout(Duration::from_millis(CHILD_POLL_MS));
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// Checks that the directory holds no cluster, or one of `backends` machines with all its parts.
///
/// A machine whose directory was emptied must not start as if it were new: it has promised things that
/// it no longer knows. Before the cluster was ever whole nothing was promised, so a first start that
/// was interrupted half way may be repeated.
pub(super) fn check(data: &Path, backends: u16) -> Result<(), RunClusterError> {
    let mut found = Vec::new();
    let mut opened = false;
    for node in (1..=NodeId::MAX).filter_map(|number| NodeId::new(number).ok()) {
        if let Some(file) = read(&node_directory(data, node).join("node.json"))? {
            found.push(node);
            opened |= file.opened;
        }
    }
    let highest = found.last().map_or(0, |node| node.get());
    if highest > backends || (opened && highest < backends && found.len() == usize::from(highest)) {
        return Err(RunClusterError::Size { path: data.to_owned(), found: highest });
    }
    let all = (1..=backends).filter_map(|number| NodeId::new(number).ok());
    match all.filter(|_| opened).find(|node| !found.contains(node)) {
        Some(node) => Err(RunClusterError::MachineMissing { path: node_directory(data, node) }),
        None => Ok(()),
    }
}

/// A machine's identity, if it has one. What cannot be understood is left to the backend, which says
/// what is wrong with it.
fn read(path: &Path) -> Result<Option<NodeFile>, RunClusterError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(serde_json::from_slice(&bytes).unwrap_or(NodeFile { opened: true }))),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(source) => Err(RunClusterError::Unreadable { path: path.to_owned(), source }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::thread::spawn_named;

    /// A directory with these machines in it: a number and whether it has `opened`.
    fn directory(machines: &[(u16, bool)]) -> tempfile::TempDir {
        let data = tempfile::tempdir().unwrap();
        for (number, opened) in machines {
            let node = node_directory(data.path(), NodeId::new(*number).unwrap());
            std::fs::create_dir(&node).unwrap();
            std::fs::write(node.join("node.json"), format!("{{\"opened\":{opened}}}")).unwrap();
        }
        data
    }

    fn check_refused(machines: &[(u16, bool)], backends: u16, expected: &str) {
        let data = directory(machines);
        let error = check(data.path(), backends).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn cluster_whole_or_new_or_half_set_up_accepted() {
        check(directory(&[]).path(), 3).unwrap();
        check(directory(&[(1, true), (2, true), (3, true)]).path(), 3).unwrap();
        check(directory(&[(2, false)]).path(), 3).unwrap();
        check(directory(&[(1, false), (2, false)]).path(), 3).unwrap();
    }

    #[test]
    fn machine_wiped_refused_by_directory() {
        check_refused(&[(1, true), (3, true)], 3, "node-2 has no node.json");
        check_refused(&[(2, true), (3, false)], 3, "node-1 has no node.json");
    }

    #[test]
    fn cluster_of_other_size_refused_with_size() {
        let three = [(1, true), (2, true), (3, true)];
        check_refused(&three, 1, "a cluster of 3 machines: use --backends=3");
        check_refused(&three, 5, "a cluster of 3 machines: use --backends=3");
    }

    #[test]
    fn node_file_damaged_counts_as_machine() {
        let data = directory(&[(1, true), (2, true), (3, true)]);
        std::fs::write(data.path().join("node-2/node.json"), "no json").unwrap();
        check(data.path(), 3).unwrap();
    }

    #[test]
    fn directory_locked_once() {
        let data = directory(&[]);
        let held = lock(data.path()).unwrap();
        assert!(matches!(lock(data.path()), Err(RunClusterError::InUse { .. })));
        drop(held);
        lock(data.path()).unwrap();
        let missing = lock(&data.path().join("none"));
        assert!(matches!(missing, Err(RunClusterError::Unreadable { .. })));
    }

    #[test]
    fn directory_of_earlier_run_waited_for() {
        let data = directory(&[(1, true), (2, true)]);
        let held = lock(&data.path().join("node-2")).unwrap();
        let clock = Clock::system();
        let at_once = wait_until_free(data.path(), 2, &clock, 0);
        assert!(
            matches!(at_once, Err(RunClusterError::InUse { path }) if path.ends_with("node-2"))
        );
        std::thread::scope(|scope| {
            let waiting = spawn_named(scope, "waiting", |_permit| {
                wait_until_free(data.path(), 3, &clock, 60_000)
            });
            drop(held);
            waiting.unwrap().join().unwrap().unwrap();
        });
    }
}
