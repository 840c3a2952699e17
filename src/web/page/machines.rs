//! How a machine is, in words: the same on the page and in `tern cluster status`.

use super::time::{Moment, since};
use crate::clock::Wall;
use crate::web::words::Lang;
use crate::wire::request::{ChangeKind, MachineRow, MachineState, NotVoting};

/// Milliseconds after which a time of day alone would mislead.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// How a machine looks in the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// In step.
    Good,
    /// Catching up.
    Late,
    /// Refusing votes.
    Refuses,
    /// Down.
    Down,
}

/// How a machine looks in the picture.
pub(crate) const fn look(machine: &MachineRow) -> Look {
    match (machine.state, machine.refuses) {
        (MachineState::Down, _) => Look::Down,
        (_, Some(_)) => Look::Refuses,
        (MachineState::Behind, None) => Look::Late,
        (MachineState::InStep, None) => Look::Good,
    }
}

/// A machine's name: what its keeper calls it, else its number in the reader's words.
pub(crate) fn name(t: Lang, given: &str) -> String {
    let number = given.strip_prefix("machine ");
    match number.filter(|number| number.bytes().all(|b| b.is_ascii_digit())) {
        Some(number) => t.machine_numbered(number),
        None => given.to_owned(),
    }
}

/// `Down since 13:56 UTC`: how a machine is, as seen at `now`.
pub(crate) fn state(t: Lang, machine: &MachineRow, now: Wall) -> String {
    match (machine.state, machine.refuses) {
        (MachineState::Down, _) => machine.down_since.map_or_else(
            || t.down().to_owned(),
            |since| {
                let moment = Moment::to_the_minute(t, since);
                if now.0.saturating_sub(since.0) < DAY_MS {
                    t.down_since_time(&moment.short)
                } else {
                    t.down_since(&moment.full)
                }
            },
        ),
        (_, Some(why)) => refusal(t, why, machine.damaged),
        (MachineState::Behind, None) => match machine.behind {
            Some(count) if count > 0 => t.catching_up_by(count),
            _ => t.catching_up().to_owned(),
        },
        (MachineState::InStep, None) if machine.pictures_missing > 0 => {
            t.pictures_missing(machine.pictures_missing)
        }
        (MachineState::InStep, None) => t.in_step().to_owned(),
    }
}

fn refusal(t: Lang, why: NotVoting, damaged: u32) -> String {
    t.refuses_votes(match why {
        NotVoting::Joining => t.refuses_joining(),
        NotVoting::Changing => t.refuses_changing(),
        NotVoting::NoSpace => t.refuses_no_space(),
        NotVoting::Disk => t.refuses_disk(),
        NotVoting::Unmarked => t.refuses_unmarked(),
        NotVoting::Overtaken | NotVoting::Lacking => t.refuses_behind(),
        NotVoting::Damaged => return t.refuses_damaged(damaged),
    })
}

/// The same in the picture, where there is little room.
pub(crate) fn note(t: Lang, machine: &MachineRow, now: Wall) -> String {
    match (look(machine), machine.down_since) {
        (Look::Good, _) => t.note_in_step().to_owned(),
        (Look::Late, _) => t.note_catching_up().to_owned(),
        (Look::Refuses, _) => t.note_refuses().to_owned(),
        (Look::Down, None) => t.note_down().to_owned(),
        (Look::Down, Some(at)) => match since(t, at, now) {
            None => t.note_just_down().to_owned(),
            Some(since) => t.note_down_since(&since),
        },
    }
}

/// What happened to a machine, after its name.
pub(crate) const fn change(t: Lang, what: ChangeKind) -> &'static str {
    match what {
        ChangeKind::Up => t.came_up(),
        ChangeKind::Down => t.went_down(),
        ChangeKind::CaughtUp => t.caught_up(),
        ChangeKind::DamageFound => t.found_damage(),
        ChangeKind::Repaired => t.repaired(),
        ChangeKind::VoteRefused => t.began_refusing(),
        ChangeKind::VotingAgain => t.votes_again(),
        ChangeKind::Added => t.was_added(),
        ChangeKind::Removed => t.was_removed(),
        ChangeKind::Replaced => t.was_replaced(),
        ChangeKind::GivenUp => t.was_given_up(),
        ChangeKind::Other => t.changed_otherwise(),
    }
}

/// Whether two machines talk: each says that it reaches the other. Where one cannot be asked, the
/// other's word is all there is.
pub(crate) fn talk(one: &MachineRow, other: &MachineRow) -> bool {
    let reaches = |from: &MachineRow, to: &MachineRow| from.talks_to.contains(&to.node);
    match (one.state == MachineState::Down, other.state == MachineState::Down) {
        (true, true) => false,
        (true, false) => reaches(other, one),
        (false, true) => reaches(one, other),
        (false, false) => reaches(one, other) && reaches(other, one),
    }
}

/// `apple and cedar do not reach each other`: each two that are up, and between whom the line is broken.
pub(crate) fn broken_lines(t: Lang, machines: &[MachineRow]) -> Vec<String> {
    let mut broken = Vec::new();
    for (index, one) in machines.iter().enumerate() {
        for other in machines.iter().skip(index + 1) {
            let are_up = [one, other].iter().all(|m| m.state != MachineState::Down);
            if are_up && !talk(one, other) {
                broken.push(t.reach_not(&name(t, &one.name), &name(t, &other.name)));
            }
        }
    }
    broken
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NodeId;

    fn row(number: u16, state: MachineState) -> MachineRow {
        MachineRow {
            node: NodeId::new(number).unwrap(),
            name: "apple".to_owned(),
            state,
            down_since: None,
            refuses: None,
            damaged: 0,
            behind: None,
            pictures_missing: 0,
            disk_percent: None,
            talks_to: Vec::new(),
            version: None,
        }
    }

    #[track_caller]
    fn check(machine: &MachineRow, expected: &str, short: &str) {
        let now = Wall(3 * DAY_MS);
        let (state, note) = (state(Lang::En, machine, now), note(Lang::En, machine, now));
        assert_eq!((state.as_str(), note.as_str()), (expected, short));
    }

    #[test]
    fn state_each_has_its_words() {
        use MachineState::{Behind, Down, InStep};
        check(&row(1, InStep), "In step", "in step");
        let lacking = |n| MachineRow { pictures_missing: n, ..row(1, InStep) };
        check(&lacking(1), "In step, but for 1 file of a picture", "in step");
        check(&lacking(7), "In step, but for 7 files of pictures", "in step");
        check(&row(1, Behind), "Catching up", "catching up");
        check(
            &MachineRow { behind: Some(12), ..row(1, Behind) },
            "Catching up, 12 behind",
            "catching up",
        );
        check(&row(1, Down), "Down", "down");
        let since = |ms| MachineRow { down_since: Some(Wall(ms)), ..row(1, Down) };
        check(&since(3 * DAY_MS - 360_000), "Down since 23:54 UTC", "down 6 min");
        check(&since(3 * DAY_MS), "Down since 00:00 UTC", "just down");
        check(&since(0), "Down since 1 January 1970, 00:00 UTC", "down 3 d");
        let refuses = |why, damaged| MachineRow { refuses: Some(why), damaged, ..row(1, Behind) };
        let words = [
            (NotVoting::Joining, 0, "Refuses votes: it has not met all machines yet"),
            (NotVoting::Changing, 0, "Refuses votes: the list of machines is being changed"),
            (NotVoting::NoSpace, 0, "Refuses votes: disk full"),
            (NotVoting::Disk, 0, "Refuses votes: disk cannot be written"),
            (NotVoting::Unmarked, 0, "Refuses votes: a damaged file cannot be marked"),
            (NotVoting::Damaged, 1, "Refuses votes on 1 damaged file"),
            (NotVoting::Damaged, 3, "Refuses votes on 3 damaged files"),
        ];
        for (why, damaged, expected) in words {
            check(&refuses(why, damaged), expected, "refuses votes");
        }
    }

    #[test]
    fn name_that_nobody_gave_in_the_readers_words() {
        assert_eq!(name(Lang::De, "machine 3"), "Maschine 3");
        assert_eq!(name(Lang::En, "machine 3"), "machine 3");
        for given in ["cedar", "machine room", "machine"] {
            assert_eq!(name(Lang::De, given), given);
        }
    }

    #[test]
    fn state_in_german() {
        use MachineState::{Behind, Down, InStep};
        let said = |machine: &MachineRow| {
            let now = Wall(3 * DAY_MS);
            (state(Lang::De, machine, now), note(Lang::De, machine, now))
        };
        let check = |machine, expected: &str, short: &str| {
            assert_eq!(said(&machine), (expected.to_owned(), short.to_owned()));
        };
        check(row(1, InStep), "Auf dem Stand", "auf dem Stand");
        let behind = |n| MachineRow { behind: Some(n), ..row(1, Behind) };
        check(behind(0), "Holt auf", "holt auf");
        check(behind(1), "Holt auf, 1 fehlt noch", "holt auf");
        check(behind(12), "Holt auf, 12 fehlen noch", "holt auf");
        let since = |ms| MachineRow { down_since: Some(Wall(ms)), ..row(1, Down) };
        check(since(3 * DAY_MS - 360_000), "Ausfall seit 23:54 UTC", "aus seit 6 Min.");
        check(since(0), "Ausfall seit 1. Januar 1970, 00:00 UTC", "aus seit 3 Tagen");
        let damaged =
            |n| MachineRow { refuses: Some(NotVoting::Damaged), damaged: n, ..row(1, Behind) };
        let short = "stimmt nicht ab";
        check(damaged(1), "Stimmt bei 1 beschädigten Datei nicht ab", short);
        check(damaged(2), "Stimmt bei 2 beschädigten Dateien nicht ab", short);
    }

    #[test]
    fn talk_asks_both_where_both_can_be_asked() {
        use MachineState::{Down, InStep};
        let reaching = |number, state, other| MachineRow {
            talks_to: vec![NodeId::new(other).unwrap()],
            ..row(number, state)
        };
        assert!(talk(&reaching(1, InStep, 2), &reaching(2, InStep, 1)));
        assert!(!talk(&reaching(1, InStep, 2), &row(2, InStep)));
        assert!(!talk(&row(1, InStep), &reaching(2, InStep, 1)));
        assert!(talk(&reaching(1, InStep, 2), &row(2, Down)));
        assert!(talk(&row(2, Down), &reaching(1, InStep, 2)));
        assert!(!talk(&row(1, InStep), &row(2, Down)));
        assert!(!talk(&reaching(1, Down, 2), &reaching(2, Down, 1)));
    }
}
