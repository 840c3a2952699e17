//! The data directory of a whole cluster: `node-1`, `node-2` and so on, each one backend's, and the
//! key.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, TryLockError};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::RunClusterError;
use crate::clock::Clock;
use crate::id::NodeId;
use crate::json;
use crate::limits::CHILD_POLL_MS;
use crate::order::gather;

/// What a backend's directory says of itself, as far as it matters here.
#[derive(serde::Deserialize)]
struct NodeFile {
    /// Whether its cluster has ever been whole: from then on promises count.
    #[serde(default)]
    opened: bool,
    #[serde(default)]
    epoch: u32,
    #[serde(default)]
    members: Vec<Member>,
    /// The list of members before this one: there was one, so its cluster has been whole.
    #[serde(default)]
    before: Option<Before>,
}

#[derive(serde::Deserialize)]
struct Before {
    members: Vec<Member>,
}

#[derive(serde::Deserialize)]
struct Member {
    node: NodeId,
}

/// The machines of a directory.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Machines {
    /// Those to start, by number.
    pub(super) start: Vec<NodeId>,
    /// Whether the cluster is new, and those that lack may be set up.
    pub(super) is_new: bool,
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
    machines: &[NodeId],
    clock: &Clock,
    limit_ms: u64,
) -> Result<(), RunClusterError> {
    let deadline = clock.mono().plus_ms(limit_ms);
    for &node in machines {
        let directory = node_directory(data, node);
        while directory.exists() {
            match lock(&directory) {
                Ok(_let_go_at_once) => break,
                Err(RunClusterError::InUse { .. }) if clock.mono() < deadline => {
                    log::debug!(node; "waiting for a process of an earlier run");
                    std::thread::park_timeout(Duration::from_millis(CHILD_POLL_MS));
                }
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// Which machines the directory holds: no cluster yet, or one of `backends` machines with all its
/// parts. Machines that a change of the members removes are started too until it is through.
///
/// A machine whose directory was emptied must not start as if it were new: it has promised things that
/// it no longer knows. Before the cluster was ever whole nothing was promised, so a first start that
/// was interrupted half way may be repeated, for as many machines.
pub(super) fn machines(data: &Path, backends: u16) -> Result<Machines, RunClusterError> {
    let all = || (1..=NodeId::MAX).filter_map(|number| NodeId::new(number).ok());
    let mut found = BTreeMap::new();
    for node in all() {
        if let Some(file) = read(&node_directory(data, node).join("node.json"))? {
            found.insert(node, file);
        }
    }
    let size = |found| RunClusterError::Size { path: data.to_owned(), found };
    if !found.values().any(|file| file.opened || file.before.is_some()) {
        // It was begun for so many, and its machines would not speak to others.
        let begun = found.values().map(|file| file.members.len()).max();
        if let Some(count) = begun.filter(|count| *count != usize::from(backends)) {
            return Err(size(u16::try_from(count).unwrap_or(u16::MAX)));
        }
        let start = all().filter(|node| node.get() <= backends).collect();
        return Ok(Machines { start, is_new: true });
    }
    let newest = found.values().max_by_key(|file| file.epoch);
    let numbers = |list: &[Member]| gather::<_, BTreeSet<_>>(list.iter().map(|one| one.node));
    let members = newest.map(|file| numbers(&file.members)).unwrap_or_default();
    if members.len() != usize::from(backends) {
        return Err(size(u16::try_from(members.len()).unwrap_or(u16::MAX)));
    }
    if let Some(node) = members.iter().find(|node| !found.contains_key(node)) {
        let (path, node, data) = (node_directory(data, *node), *node, data.to_owned());
        return Err(RunClusterError::MachineMissing { path, node, data });
    }
    // Who leaves takes part until the others go on without it.
    let is_through = newest.is_some_and(|newest| {
        let of =
            |node| found.get(node).is_some_and(|file| file.opened && file.epoch == newest.epoch);
        members.iter().all(of)
    });
    let before = newest.and_then(|file| file.before.as_ref()).filter(|_| !is_through);
    let leaving = before.map(|before| numbers(&before.members)).unwrap_or_default();
    let leaving = leaving.into_iter().filter(|node| found.contains_key(node));
    let start: BTreeSet<NodeId> = gather(members.iter().copied().chain(leaving));
    Ok(Machines { start: start.into_iter().collect(), is_new: false })
}

/// A machine's identity, if it has one. What cannot be understood is left to the backend, which says
/// what is wrong with it.
fn read(path: &Path) -> Result<Option<NodeFile>, RunClusterError> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(json::parse(&bytes).unwrap_or(NodeFile {
            opened: true,
            epoch: 0,
            members: Vec::new(),
            before: None,
        }))),
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

    fn node(number: u16) -> NodeId {
        NodeId::new(number).unwrap()
    }

    /// `node.json` of a machine in epoch `epoch` of these members.
    fn file(epoch: u32, opened: bool, members: &[u16], before: &[u16]) -> String {
        let list = |numbers: &[u16]| {
            let one = |number: &u16| format!("{{\"node\":{number}}}");
            numbers.iter().map(one).collect::<Vec<_>>().join(",")
        };
        let before = match before {
            [] => String::new(),
            some => format!(",\"before\":{{\"members\":[{}]}}", list(some)),
        };
        let members = list(members);
        format!("{{\"opened\":{opened},\"epoch\":{epoch},\"members\":[{members}]{before}}}")
    }

    fn write(data: &Path, number: u16, text: &str) {
        let directory = node_directory(data, node(number));
        std::fs::create_dir_all(&directory).unwrap();
        std::fs::write(directory.join("node.json"), text).unwrap();
    }

    /// A directory with these machines of a cluster of `count`, in its first epoch.
    fn directory(count: u16, machines: &[(u16, bool)]) -> tempfile::TempDir {
        let data = tempfile::tempdir().unwrap();
        let members: Vec<u16> = (1..=count).collect();
        for (number, opened) in machines {
            write(data.path(), *number, &file(1, *opened, &members, &[]));
        }
        data
    }

    fn started(data: &Path, backends: u16) -> (Vec<u16>, bool) {
        let Machines { start, is_new } = machines(data, backends).unwrap();
        (start.into_iter().map(NodeId::get).collect(), is_new)
    }

    fn check_refused(data: &Path, backends: u16, expected: &str) {
        let error = machines(data, backends).expect_err(expected).to_string();
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn cluster_whole_or_new_or_half_set_up_accepted() {
        let three = vec![1, 2, 3];
        assert_eq!(started(directory(3, &[]).path(), 3), (three.clone(), true));
        let whole = directory(3, &[(1, true), (2, true), (3, true)]);
        assert_eq!(started(whole.path(), 3), (three.clone(), false));
        let half = directory(3, &[(2, false)]);
        assert_eq!(started(half.path(), 3), (three, true));
        for other in [1, 2, 5] {
            check_refused(half.path(), other, "a cluster of 3 machines: use --backends=3");
        }
    }

    #[test]
    fn machine_wiped_refused_with_command() {
        let one_wiped = directory(3, &[(1, true), (3, true)]);
        check_refused(one_wiped.path(), 3, "node-2 has no node.json");
        let path = one_wiped.path().display().to_string();
        check_refused(one_wiped.path(), 3, &format!("tern cluster replace 2 --data={path}"));
        check_refused(directory(3, &[(2, true), (3, false)]).path(), 3, "node-1 has no node.json");
    }

    #[test]
    fn cluster_of_other_size_refused_with_size() {
        let three = directory(3, &[(1, true), (2, true), (3, true)]);
        check_refused(three.path(), 1, "a cluster of 3 machines: use --backends=3");
        check_refused(three.path(), 5, "a cluster of 3 machines: use --backends=3");
    }

    #[test]
    fn machines_of_a_change_started_until_it_is_through() {
        let data = directory(3, &[(1, true), (2, true), (3, true)]);
        write(data.path(), 4, &file(2, false, &[1, 2, 3, 4], &[1, 2, 3]));
        assert_eq!(started(data.path(), 4), (vec![1, 2, 3, 4], false));
        check_refused(data.path(), 3, "use --backends=4");
        write(data.path(), 1, &file(3, false, &[1, 3], &[1, 2, 3]));
        assert_eq!(started(data.path(), 2), (vec![1, 2, 3], false));
        write(data.path(), 1, &file(3, true, &[1, 3], &[1, 2, 3]));
        write(data.path(), 3, &file(3, true, &[1, 3], &[1, 2, 3]));
        assert_eq!(started(data.path(), 2), (vec![1, 3], false));
    }

    #[test]
    fn node_file_damaged_counts_as_machine() {
        let data = directory(3, &[(1, true), (2, true), (3, true)]);
        write(data.path(), 2, "no json");
        assert_eq!(started(data.path(), 3), (vec![1, 2, 3], false));
    }

    #[test]
    fn directory_locked_once() {
        let data = directory(3, &[]);
        let held = lock(data.path()).unwrap();
        assert!(matches!(lock(data.path()), Err(RunClusterError::InUse { .. })));
        drop(held);
        lock(data.path()).unwrap();
        let missing = lock(&data.path().join("none"));
        assert!(matches!(missing, Err(RunClusterError::Unreadable { .. })));
    }

    #[test]
    fn directory_of_earlier_run_waited_for() {
        let data = directory(3, &[(1, true), (2, true)]);
        let all = [1, 2, 3].map(node);
        let held = lock(&data.path().join("node-2")).unwrap();
        let clock = Clock::system();
        let at_once = wait_until_free(data.path(), &all, &clock, 0);
        assert!(
            matches!(at_once, Err(RunClusterError::InUse { path }) if path.ends_with("node-2"))
        );
        std::thread::scope(|scope| {
            let waiting = spawn_named(scope, "waiting", |_permit| {
                wait_until_free(data.path(), &all, &clock, 60_000)
            });
            drop(held);
            waiting.unwrap().join().unwrap().unwrap();
        });
    }
}
