//! Rounds of the program in turns with rounds of what it is measured beside.

use std::io;

use crate::median;
use crate::table::{Beside, Figure};

/// What the rounds gave.
pub(crate) struct Turns {
    ours: Vec<f64>,
    /// One more: each of ours lies between two of these.
    theirs: Vec<f64>,
}

impl Turns {
    /// So many rounds of ours, each with one of theirs right before it and right behind it.
    pub(crate) fn take(
        rounds: usize,
        mut theirs: impl FnMut() -> io::Result<f64>,
        mut ours: impl FnMut() -> io::Result<f64>,
    ) -> io::Result<Self> {
        let mut turns = Self { ours: Vec::new(), theirs: vec![theirs()?] };
        for _round in 0..rounds {
            turns.ours.push(ours()?);
            turns.theirs.push(theirs()?);
        }
        Ok(turns)
    }

    /// The middle of the rounds' own ratios, each to the mean of the two beside it: what makes the machine
    /// slower for a while makes all three slower.
    fn ratio(&self) -> f64 {
        let beside = self.theirs.windows(2).map(|two| two.iter().sum::<f64>() / 2.0);
        let ratios = self.ours.iter().zip(beside).map(|(is, of)| is / of.max(f64::MIN_POSITIVE));
        median(ratios.collect())
    }

    /// What comes of it.
    pub(crate) fn figure(self, budget: &'static str, what: String, beside: String) -> Figure {
        let ratio = Some(self.ratio());
        let beside = Some(Beside { what: beside, is: median(self.theirs), ratio });
        Figure { budget, what, is: median(self.ours), beside }
    }
}
