//! Teeth: each mistake that the protocol must not make is found, in a configuration in which the
//! protocol as it is breaks nothing.

use tern::replica::mistake::Mistake;

use crate::config::{Config, Turn, roster, seat};
use crate::history::Ask;
use crate::run::found;
use crate::world::Rule;

#[test]
fn timeout_is_yes() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Append(1), 1, 1)];
    let config = Config::new("silences", &acts).turn(Turn::Begun).may(|may| {
        may.silences = 2;
        may.locks = 2;
    });
    found(&config, Mistake::TimeoutIsYes, Rule::Linearizable);
}

#[test]
fn promise_lost() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Append(1), 1, 1)];
    let config =
        Config::new("a machine starts anew", &acts).turn(Turn::Begun).frail(&[2]).may(|may| {
            may.crashes = 1;
            may.locks = 2;
        });
    found(&config, Mistake::PromiseLost, Rule::Linearizable);
}

#[test]
fn wiped_votes() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Append(1), 1, 1)];
    let config =
        Config::new("a machine is wiped", &acts).turn(Turn::Begun).frail(&[2]).may(|may| {
            may.wipes = 1;
            may.locks = 2;
        });
    found(&config, Mistake::WipedVotes, Rule::Linearizable);
}

#[test]
fn term_after_unknown() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Append(1), 0, 1), (Ask::Append(2), 1, 1)];
    let config = Config::new("unknown outcome, then more", &acts).turn(Turn::Begun).may(|may| {
        may.timeouts = 1;
        may.locks = 2;
    });
    found(&config, Mistake::TermAfterUnknown, Rule::Shown);
}

#[test]
fn repeat_unconfirmed() {
    let acts = [(Ask::Append(0), 0, 2), (Ask::Append(1), 1, 1)];
    let config = Config::new("asked again", &acts).turn(Turn::Begun).may(|may| {
        may.timeouts = 1;
        may.locks = 3;
    });
    found(&config, Mistake::RepeatUnconfirmed, Rule::Linearizable);
}

#[test]
fn term_reused() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Append(1), 0, 1)];
    let mut config =
        Config::new("a full disk, then a start", &acts).turn(Turn::Begun).frail(&[0]).may(|may| {
            may.crashes = 1;
            may.locks = 2;
        });
    config.full_disk = Some(0);
    found(&config, Mistake::TermReused, Rule::OneValue);
}

#[test]
fn base_unchecked() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Append(1), 1, 1)];
    let config = Config::new("two lines", &acts).turn(Turn::Begun).may(|may| may.locks = 2);
    found(&config, Mistake::BaseUnchecked, Rule::OneValue);
}

#[test]
fn read_highest() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Append(1), 2, 1), (Ask::Read, 1, 1)];
    let config =
        Config::new("two writers and a reader", &acts).turn(Turn::Begun).may(|may| may.locks = 2);
    found(&config, Mistake::ReadHighest, Rule::Linearizable);
}

#[test]
fn accepted_shown() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Append(1), 1, 1)];
    let config =
        Config::new("two writers, looked at", &acts).turn(Turn::Begun).may(|may| may.locks = 2);
    found(&config, Mistake::AcceptedShown, Rule::Shown);
}

#[test]
fn uncommitted_learned() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Append(1), 1, 1)];
    let config = Config::new("a comparison", &acts).turn(Turn::Begun).frail(&[2]).may(|may| {
        may.compares = 1;
        may.locks = 2;
    });
    found(&config, Mistake::UncommittedLearned, Rule::Shown);
}

#[test]
fn repaired_by_reading() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Append(1), 1, 1)];
    let config =
        Config::new("a lost file, rebuilt", &acts).turn(Turn::Begun).frail(&[2]).may(|may| {
            may.losses = 1;
            may.repairs = 1;
            may.locks = 3;
        });
    found(&config, Mistake::RepairedByReading, Rule::Descent);
}

#[test]
fn damaged_votes() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Append(1), 1, 1)];
    let config = Config::new("a lost file", &acts).turn(Turn::Begun).frail(&[2]).may(|may| {
        may.losses = 1;
        may.locks = 2;
    });
    found(&config, Mistake::DamagedVotes, Rule::Linearizable);
}

#[test]
fn mark_forgotten() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Append(1), 1, 1)];
    let config =
        Config::new("a lost file, then a start", &acts).turn(Turn::Begun).frail(&[2]).may(|may| {
            may.losses = 1;
            may.crashes = 1;
            may.locks = 2;
        });
    found(&config, Mistake::MarkForgotten, Rule::Linearizable);
}

#[test]
fn tombstone_collected() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::End(1), 1, 1), (Ask::Read, 2, 1)];
    let config = Config::new("an ended account", &acts).turn(Turn::Answered).may(|may| {
        may.collects = 1;
        may.unlocks = 1;
        may.locks = 2;
    });
    found(&config, Mistake::TombstoneCollected, Rule::Linearizable);
}

#[test]
fn old_epoch_votes() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Read, 1, 1)];
    let mut config = Config::new("one machine gives way to another", &acts);
    config.members = roster(1, &[seat(1, 1)]);
    let config = config.turn(Turn::Answered).change(2, &[seat(2, 1)]);
    found(&config, Mistake::OldEpochVotes, Rule::Linearizable);
}

/// Two of three machines are replaced; the one that stays may lack what is committed.
fn two_replaced() -> Config {
    let acts = [(Ask::Append(0), 1, 1), (Ask::Append(1), 0, 1)];
    Config::new("two machines replaced", &acts)
        .turn(Turn::Answered)
        .may(|may| may.locks = 2)
        .change(2, &[seat(1, 1), seat(2, 2), seat(3, 2)])
}

#[test]
fn filled_from_one() {
    found(&two_replaced(), Mistake::FilledFromOne, Rule::Linearizable);
}

#[test]
fn listed_from_one() {
    found(&two_replaced(), Mistake::ListedFromOne, Rule::Linearizable);
}

#[test]
fn epoch_volatile() {
    let acts = [(Ask::Append(0), 1, 1), (Ask::Append(1), 0, 1)];
    let config = Config::new("a machine replaced, another starts anew", &acts)
        .turn(Turn::Begun)
        .frail(&[1])
        .may(|may| {
            may.crashes = 1;
            may.locks = 2;
        })
        .change(2, &[seat(1, 1), seat(2, 1), seat(3, 2)]);
    found(&config, Mistake::EpochVolatile, Rule::Linearizable);
}
