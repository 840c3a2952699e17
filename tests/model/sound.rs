//! The protocol as it is.

use crate::config::Config;
use crate::history::Ask;
use crate::model::Seen;
use crate::run::sound;

#[test]
fn two_once() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Append(1), 1, 1)];
    sound(&Config::new("two writers", &acts), &[Seen::AllAnswered]);
}

#[test]
fn two_again() {
    let acts = [(Ask::Append(0), 0, 2), (Ask::Append(1), 1, 1)];
    sound(&Config::new("two writers, again", &acts), &[Seen::AllAnswered]);
}

#[test]
fn sticky() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Append(1), 0, 1)];
    sound(&Config::new("sticky", &acts), &[Seen::AllAnswered, Seen::Sticky]);
}

#[test]
fn three_once() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Append(1), 0, 1), (Ask::Append(2), 1, 1)];
    sound(
        &Config::new("sticky and another", &acts).may(|may| may.locks = 3),
        &[Seen::AllAnswered, Seen::Sticky],
    );
}

#[test]
fn writer_reader() {
    let acts = [(Ask::Append(0), 0, 1), (Ask::Read, 1, 1)];
    sound(&Config::new("writer and reader", &acts), &[Seen::AllAnswered]);
}

#[test]
fn crash() {
    let acts = [(Ask::Append(0), 0, 2), (Ask::Append(1), 1, 1)];
    sound(
        &Config::new("crash", &acts).may(|may| {
            may.crashes = 1;
            may.locks = 3
        }),
        &[Seen::AllAnswered],
    );
}
