//! Muting and blocking others, and no longer.

use super::handle::{ActionError, Plan};
use super::{Field, Problem};
use crate::clock::Wall;
use crate::id::UserName;
use crate::limits::{APART_MAX, REMOVED_FOLLOWERS_MAX};
use crate::user::entry::Entry;
use crate::user::{User, is_ahead};

/// From now on until then, or for good, whatever was said before. One that is over makes room where there
/// is none.
pub(super) fn mute(
    user: &User,
    whom: &UserName,
    until: Option<Wall>,
    now: Wall,
) -> Result<Plan, ActionError> {
    let muted = Entry::Muted { at: now, user: whom.clone(), until };
    let unmuted = |name: &UserName| Entry::Unmuted { at: now, user: name.clone() };
    let entries = match user.mutes.get(whom) {
        _ if *whom == user.name => {
            return Err(ActionError::field(Field::Username, Problem::Wrong));
        }
        Some(last) if *last == until => Vec::new(),
        Some(_) => vec![unmuted(whom), muted],
        None if user.mutes.len() < APART_MAX => vec![muted],
        None => {
            let mut over = user.mutes.iter().filter(|(_, until)| !is_ahead(**until, now));
            let (name, _) = over.next().ok_or_else(|| full(APART_MAX))?;
            vec![unmuted(name), muted]
        }
    };
    Ok(if entries.is_empty() { Plan::default() } else { Plan::of(entries) })
}

pub(super) fn unmute(user: &User, whom: &UserName, now: Wall) -> Plan {
    if user.mutes.contains_key(whom) {
        Plan::of(vec![Entry::Unmuted { at: now, user: whom.clone() }])
    } else {
        Plan::default()
    }
}

/// Following them ends with it; that they follow back counts for nothing while it lasts.
pub(super) fn block(user: &User, whom: &UserName, now: Wall) -> Result<Plan, ActionError> {
    if *whom == user.name {
        return Err(ActionError::field(Field::Username, Problem::Wrong));
    }
    if user.blocks.contains(whom) {
        return Ok(Plan::default());
    }
    if user.blocks.len() >= APART_MAX {
        return Err(full(APART_MAX));
    }
    let mut entries = vec![Entry::Blocked { at: now, user: whom.clone() }];
    if user.follows.contains_key(whom) {
        entries.push(Entry::Unfollowed { at: now, user: whom.clone() });
    }
    Ok(Plan::of(entries))
}

/// That they followed, since `follows_since`, does not come back with it.
pub(super) fn unblock(
    user: &User,
    whom: &UserName,
    follows_since: Option<Wall>,
    now: Wall,
) -> Result<Plan, ActionError> {
    if !user.blocks.contains(whom) {
        return Ok(Plan::default());
    }
    let mut plan = remove_follower(user, whom, follows_since, now)?;
    plan.entries.push(Entry::Unblocked { at: now, user: whom.clone() });
    Ok(plan)
}

/// Ends that they follow, since `follows_since`: their file says so still, and it counts for nothing.
pub(super) fn remove_follower(
    user: &User,
    whom: &UserName,
    follows_since: Option<Wall>,
    now: Wall,
) -> Result<Plan, ActionError> {
    let Some(since) = follows_since else { return Ok(Plan::default()) };
    let removed = &user.aside().removed_followers;
    let last = removed.get(whom).copied();
    if last.is_none() && removed.len() >= REMOVED_FOLLOWERS_MAX {
        return Err(full(REMOVED_FOLLOWERS_MAX));
    }
    // The clock of the machine where they followed may be ahead of this one's.
    let at = now.max(since).max(last.unwrap_or_default());
    Ok(Plan::of(vec![Entry::FollowerRemoved { at, user: whom.clone() }]))
}

fn full(max: usize) -> ActionError {
    let max = u32::try_from(max).unwrap_or(u32::MAX);
    ActionError::field(Field::Username, Problem::Full { max })
}

#[cfg(test)]
mod tests {
    use super::super::{Change, Who, follow, handle};
    use super::*;
    use crate::user::Place;
    use crate::user::entry::SessionId;

    fn name(text: &str) -> UserName {
        text.parse().unwrap()
    }

    fn write(user: &mut User, plan: Plan) -> Vec<Entry> {
        for entry in &plan.entries {
            user.apply(entry, Place::default());
        }
        plan.entries
    }

    #[test]
    fn r0083_follower_is_removed_for_good_by_whatever_clock() {
        let mut ada = User::absent(name("ada"));
        let ben = || name("ben");
        let removed = |at| Entry::FollowerRemoved { at: Wall(at), user: ben() };
        // Nobody follows: nothing is to be written.
        assert!(remove_follower(&ada, &ben(), None, Wall(9)).unwrap().entries.is_empty());
        assert!(unblock(&ada, &ben(), Some(Wall(3)), Wall(9)).unwrap().entries.is_empty());
        let mut remove = |since, now| {
            let plan = remove_follower(&ada, &ben(), Some(Wall(since)), Wall(now)).unwrap();
            write(&mut ada, plan)
        };
        assert_eq!(remove(3, 9), [removed(9)]);
        // They followed by a clock that is ahead; then this one's goes back.
        assert_eq!(remove(12, 10), [removed(12)]);
        assert_eq!(remove(4, 5), [removed(12)]);
        let plan = block(&ada, &ben(), Wall(20)).unwrap();
        write(&mut ada, plan);
        let plan = unblock(&ada, &ben(), Some(Wall(25)), Wall(21)).unwrap();
        let unblocked = Entry::Unblocked { at: Wall(21), user: ben() };
        assert_eq!(write(&mut ada, plan), [removed(25), unblocked]);
    }

    #[test]
    fn r0083_follow_anew_is_a_line_that_counts() {
        let mut ben = User::absent(name("ben"));
        let ada = || name("ada");
        let mut follow = |removed_at: Option<u64>, now| {
            let plan = follow::follow(&ben, &ada(), removed_at.map(Wall), Wall(now)).unwrap();
            write(&mut ben, plan)
        };
        let followed = |at| Entry::Followed { at: Wall(at), user: ada() };
        let unfollowed = |at| Entry::Unfollowed { at: Wall(at), user: ada() };
        assert_eq!(follow(None, 5), [followed(5)]);
        assert_eq!(follow(None, 6), []);
        assert_eq!(follow(Some(4), 6), []);
        assert_eq!(follow(Some(5), 9), [unfollowed(9), followed(9)]);
        // Removed by a clock that is ahead.
        assert_eq!(follow(Some(12), 10), [unfollowed(13), followed(13)]);
        assert_eq!(follow(Some(12), 11), []);
        assert_eq!(ben.follows[&ada()], Wall(13));
        let mut stranger = User::absent(name("cleo"));
        let plan = follow::follow(&stranger, &ada(), Some(Wall(12)), Wall(10)).unwrap();
        assert_eq!(write(&mut stranger, plan), [followed(13)]);
    }

    #[test]
    fn followers_removed_are_limited_and_none_is_forgotten() {
        let mut ada = User::absent(name("ada"));
        for number in 0..REMOVED_FOLLOWERS_MAX {
            let user = name(&format!("u{number}"));
            ada.apply(&Entry::FollowerRemoved { at: Wall(1), user }, Place::default());
        }
        ada.blocks.insert(name("ben"));
        let full = Err(full(REMOVED_FOLLOWERS_MAX));
        let since = Some(Wall(2));
        assert_eq!(remove_follower(&ada, &name("ben"), since, Wall(9)), full);
        assert_eq!(unblock(&ada, &name("ben"), since, Wall(9)), full);
        assert!(unblock(&ada, &name("ben"), None, Wall(9)).unwrap().changes_file());
        assert!(remove_follower(&ada, &name("u7"), since, Wall(9)).unwrap().changes_file());
    }

    #[test]
    fn r0087_mute_for_a_while_is_said_anew_and_makes_room_once_it_is_over() {
        let mut ada = User::absent(name("ada"));
        let mut mute = |whom: &str, until: Option<u64>, now| {
            let plan = mute(&ada, &name(whom), until.map(Wall), Wall(now));
            plan.map(|plan| write(&mut ada, plan))
        };
        let muted = |until: Option<u64>, at| {
            let (user, until) = (name("ben"), until.map(Wall));
            Entry::Muted { at: Wall(at), user, until }
        };
        let unmuted = |whom, at| Entry::Unmuted { at: Wall(at), user: name(whom) };
        assert_eq!(mute("ben", Some(9), 5).unwrap(), [muted(Some(9), 5)]);
        assert_eq!(mute("ben", Some(9), 6).unwrap(), []);
        // Longer, also when it is over; then for good, and for a while again.
        for (until, now) in [(Some(12), 7), (Some(30), 20), (None, 21), (Some(40), 22)] {
            let expected = [unmuted("ben", now), muted(until, now)];
            assert_eq!(mute("ben", until, now).unwrap(), expected);
        }
        for number in 1..APART_MAX {
            mute(&format!("u{number}"), None, 23).unwrap();
        }
        assert_eq!(mute("cleo", None, 39), Err(full(APART_MAX)));
        assert_eq!(mute("cleo", None, 40).unwrap()[0], unmuted("ben", 40));
        assert!(ada.mutes.len() == APART_MAX && !ada.mutes.contains_key(&name("ben")));
    }

    #[test]
    fn removing_a_follower_takes_an_open_session() {
        let change = Change::RemoveFollower { user: name("ben"), follows_since: Some(Wall(1)) };
        let who = Who { session: Some(SessionId("s0".to_owned())) };
        let ada = User::absent(name("ada"));
        assert_eq!(handle(&ada, &who, &change, Wall(2)), Err(ActionError::SignedOut));
    }
}
