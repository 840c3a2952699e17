//! The protocol as it is breaks nothing. Each configuration here must also have seen what it is for:
//! else it has shown nothing. `make model` goes through larger ones.

use crate::config::{Config, May, Turn, seat};
use crate::history::Ask;
use crate::model::Seen;
use crate::run::{long_steps, sound};

/// Two clients at two machines, one of which asks again when it was outpaced.
#[test]
fn two_writers_agree() {
    let acts = [(Ask::Append(0), 0, 2), (Ask::Append(1), 1, 1)];
    let seen = [Seen::AllAnswered, Seen::Outpaced, Seen::Delta, Seen::Full];
    sound(&Config::new("two writers, one asks again", &acts).may(|may| may.locks = 3), &seen);
}

#[test]
fn second_write_needs_no_lock() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Append(1), 0, 1), (Ask::Append(2), 1, 1)];
    let config = Config::new("two writes in one term, and another", &acts).turn(Turn::Begun);
    sound(&config.may(|may| may.locks = 3), &[Seen::AllAnswered, Seen::Sticky]);
}

#[test]
fn r0001_read_shows_what_settling_found() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Read, 1, 1)];
    let config = Config::new("a writer and a reader", &acts).may(|may| may.unlocks = 2);
    sound(&config, &[Seen::AllAnswered, Seen::Read, Seen::Unsettled, Seen::Learned]);
}

#[test]
fn start_forgets_nothing_that_counts() {
    let acts = [(Ask::Append(0), 0, 2), (Ask::Append(1), 1, 1)];
    let config = Config::new("asked again after a crash", &acts).turn(Turn::Begun).frail(&[0]);
    let config = config.may(|may| {
        may.crashes = 1;
        may.locks = 3;
    });
    sound(&config, &[Seen::AllAnswered, Seen::Crashed]);
}

#[test]
fn comparison_finds_what_is_committed() {
    let acts = [(Ask::Append(0), 0, 1)];
    let config = Config::new("a comparison of one write", &acts).frail(&[2]).may(|may| {
        may.compares = 1;
        may.unlocks = 1;
        may.fetches = 1;
        may.locks = 1;
    });
    sound(&config, &[Seen::AllAnswered, Seen::Agreed, Seen::Learned]);
}

#[test]
fn lost_file_is_rebuilt() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Append(1), 0, 1)];
    let config = Config::new("a lost file, rebuilt, and a crash", &acts).turn(Turn::Answered);
    let config = config.frail(&[2]).may(|may| {
        may.losses = 1;
        may.repairs = 1;
        may.crashes = 1;
        may.locks = 3;
    });
    sound(&config, &[Seen::AllAnswered, Seen::Repaired, Seen::Crashed]);
}

#[test]
fn members_change() {
    let acts = [(Ask::Append(0), 1, 1), (Ask::Append(1), 1, 1)];
    let config = Config::new("a machine replaced, all may start anew", &acts);
    let config = config.turn(Turn::Answered).frail(&[0, 3]).may(|may| {
        may.crashes = 1;
        may.locks = 2;
    });
    let config = config.change(2, &[seat(1, 1), seat(2, 1), seat(3, 2)]);
    sound(&config, &[Seen::AllAnswered, Seen::Opened, Seen::Crashed]);
}

/// Two lists of members that follow the same one: at most one of them takes effect.
#[test]
fn changes_compete() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Append(1), 0, 1)];
    let config = Config::new("two changes compete", &acts).turn(Turn::Answered);
    let config = config.may(|may| may.locks = 2).change(2, &[seat(1, 1), seat(4, 1)]);
    let config = config.change(3, &[seat(1, 1), seat(5, 1)]);
    sound(&config, &[Seen::AllAnswered, Seen::Opened]);
}

#[test]
fn one_machine_becomes_three() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Append(1), 1, 1)];
    let mut config = Config::new("one machine becomes three", &acts).turn(Turn::Answered);
    config.members = crate::config::roster(1, &[seat(1, 1)]);
    let config = config.frail(&[0, 1]).may(|may| {
        may.crashes = 1;
        may.locks = 2;
    });
    let config = config.change(2, &[seat(1, 1), seat(2, 1), seat(3, 1)]);
    sound(&config, &[Seen::AllAnswered, Seen::Opened, Seen::Crashed]);
}

/// Larger ones, as far as the number of steps given allows.
#[test]
fn long_set() {
    if long_steps().is_none() {
        return;
    }
    let write = |act, home| (Ask::Append(act), home, 2);
    let all = |may: &mut May| {
        may.locks = 4;
        may.unlocks = 2;
        may.fetches = 1;
    };
    let config = |name, acts: &[(Ask, usize, u8)]| Config::new(name, acts).may(all);
    sound(&config("three coordinators", &[write(0, 0), write(1, 1), write(2, 2)]), &[]);
    let two = [write(0, 0), write(1, 1), (Ask::Read, 2, 2)];
    sound(&config("two writers and a reader, all", &two), &[]);
    sound(&config("the same, two crashes", &two).may(|may| may.crashes = 2), &[]);
    sound(&config("the same, time-outs", &two).may(|may| may.timeouts = 2), &[]);
    sound(&config("the same, silences", &two).may(|may| may.silences = 2), &[]);
    let sick = |may: &mut May| {
        may.losses = 1;
        may.repairs = 2;
        may.crashes = 1;
    };
    sound(&config("the same, a lost file", &two).may(sick), &[]);
    sound(&config("the same, a wiped machine", &two).may(|may| may.wipes = 1), &[]);
    sound(&config("the same, comparisons", &two).may(|may| may.compares = 2), &[]);
    let ended = [write(0, 0), (Ask::End(1), 1, 2), write(2, 2), (Ask::Read, 0, 1)];
    sound(&config("an ended account, all", &ended), &[]);
    let replaced = config("a change, everything", &two).may(|may| may.crashes = 1);
    let replaced = replaced.change(2, &[seat(1, 1), seat(2, 1), seat(3, 2)]);
    sound(&replaced.change(3, &[seat(1, 1), seat(2, 2), seat(3, 1)]), &[]);
}
