//! Sends a file that was looked at, part by part. A part that is there already is told so and costs
//! nothing, so whatever was broken off goes on.

use std::collections::BTreeMap;
use std::io::Write;

use super::file::{self, Item};
use super::{Asker, ImportError, Looked};
use crate::action::ExportList;
use crate::action::import::{Newcomer, Taken, Tie};
use crate::cli::error::CliError;
use crate::clock::{Clock, Mono};
use crate::id::{Hash128, UserName};
use crate::limits::{IMPORT_LINE_BYTES, IMPORT_MARKS, IMPORT_POSTS, IMPORT_PROGRESS_MS};
use crate::user::entry::PostRef;
use crate::wire::export::{ExportMark, ExportPost};
use crate::wire::upkeep::{Begun, Order, Part, Password, Told};

/// What goes to a machine, and what became of it so far.
pub(super) struct Sender<'a> {
    asker: Asker,
    user: UserName,
    file: Hash128,
    is_dry: bool,
    looked: &'a Looked,
    posts: Vec<ExportPost>,
    bytes: usize,
    marks: Vec<ExportMark>,
    /// Which list `marks` are of.
    list: ExportList,
    totals: BTreeMap<&'static str, Taken>,
    clock: Clock,
    told_at: Mono,
}

impl<'a> Sender<'a> {
    /// For one file, and the account that is made of it.
    pub(super) fn new(
        asker: Asker,
        (user, file, is_dry): (UserName, Hash128, bool),
        looked: &'a Looked,
    ) -> Self {
        Self {
            asker,
            user,
            file,
            is_dry,
            looked,
            posts: Vec::new(),
            bytes: 0,
            marks: Vec::new(),
            list: ExportList::Likes,
            totals: BTreeMap::new(),
            clock: Clock::system(),
            told_at: Mono(0),
        }
    }

    /// What became of each list.
    pub(super) const fn totals(&self) -> &BTreeMap<&'static str, Taken> {
        &self.totals
    }

    /// The same in words.
    pub(super) fn summary(&self) -> Vec<String> {
        let would = if self.is_dry { "to be taken in" } else { "taken in" };
        let line = |(list, taken): (&&str, &Taken)| {
            let mut line = format!("{list}: {} {would}", taken.written);
            for (count, what) in [
                (taken.there, "there already"),
                (taken.left_out, "left out, not here"),
                (taken.loosened, "without what they answered, which is not here"),
            ] {
                if count > 0 {
                    line = format!("{line}, {count} {what}");
                }
            }
            line
        };
        self.totals.iter().map(line).collect()
    }

    /// Has the account made.
    pub(super) fn begin(&mut self, password: &str) -> Result<Begun, CliError> {
        let profile = &self.looked.head.profile;
        let newcomer = Newcomer {
            display_name: profile.display_name.clone(),
            bio: profile.bio.clone(),
            members_only: profile.members_only,
            posts_for: profile.posts_for,
            joined_at: profile.joined_at,
        };
        let part = Part::Begin { password: Password(password.to_owned()), newcomer };
        match self.order(part)? {
            Told::Begun { state } => Ok(state),
            _ => Err(super::super::answers_otherwise()),
        }
    }

    /// Sends all of it, and that this was all.
    pub(super) fn send_all(&mut self, text: &str) -> Result<(), CliError> {
        let head = &self.looked.head;
        // Whom somebody blocks they do not follow: that comes first.
        for (tie, list, names) in [
            (Tie::Block, "blocks", &head.blocks),
            (Tie::Mute, "mutes", &head.mutes),
            (Tie::Follow, "follows", &head.follows),
        ] {
            // Who is blocked in the file is not followed, blocked already or not yet.
            let keeps = |name: &&UserName| tie != Tie::Follow || !head.blocks.contains(name);
            let kept: Vec<_> = names.iter().filter(keeps).cloned().collect();
            let left_out = u32::try_from(names.len() - kept.len()).unwrap_or(u32::MAX);
            self.totals.insert(list, Taken { left_out, ..Taken::default() });
            for names in kept.chunks(IMPORT_MARKS) {
                self.part(list, Part::Ties { tie, names: names.to_vec() })?;
            }
        }
        for list in ExportList::ALL {
            self.totals.insert(list.as_str(), Taken::default());
        }
        // Posts first, wherever they stand in the file: one's own may be marked.
        self.send_items(text, true)?;
        self.flush_posts()?;
        self.send_items(text, false)?;
        self.flush_marks()?;
        let pinned = self.looked.head.profile.pinned;
        self.order(Part::End { pinned })?;
        Ok(())
    }

    /// Reads the file once more, and sends the posts in it, or all else.
    fn send_items(&mut self, text: &str, wants_posts: bool) -> Result<(), CliError> {
        let mut failed = None;
        let read = file::read(text, &mut |item| {
            let sent = match item {
                Item::Post(post) if wants_posts => self.post(post),
                Item::Mark(list, mark) if !wants_posts => self.mark(list, mark),
                Item::Post(_) | Item::Mark(..) => Ok(()),
            };
            // It was read to its end before: only sending can fail, and ends the reading.
            sent.map_err(|error| {
                failed = Some(error);
                ImportError::NotSent
            })
        });
        match (failed, read) {
            (Some(error), _) => Err(error),
            (None, Err(error)) => Err(error.into()),
            (None, Ok(_)) => Ok(()),
        }
    }

    fn post(&mut self, mut post: ExportPost) -> Result<(), CliError> {
        let own = &self.looked.head.profile.username;
        if let Some(parent) = post.reply_to.as_mut().filter(|parent| parent.user == *own) {
            parent.user = self.user.clone();
            if self.looked.ids.binary_search(&parent.id).is_err() {
                post.reply_to = None;
                self.totals.entry("posts").or_default().loosened += 1;
            }
        }
        let said =
            post.earlier.iter().map(|it| it.text.len() + it.note.as_ref().map_or(0, String::len));
        // As much as it takes in a line at most, but for what is escaped.
        let bytes = (post.earlier.len() + 1) * 192 + said.sum::<usize>() + post.text.len();
        self.bytes += bytes + post.note.as_ref().map_or(0, String::len);
        self.posts.push(post);
        if self.posts.len() >= IMPORT_POSTS || self.bytes >= IMPORT_LINE_BYTES / 2 {
            self.flush_posts()?;
        }
        Ok(())
    }

    fn mark(&mut self, list: ExportList, mut mark: ExportMark) -> Result<(), CliError> {
        if list != self.list {
            self.flush_marks()?;
            self.list = list;
        }
        if mark.post.user == self.looked.head.profile.username {
            mark.post = PostRef { user: self.user.clone(), id: mark.post.id };
            // An own post that is not taken in stands nowhere.
            if self.looked.ids.binary_search(&mark.post.id).is_err() {
                self.totals.entry(list.as_str()).or_default().left_out += 1;
                return Ok(());
            }
        }
        self.marks.push(mark);
        if self.marks.len() >= IMPORT_MARKS { self.flush_marks() } else { Ok(()) }
    }

    fn flush_posts(&mut self) -> Result<(), CliError> {
        let posts = std::mem::take(&mut self.posts);
        self.bytes = 0;
        if posts.is_empty() {
            return Ok(());
        }
        let is_for_all = posts.iter().all(|post| post.audience.is_everyone());
        self.part("posts", if is_for_all { Part::Posts(posts) } else { Part::PostsFor(posts) })
    }

    fn flush_marks(&mut self) -> Result<(), CliError> {
        let (marks, list) = (std::mem::take(&mut self.marks), self.list);
        if marks.is_empty() {
            Ok(())
        } else {
            self.part(list.as_str(), Part::Marks { list, marks })
        }
    }

    fn part(&mut self, list: &'static str, part: Part) -> Result<(), CliError> {
        let Told::Taken(taken) = self.order(part)? else {
            return Err(super::super::answers_otherwise());
        };
        let total = self.totals.entry(list).or_default();
        total.written += taken.written;
        total.there += taken.there;
        total.left_out += taken.left_out;
        total.loosened += taken.loosened;
        let now = self.clock.mono();
        if now >= self.told_at.plus_ms(IMPORT_PROGRESS_MS) {
            self.told_at = now;
            let (done, of) =
                (self.totals.get("posts").copied().unwrap_or_default(), &self.looked.ids);
            progress(&format!("posts: {} of {}", done.written + done.there, of.len()));
        }
        Ok(())
    }

    fn order(&mut self, part: Part) -> Result<Told, CliError> {
        let (user, file, is_dry) = (self.user.clone(), self.file, self.is_dry);
        self.asker.ask(&Order::Import { user, file, is_dry, part })
    }
}

/// Tells how far it is, beside what a script reads. A terminal that went away is no reason to stop.
fn progress(line: &str) {
    let _told = writeln!(std::io::stderr().lock(), "{line}");
}
