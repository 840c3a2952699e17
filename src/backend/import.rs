//! Takes in, part by part, what a member took along elsewhere. Each part is one line of their file, and
//! a part that is there already writes nothing: however often it is broken off and begun again,
//! nothing stands there twice.

use std::cell::Cell;

use super::Backend;
use super::upkeep::{Obeyed, Unmet, taken};
use super::view::Permit;
use super::write::{OneAct, Wrote};
use crate::action::import::{self, Checked, Newcomer, OldPost, Step, Taken, Tie, is_ahead};
use crate::action::{ActionError, ExportList, Plan};
use crate::auth::password::Verdict;
use crate::clock::Wall;
use crate::id::{Hash128, RequestKey, UserName};
use crate::limits::{IMPORT_MARKS, IMPORT_POSTS, LINE_BYTES_MAX};
use crate::metrics;
use crate::user::entry::PostRef;
use crate::user::{Status, User};
use crate::wire::request::{ExportMark, ExportPost, Field};
use crate::wire::upkeep::{Begun, Part, Told};

/// Whose import, of which file, and whether only to tell what would be done.
type Of<'a> = (&'a UserName, Hash128, bool);

impl Backend {
    /// Takes in one part.
    pub(super) fn import(&self, permit: &mut Permit, of: Of<'_>, part: &Part) -> Obeyed {
        self.check_social()?;
        match part {
            Part::Begin { password, newcomer } => {
                self.check_posts_for(newcomer.posts_for)?;
                self.begin_import(permit, of, (newcomer, &password.0))
            }
            Part::Posts(posts) | Part::PostsFor(posts) => {
                posts.iter().try_for_each(|post| self.check_audience(post.audience))?;
                let posts = self.checked(of.0, posts)?;
                let told =
                    self.take_in(permit, of, &|user, _| import::posts(user, &posts, of.2))?;
                if let (Told::Taken(taken), false) = (&told, of.2) {
                    metrics::POSTS.add(taken.written as usize);
                }
                Ok(told)
            }
            Part::Ties { tie, names } => {
                let here = self.members_among(of.0, *tie, names)?;
                let left_out = count(names.len() - here.len());
                let told =
                    self.take_in(permit, of, &|user, now| import::ties(user, *tie, &here, now))?;
                Ok(more_left_out(told, left_out))
            }
            Part::Marks { list, marks } => {
                let here = self.posts_among(of, marks)?;
                let left_out = count(marks.len() - here.len());
                let list = *list;
                if list == ExportList::Posts {
                    return Err(Unmet::Words("posts are no marks".to_owned()));
                }
                let told =
                    self.take_in(permit, of, &|user, _| import::marks(user, list, &here, of.2))?;
                Ok(more_left_out(told, left_out))
            }
            Part::End { pinned } => {
                if of.2 {
                    return Ok(Told::Done);
                }
                let (user, file, _) = of;
                let now = self.now();
                let request = Some((Step::Done.key(file), file));
                self.change(permit, &OneAct { user, request }, &|user| {
                    import::check_under_way(user, file)?;
                    Ok(import::end(user, *pinned, now))
                })?;
                Ok(Told::Done)
            }
        }
    }

    fn begin_import(
        &self,
        permit: &mut Permit,
        (name, file, is_dry): Of<'_>,
        (newcomer, password): (&Newcomer, &str),
    ) -> Obeyed {
        let now = self.now();
        if is_ahead(newcomer.joined_at, now) {
            return Err(Unmet::Words("\"joined_at\" is from the future".to_owned()));
        }
        self.refresh(permit, name);
        let is_done = self.look(name, |user| Step::Done.is_done(user, file));
        if is_done == Some(true) {
            return Ok(Told::Begun { state: Begun::Done });
        }
        let is_begun = self.look(name, |user| import::check_under_way(user, file).is_ok());
        if is_begun != Some(true) {
            self.check_new_name(name)?;
        }
        if is_dry {
            return self.begin_dry(name, is_begun, newcomer);
        }
        let hash = self.new_hash((name, &newcomer.display_name), password)?;
        let request: Option<(RequestKey, Hash128)> = Some((Step::Begun.key(file), file));
        let (wrote, _version) = self.change(permit, &OneAct { user: name, request }, &|user| {
            import::begin(user, newcomer, &hash, now)
        })?;
        let state = match wrote {
            Wrote::Now(_) => Begun::New,
            // At an earlier sending, or on an earlier day: only the password tells.
            Wrote::Before(_) => {
                let stored = self.look(name, |user| user.password.clone()).unwrap_or_default();
                match self.hasher.verify(password, &stored).map_err(super::account::busy)? {
                    Verdict::Match | Verdict::MatchWeak => Begun::New,
                    Verdict::NoMatch => Begun::GoesOn,
                }
            }
        };
        Ok(Told::Begun { state })
    }

    fn begin_dry(&self, name: &UserName, is_begun: Option<bool>, newcomer: &Newcomer) -> Obeyed {
        match is_begun {
            Some(true) => Ok(Told::Begun { state: Begun::GoesOn }),
            Some(false) => Err(taken_name()),
            None => {
                let nobody = User::absent(name.clone());
                import::begin(&nobody, newcomer, "", self.now()).map_err(super::write::refusal)?;
                Ok(Told::Begun { state: Begun::New })
            }
        }
    }

    /// Writes one line of it, or only looks what it would be.
    fn take_in(
        &self,
        permit: &mut Permit,
        (name, file, is_dry): Of<'_>,
        plan: &dyn Fn(&User, Wall) -> (Plan, Taken),
    ) -> Obeyed {
        let now = self.now();
        let told = Cell::new(Taken::default());
        let plan = |user: &User| -> Result<Plan, ActionError> {
            let (entries, counts) = plan(user, now);
            told.set(counts);
            Ok(entries)
        };
        if is_dry {
            let nobody = User::absent(name.clone());
            let planned = self
                .look(name, |user| (user.status == Status::Active).then(|| plan(user).map(drop)));
            planned
                .flatten()
                .unwrap_or_else(|| plan(&nobody).map(drop))
                .map_err(super::write::refusal)?;
            return Ok(taken(told.get()));
        }
        self.change(permit, &OneAct { user: name, request: None }, &|user| {
            import::check_under_way(user, file)?;
            plan(user)
        })?;
        Ok(taken(told.get()))
    }

    /// Posts that can be written as one line, without answers to what is not here.
    fn checked(&self, name: &UserName, posts: &[ExportPost]) -> Result<Vec<Checked>, Unmet> {
        too_many(posts.len(), IMPORT_POSTS)?;
        let now = self.now();
        let mut found = Vec::with_capacity(posts.len());
        let mut bytes = 0;
        for post in posts {
            let id = post.id;
            let old = OldPost::from(post.clone());
            let post = old.check(now).map_err(|flaw| Unmet::Words(format!("post {id}: {flaw}")))?;
            bytes += post.bytes();
            found.push(post);
        }
        // A line has a head and a checksum besides.
        if bytes + 4096 > LINE_BYTES_MAX {
            return Err(Unmet::Words(format!("{bytes} bytes of posts are too much at once")));
        }
        let index = self.cluster.local.index();
        let is_here = |post: &PostRef| post.user == *name || index.contains(post);
        let loosen = |post: Checked| match post.reply_to() {
            Some(parent) if !is_here(parent) => post.loosened(),
            _ => post,
        };
        Ok(found.into_iter().map(loosen).collect())
    }

    /// Those who are members here and not blocked, either way, where they are to be followed.
    fn members_among(
        &self,
        name: &UserName,
        tie: Tie,
        names: &[UserName],
    ) -> Result<Vec<UserName>, Unmet> {
        too_many(names.len(), IMPORT_MARKS)?;
        let index = self.cluster.local.index();
        let is_here = |whom: &&UserName| match tie {
            Tie::Follow => index.is_member(whom) && !index.blocks(whom, name),
            Tie::Mute | Tie::Block => index.is_active(whom),
        };
        Ok(names.iter().filter(is_here).cloned().collect())
    }

    /// Those posts that stand here; of their own ones that is certain under the lock alone.
    fn posts_among(
        &self,
        (name, _, _): Of<'_>,
        marks: &[ExportMark],
    ) -> Result<Vec<(PostRef, Wall)>, Unmet> {
        too_many(marks.len(), IMPORT_MARKS)?;
        let now = self.now();
        if marks.iter().any(|mark| mark.at.is_some_and(|at| is_ahead(at, now))) {
            return Err(Unmet::Words("a mark is from the future".to_owned()));
        }
        let index = self.cluster.local.index();
        let is_here = |mark: &&ExportMark| {
            mark.post.user == *name
                || (index.contains(&mark.post)
                    && !index.blocks(name, &mark.post.user)
                    && !index.blocks(&mark.post.user, name)
                    && index.is_for(index.eyes(Some(name), now), &mark.post))
        };
        let here = marks.iter().filter(is_here);
        Ok(here.map(|mark| (mark.post.clone(), mark.at.unwrap_or(now))).collect())
    }
}

fn taken_name() -> Unmet {
    super::write::invalid(Field::Username, crate::action::Problem::Taken).into()
}

fn too_many(len: usize, max: usize) -> Result<(), Unmet> {
    if len <= max { Ok(()) } else { Err(Unmet::Words(format!("{len} at once, {max} are allowed"))) }
}

fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

fn more_left_out(told: Told, left_out: u32) -> Told {
    match told {
        Told::Taken(taken) => {
            Told::Taken(Taken { left_out: taken.left_out.saturating_add(left_out), ..taken })
        }
        other => other,
    }
}
