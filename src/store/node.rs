//! `node.json`: which machine this is, how often it started, how far its promises may have gone,
//! and who its fellows are.
//!
//! One writer ([`NodeState`]); every field only grows; a decision that needs a field compares with
//! the value last known to be on the disk. When a write fails, the disk holds the old value or the
//! new one and the known value stays the old one: refusing is right in both cases.

use std::io::Read;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use parking_lot::Mutex;
use rustix::fs::OFlags;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::data_dir::{DataDir, USERS};
use super::directory::Directory;
use super::error::StoreError;
use super::name::{FileName, Role};
use super::restore;
use crate::id::{Hash128, NodeId};
use crate::json;
use crate::limits::NODE_FILE_BYTES_MAX;

pub(super) const NAME: &str = "node.json";
pub(super) const TEMPORARY: &str = "node.json.tmp";
/// The format of `node.json` and of the users' files as the first version knew them.
const FORMAT_FIRST: u32 = 1;
/// The newest format that this program reads and writes. There may be more than one list of members,
/// and what `features` tell: a program that knows of neither must not vote on it.
const FORMAT: u32 = 2;

/// What `node.json` holds. Fields of newer versions are kept when it is written again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "each says one thing, as the file does")]
pub struct NodeFile {
    /// The format of the whole data directory.
    pub format: u32,
    /// Which cluster.
    pub cluster: Hash128,
    /// Which machine of it.
    pub node: NodeId,
    /// Which life of this machine's data directory: random, made with it.
    pub incarnation: Hash128,
    /// How often it has started.
    pub boot: u32,
    /// Up to this round everything is refused after a start: it may have been promised.
    pub ceiling: u64,
    /// Which list of members.
    pub epoch: u32,
    /// The cluster's machines, this one included.
    pub members: Vec<Member>,
    /// Whether this epoch votes.
    pub opened: bool,
    /// Whether all members of this epoch were seen to hold the same.
    #[serde(default, skip_serializing_if = "is_no")]
    pub ready: bool,
    /// For which machines (number, incarnation) as members after `before` this one was last ready.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_for: Option<Vec<(NodeId, Hash128)>>,
    /// Whether nobody but the new machines knows of this epoch: they still copy.
    #[serde(default, skip_serializing_if = "is_no")]
    pub learning: bool,
    /// What all machines of this epoch understand: 0 is what the first version wrote.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub features: u32,
    /// The last list of members that voted before this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Before>,
    /// Where a machine that is alone listens since its last start, for the operator: it takes any port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listens: Option<String>,
    /// Whether there was a user's file: from then on there always is one.
    #[serde(default, skip_serializing_if = "is_no")]
    pub holds_users: bool,
    /// What this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An earlier list of members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Before {
    /// Its number.
    pub epoch: u32,
    /// Its machines.
    pub members: Vec<Member>,
    /// As in [`NodeFile`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub features: u32,
    /// Machines of the list that voted which the operator gave up for lost, if so: then `members` are
    /// those that were left, and this list itself never voted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given_up: Vec<NodeId>,
    /// What this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A machine of the cluster.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Member {
    /// Its number.
    pub node: NodeId,
    /// Which life of its data directory; unknown until it was first met.
    pub incarnation: Option<Hash128>,
    /// Where it listens, as HOST:PORT.
    pub address: String,
    /// How often it had started when it last said hello.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub boot: u32,
    /// Which process that was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub process: Option<Hash128>,
    /// What this version does not know.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks this way")]
const fn is_no(is: &bool) -> bool {
    !*is
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks this way")]
const fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Member {
    /// A machine that was not met yet.
    pub fn new(node: NodeId, incarnation: Option<Hash128>, address: String) -> Self {
        Self { node, incarnation, address, boot: 0, process: None, extra: Map::new() }
    }
}

impl NodeFile {
    /// A machine that never started, in the first epoch of its cluster.
    pub fn new(cluster: Hash128, node: NodeId, incarnation: Hash128, members: Vec<Member>) -> Self {
        Self {
            format: FORMAT_FIRST,
            cluster,
            node,
            incarnation,
            boot: 0,
            ceiling: 0,
            epoch: 1,
            members,
            opened: false,
            ready: false,
            ready_for: None,
            learning: false,
            features: 0,
            before: None,
            listens: None,
            holds_users: false,
            extra: Map::new(),
        }
    }

    /// Reads `node.json`; `None` in a directory that was never used. What a crash left of writing
    /// it is removed.
    ///
    /// # Errors
    /// [`StoreError::NoIdentity`] when there are users' files but no `node.json`;
    /// [`StoreError::Unfinished`] when they are part of a backup;
    /// [`StoreError::Emptied`] when there were some and nothing is left of them;
    /// [`StoreError::NewerFormat`]; [`StoreError::NodeFile`] and [`StoreError::NodeValue`] when it
    /// makes no sense; [`StoreError::Foreign`], [`StoreError::Io`]. Nothing was touched then.
    pub fn load(dir: &DataDir) -> Result<Option<Self>, StoreError> {
        let root = dir.root();
        let Some(file) = root.open_file(NAME, OFlags::RDONLY)? else {
            if restore::is_unfinished(dir)? {
                return Err(StoreError::Unfinished { path: dir.path().to_owned() });
            }
            if has_users([dir.users(), dir.damaged()])? {
                return Err(StoreError::NoIdentity { path: dir.path().to_owned() });
            }
            return Ok(None);
        };
        let mut bytes = Vec::new();
        file.take(NODE_FILE_BYTES_MAX as u64 + 1)
            .read_to_end(&mut bytes)
            .map_err(|e| root.failed("read", NAME, e))?;
        let node = parse(&bytes, || root.path_of(NAME))?;
        // What was set aside long ago says nothing of what is there now; a mark says whose file is not.
        let is_marked = || has(dir.damaged(), |role| role == Role::Mark);
        if node.holds_users && !has_users([dir.users()])? && !is_marked()? {
            return Err(StoreError::Emptied { path: root.path_of(USERS) });
        }
        for left in [TEMPORARY, restore::MARK] {
            if root.remove_file(left)? {
                log::info!(file:% = left; "temporary file of a crash removed");
            }
        }
        Ok(Some(node))
    }

    /// Writes `node.json`, whatever was in it. While a process works with the directory, that is
    /// [`NodeState`]'s alone.
    ///
    /// # Errors
    /// As `UserStore::replace`.
    pub fn save(&self, dir: &DataDir) -> Result<(), StoreError> {
        let path = || dir.root().path_of(NAME);
        let wrong = |source| StoreError::NodeFile { path: path(), source };
        let file = Self { format: self.least_format(), ..self.clone() };
        let mut bytes = serde_json::to_vec_pretty(&file).map_err(wrong)?;
        bytes.push(b'\n');
        // What could not be read back must not replace what can.
        parse(&bytes, path)?;
        dir.with_ballast(|| dir.root().replace_file(NAME, TEMPORARY, &bytes))
    }

    /// The oldest format that says all this: up to the end of an upgrade one can go back.
    const fn least_format(&self) -> u32 {
        let is_first = self.features == 0 && self.epoch == 1 && self.before.is_none();
        if is_first { FORMAT_FIRST } else { FORMAT }
    }

    /// What the members' list says of a machine.
    pub fn member(&self, node: NodeId) -> Option<&Member> {
        self.members.iter().find(|member| member.node == node)
    }
}

/// Reads what `node.json` holds; `path` says where it was found.
///
/// # Errors
/// [`StoreError::NewerFormat`]; [`StoreError::NodeFile`] and [`StoreError::NodeValue`] when it makes
/// no sense.
pub fn parse(bytes: &[u8], path: impl Fn() -> PathBuf) -> Result<NodeFile, StoreError> {
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    let wrong = |what| Err(StoreError::NodeValue { path: path(), what });
    if bytes.len() > NODE_FILE_BYTES_MAX {
        return wrong("it is too long");
    }
    let not_json = |source| StoreError::NodeFile { path: path(), source };
    // First and alone: a newer format may look different in everything else.
    let Format { format } = json::parse(bytes).map_err(not_json)?;
    match format {
        FORMAT_FIRST..=FORMAT => {}
        0 => return wrong("there is no format 0"),
        newer => {
            return Err(StoreError::NewerFormat { path: path(), what: format!("format {newer}") });
        }
    }
    let node: NodeFile = json::parse(bytes).map_err(not_json)?;
    let mut numbers: Vec<NodeId> = node.members.iter().map(|member| member.node).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.len() != node.members.len() {
        return wrong("two members have one number");
    }
    // Its number may go to another machine by a change, never otherwise.
    let own = node.member(node.node).and_then(|own| own.incarnation);
    if node.before.is_none() && own.is_some_and(|incarnation| incarnation != node.incarnation) {
        return wrong("its own number is listed with another incarnation");
    }
    if node.before.as_ref().is_some_and(|before| before.epoch >= node.epoch) {
        return wrong("the list of members before this one is no older");
    }
    if node.epoch == 0 {
        return wrong("there is no epoch 0");
    }
    Ok(node)
}

/// Whether there are users' files, or marks that say there were some.
pub(super) fn has_users<'a>(
    directories: impl IntoIterator<Item = &'a Directory>,
) -> Result<bool, StoreError> {
    for directory in directories {
        if has(directory, |role| role != Role::Temporary)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether there is a file of such a kind.
fn has(directory: &Directory, is_wanted: impl Fn(Role) -> bool) -> Result<bool, StoreError> {
    let names = directory.list()?.into_iter();
    let mut names = names.filter_map(|found| FileName::parse(found.name.to_str().ok()?));
    Ok(names.any(|name| is_wanted(name.role)))
}

/// `node.json` while a process works with it: the one writer, and the values known to be on disk.
#[derive(Debug)]
pub struct NodeState {
    dir: DataDir,
    /// What is known to be on the disk. Held while the next one is written.
    durable: Mutex<NodeFile>,
    /// The ceiling in `durable`, so that granting a lock waits for no other flush.
    ceiling: AtomicU64,
    /// The same of whether there are users' files.
    holds_users: AtomicBool,
}

impl NodeState {
    /// Takes over what was loaded, or saved for the first time.
    pub fn new(dir: &DataDir, node: NodeFile) -> Self {
        let ceiling = AtomicU64::new(node.ceiling);
        let holds_users = AtomicBool::new(node.holds_users);
        Self { dir: dir.clone(), durable: Mutex::new(node), ceiling, holds_users }
    }

    /// What is known to be on the disk. Waits for a write that is under way.
    pub fn durable(&self) -> NodeFile {
        self.durable.lock().clone()
    }

    /// The ceiling that is known to be on the disk. Never waits.
    pub fn ceiling(&self) -> u64 {
        self.ceiling.load(Ordering::Acquire)
    }

    /// Makes the ceiling `to` at least; whoever grants or accepts a round above the ceiling calls
    /// this first. Returns the ceiling on the disk.
    ///
    /// # Errors
    /// As `UserStore::replace`: refuse the round.
    pub fn raise_ceiling(&self, to: u64) -> Result<u64, StoreError> {
        if to > self.ceiling() {
            self.change(|node| {
                node.ceiling = node.ceiling.max(to);
                Ok(())
            })?;
        }
        Ok(self.ceiling())
    }

    /// Counts a start, by `next`, and returns its number; once, before anything that bears a term.
    ///
    /// # Errors
    /// As `UserStore::replace`: do not start. [`StoreError::NodeValue`] after four thousand million
    /// starts.
    pub fn next_boot(&self, next: impl Fn(u32) -> Option<u32>) -> Result<u32, StoreError> {
        let path = self.dir.root().path_of(NAME);
        let mut boot = 0;
        self.change(|node| {
            boot = next(node.boot)
                .ok_or(StoreError::NodeValue { path, what: "the boot count is used up" })?;
            node.boot = boot;
            // An earlier program did not write it down, or a crash came between.
            node.holds_users |= has_users([self.dir.users()])?;
            Ok(())
        })?;
        Ok(boot)
    }

    /// Writes down, once, that users' files are there: after the first is on the disk, never before, or a
    /// crash between the two would keep the machine from starting. Where it cannot be written, the next
    /// file or the next start makes up for it.
    pub fn note_users(&self) {
        if self.holds_users.load(Ordering::Acquire) {
            return;
        }
        let noted = self.change(|node| {
            node.holds_users = true;
            Ok(())
        });
        if let Err(error) = noted {
            log::debug!(error:%; "not written down that there are users");
        }
    }

    /// Learns which life of its data directory a member is in; another one with its number is
    /// another machine from now on.
    ///
    /// # Errors
    /// [`StoreError::NotMember`], [`StoreError::OtherIncarnation`], or as `UserStore::replace`: do
    /// not talk to it.
    pub fn pin(&self, node: NodeId, incarnation: Hash128) -> Result<(), StoreError> {
        self.change(|file| {
            let member = file.members.iter_mut().find(|member| member.node == node);
            let member = member.ok_or(StoreError::NotMember { node })?;
            let other = member.incarnation.is_some_and(|known| known != incarnation)
                || (node == file.node && incarnation != file.incarnation);
            if other {
                return Err(StoreError::OtherIncarnation { node });
            }
            member.incarnation = Some(incarnation);
            Ok(())
        })
    }

    /// Remembers how often a member had started when it said hello, and as which process: a lower
    /// count, or the same in another process, is an old copy of its directory.
    ///
    /// # Errors
    /// As `UserStore::replace`: do not talk to it.
    pub fn saw(
        &self,
        (node, incarnation): (NodeId, Hash128),
        (boot, process): (u32, Hash128),
    ) -> Result<bool, StoreError> {
        let mut is_old = false;
        self.change(|file| {
            let before = file.before.iter_mut().flat_map(|before| &mut before.members);
            let known = file.members.iter_mut().chain(before);
            for member in known.filter(|m| m.node == node && m.incarnation == Some(incarnation)) {
                let is_copy = member.process.is_some_and(|known| known != process);
                is_old |= boot < member.boot || (boot == member.boot && is_copy);
                if !is_old {
                    (member.boot, member.process) = (boot, Some(process));
                }
            }
            Ok(())
        })?;
        Ok(!is_old)
    }

    /// Makes a change of the members durable.
    ///
    /// # Errors
    /// As `UserStore::replace`: the change did not happen.
    pub fn change_members(&self, change: impl FnOnce(&mut NodeFile)) -> Result<(), StoreError> {
        self.change(|node| {
            change(node);
            Ok(())
        })
    }

    /// Writes a changed copy and only then knows it. Nothing is written when nothing changes.
    fn change(
        &self,
        change: impl FnOnce(&mut NodeFile) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut durable = self.durable.lock();
        let mut next = durable.clone();
        change(&mut next)?;
        next.format = next.least_format();
        if next == *durable {
            return Ok(());
        }
        assert!(
            next.boot >= durable.boot
                && next.ceiling >= durable.ceiling
                && next.epoch >= durable.epoch,
            "node.json goes back"
        );
        next.save(&self.dir)?;
        self.ceiling.store(next.ceiling, Ordering::Release);
        self.holds_users.store(next.holds_users, Ordering::Release);
        *durable = next;
        Ok(())
    }
}
