//! What keepers are shown and do; to all others there is no such thing.

use super::Backend;
use super::view::{Asked, Done, Result};
use crate::action::{Action, After, Change, Cursor, Keep, KeepersDeed, Members, Next, Report};
use crate::auth::throttle::ActKind;
use crate::clock::Wall;
use crate::id::{PostId, UserName};
use crate::index::{Logged, Reported, Since};
use crate::limits::{LOG_PAGE, PASSED_OVER_MAX, PEOPLE_PAGE, REPORTS_PAGE, SUSPENSION_HOURS_MAX};
use crate::user::User;
use crate::user::entry::PostRef;
use crate::user::keeping::Deed;
use crate::wire::request::{
    LogPage, LogRow, MemberRow, MembersPage, Outcome, Refusal, ReportRow, ReportedPost, ReportsPage,
};

const HOUR_MS: u64 = 60 * 60 * 1000;

impl Backend {
    /// Only keepers may, and others hear of nothing.
    pub(super) fn check_keeper(&self, asked: &Asked<'_>) -> std::result::Result<(), Refusal> {
        let asker = asked.asker.ok_or(Refusal::NotFound)?;
        let is_keeper = self.look(asker.user(), User::is_keeper) == Some(true);
        if is_keeper { Ok(()) } else { Err(Refusal::NotFound) }
    }

    /// Does what a keeper does.
    pub(super) fn keep(&self, asked: Asked<'_>, data: Keep) -> Result {
        self.check_keeper(&asked)?;
        let reason = data.reason.clone();
        let closes = match &data.deed {
            KeepersDeed::Hide(post) => Some(post.clone()),
            KeepersDeed::Suspend { user, .. } => {
                data.closes.clone().filter(|post| post.user == *user)
            }
            _ => None,
        };
        let deed = match data.deed.clone() {
            KeepersDeed::Hide(post) => Deed::Hid(self.standing_post(post)?, reason),
            KeepersDeed::Show(post) => Deed::Showed(post),
            KeepersDeed::Close(post) => Deed::Closed(post),
            KeepersDeed::Reopen(post) => Deed::Reopened(post),
            KeepersDeed::Suspend { user, hours } => {
                let ms = |hours: u32| u64::from(hours.clamp(1, SUSPENSION_HOURS_MAX)) * HOUR_MS;
                let until = hours.map(|hours| Wall(self.now().0.saturating_add(ms(hours))));
                Deed::Suspended(self.account(user)?, until, reason)
            }
            KeepersDeed::Lift { user } => Deed::Lifted(user),
            KeepersDeed::Admit { user } => Deed::Admitted(self.account(user)?),
            KeepersDeed::Refuse { user } => Deed::Refused(self.account(user)?, reason),
            KeepersDeed::Undecide { user } => Deed::Undecided(user),
        };
        let password = data.password.clone();
        self.rule(asked, &Action::Keep(data), (deed, closes), &password)
    }

    /// Writes a keeper's deed, at a time above all that is known of the same thing, and that they have
    /// looked at what was reported of a post, if anything was. `password` is what they typed, needed a while
    /// after they signed in.
    pub(super) fn rule(
        &self,
        asked: Asked<'_>,
        action: &Action,
        (deed, closes): (Deed, Option<PostRef>),
        password: &str,
    ) -> Result {
        self.check_social()?;
        self.check_keeper(&asked)?;
        let asker = asked.signed_in()?;
        let verified_hash = match password {
            "" => None,
            typed => Some(self.verified_hash(asked.permit, asker.user(), typed)?),
        };
        let change = {
            let (index, now) = (self.cluster.local.index(), self.now());
            let closes = closes.filter(|post| index.is_reported(post)).map(|post| {
                let at = index.time_of(&Deed::Closed(post.clone()), now);
                (post, at)
            });
            Change::Keep { at: index.time_of(&deed, now), deed, closes, verified_hash }
        };
        self.simple(asked, action, ActKind::Other, &change)
    }

    fn standing_post(&self, post: PostRef) -> std::result::Result<PostRef, Refusal> {
        match self.look(&post.user, |user| user.post(post.id).is_some()) {
            Some(true) => Ok(post),
            Some(false) => Err(Refusal::Gone),
            None => Err(Refusal::NotFound),
        }
    }

    fn account(&self, user: UserName) -> std::result::Result<UserName, Refusal> {
        let is_active = self.cluster.local.index().is_active(&user);
        if is_active { Ok(user) } else { Err(Refusal::NotFound) }
    }

    /// Tells the keepers of a post.
    pub(super) fn report(&self, asked: Asked<'_>, data: Report) -> Result {
        self.check_social()?;
        asked.signed_in()?;
        self.check_is_for(&asked, &data.post)?;
        let post = self.standing_post(data.post.clone())?;
        let change = Change::Report { post, reason: data.reason.clone() };
        self.simple(asked, &Action::Report(data), ActKind::Post, &change)
    }

    pub(super) fn reports(&self, asked: Asked<'_>, data: Next) -> Result {
        self.check_keeper(&asked)?;
        self.wait_for_lists();
        let after = data.after.map(|it| Since {
            at: it.at,
            last: PostRef { user: it.user, id: PostId::from_raw(it.id) },
        });
        let (found, has_more) = self.cluster.local.index().reported(after.as_ref(), REPORTS_PAGE);
        let (_, asking_in) = self.cluster.local.index().waiting();
        let next = found.last().filter(|_| has_more).map(|last| Cursor {
            at: last.since,
            user: last.post.user.clone(),
            id: last.post.id.get(),
        });
        let posts = found.into_iter().map(|it| self.reported_post(it));
        Ok(Done::told(Outcome::Reports(ReportsPage {
            posts: posts.collect::<std::result::Result<_, _>>()?,
            next,
            asking_in: u32::try_from(asking_in).unwrap_or(u32::MAX),
        })))
    }

    /// A reported post as it is, whoever is kept from seeing it.
    fn reported_post(&self, it: Reported) -> std::result::Result<ReportedPost, Refusal> {
        let row = |(by, report): (UserName, crate::user::keeping::Report)| ReportRow {
            by,
            at: report.at,
            reason: report.reason,
        };
        let post = self.if_readable(self.whole_post(None, &it.post))?;
        Ok(ReportedPost { of: it.post, post, reports: it.reports.into_iter().map(row).collect() })
    }

    pub(super) fn asking_in(&self, asked: Asked<'_>, data: After) -> Result {
        self.check_keeper(&asked)?;
        let (names, has_more) =
            self.cluster.local.index().asking_in(data.after.as_ref(), PEOPLE_PAGE);
        let more_after = names.last().filter(|_| has_more).cloned();
        let members = names.iter().filter_map(|name| self.member_row(name)).collect();
        Ok(Done::told(Outcome::Members(MembersPage { members, more_after })))
    }

    /// Members whose names hold what was asked for. Looks at a limited number: then the page ends
    /// early, and the next goes on from there.
    pub(super) fn members(&self, asked: Asked<'_>, data: Members) -> Result {
        self.check_keeper(&asked)?;
        let wanted = data.named.trim().trim_start_matches('@').to_lowercase();
        let names = self.cluster.local.index().accounts(data.after.as_ref(), PASSED_OVER_MAX);
        let (mut members, mut last) = (Vec::new(), None);
        let mut more_after = names.more_after.clone();
        for name in &names.names {
            if members.len() == PEOPLE_PAGE {
                more_after = last;
                break;
            }
            last = Some(name.clone());
            let row = self.member_row(name).filter(|row| {
                name.as_str().contains(&wanted)
                    || row.person.display_name.to_lowercase().contains(&wanted)
            });
            members.extend(row);
        }
        Ok(Done::told(Outcome::Members(MembersPage { members, more_after })))
    }

    fn member_row(&self, name: &UserName) -> Option<MemberRow> {
        let person = self.person(name)?;
        let hindered = self.hindered(name);
        self.look(name, |user| MemberRow {
            person,
            joined_at: user.joined_at,
            is_keeper: user.is_keeper(),
            inviter: user.inviter.clone(),
            hindered,
        })
    }

    /// What keepers did: for keepers, and for members where they want it.
    pub(super) fn keepers_log(&self, asked: Asked<'_>, data: Next) -> Result {
        if self.check_keeper(&asked).is_err() {
            let asker = asked.asker.ok_or(Refusal::NotFound)?;
            let index = self.cluster.local.index();
            if !index.house().shows_log || !index.is_member(asker.user()) {
                return Err(Refusal::NotFound);
            }
        }
        let before = data.after.and_then(|it| {
            let nth = u32::try_from(it.id).ok()?;
            Some(Since { at: it.at, last: (it.user, nth) })
        });
        let (found, has_more) = self.cluster.local.index().log(before.as_ref(), LOG_PAGE);
        let next = found.last().filter(|_| has_more).map(|last| Cursor {
            at: last.at,
            user: last.keeper.clone(),
            id: last.nth.into(),
        });
        let acts = found.into_iter().map(log_row).collect();
        Ok(Done::told(Outcome::KeepersLog(LogPage { acts, next })))
    }
}

fn log_row(it: Logged) -> LogRow {
    let reason = it.deed.reason().to_owned();
    let (mut until, mut house) = (None, None);
    let house_before = it.house_before;
    let deed = match it.deed {
        Deed::Set(set) => {
            house = Some(set);
            None
        }
        Deed::Hid(post, _) => Some(KeepersDeed::Hide(post)),
        Deed::Showed(post) => Some(KeepersDeed::Show(post)),
        Deed::Closed(post) => Some(KeepersDeed::Close(post)),
        Deed::Reopened(post) => Some(KeepersDeed::Reopen(post)),
        Deed::Suspended(user, end, _) => {
            until = end;
            Some(KeepersDeed::Suspend { user, hours: None })
        }
        Deed::Lifted(user) => Some(KeepersDeed::Lift { user }),
        Deed::Admitted(user) => Some(KeepersDeed::Admit { user }),
        Deed::Refused(user, _) => Some(KeepersDeed::Refuse { user }),
        Deed::Undecided(user) => Some(KeepersDeed::Undecide { user }),
    };
    let Logged { at, keeper, is_newest, .. } = it;
    LogRow { at, keeper, deed, until, reason, house, house_before, is_newest }
}
