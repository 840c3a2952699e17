//! The figures as they are printed: what, how much, beside what, the ratio and its budget.

use std::io::{self, Write};

/// A rate beside another.
pub(crate) struct Row {
    pub(crate) what: String,
    /// Ours, a second.
    pub(crate) ours: f64,
    pub(crate) beside: String,
    /// Theirs, a second.
    pub(crate) theirs: f64,
    /// The least ratio, where there is one.
    pub(crate) budget: Option<f64>,
    /// The least rate, where there is one.
    pub(crate) least: Option<f64>,
}

/// Something that is better the smaller it is, perhaps beside another.
pub(crate) struct Worst {
    /// What, and in which unit.
    pub(crate) what: String,
    pub(crate) ours: f64,
    /// What it is compared with, and its value.
    pub(crate) beside: Option<(String, f64)>,
    pub(crate) most: Most,
}

/// The budget of such a figure.
#[derive(Clone, Copy)]
pub(crate) enum Most {
    /// At most so much.
    Value(f64),
    /// At most so many times what it is compared with.
    Times(f64),
    /// For information.
    Any,
}

/// All figures of a run.
#[derive(Default)]
pub(crate) struct Table {
    ratios: Vec<Row>,
    worst: Vec<Worst>,
    notes: Vec<String>,
    memory: Vec<(String, f64, Option<f64>)>,
}

impl Table {
    pub(crate) fn ratio(&mut self, row: Row) {
        self.ratios.push(row);
    }

    pub(crate) fn worst(&mut self, row: Worst) {
        self.worst.push(row);
    }

    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Megabytes of each process at some time, and the most that each may have.
    pub(crate) fn memory(&mut self, when: &str, processes: &[(String, f64)], most: Option<f64>) {
        for (who, megabytes) in processes {
            self.memory.push((format!("{who}, {when}"), *megabytes, most));
        }
    }

    pub(crate) fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        self.print_ratios(out)?;
        self.print_worst(out)?;
        if !self.memory.is_empty() {
            writeln!(out, "\n{:<72} {:>9} {:>9}", "resident memory, MB", "ours", "budget")?;
        }
        for (what, megabytes, most) in &self.memory {
            let budget = most.map(|most| format!("{most:.0}")).unwrap_or_default();
            let verdict = most.map(|most| verdict(*megabytes <= most)).unwrap_or_default();
            writeln!(out, "{what:<72} {megabytes:>9.1} {budget:>9} {verdict}")?;
        }
        self.notes.iter().try_for_each(|note| writeln!(out, "\n{note}"))
    }

    fn print_ratios(&self, out: &mut dyn Write) -> io::Result<()> {
        if !self.ratios.is_empty() {
            let (what, ours) = ("a second", "ours");
            writeln!(out, "{what:<72} {ours:>9} {:>9} {:>7} {:>8}", "beside", "ratio", "budget")?;
        }
        for row in &self.ratios {
            let ratio = row.ours / row.theirs.max(f64::MIN_POSITIVE);
            let is_kept =
                |budget| ratio >= budget && row.least.is_none_or(|least| row.ours >= least);
            let verdict = row.budget.map(|budget| verdict(is_kept(budget))).unwrap_or_default();
            let budget = row.budget.map(|budget| format!("{budget:.2}")).unwrap_or_default();
            let least =
                row.least.map(|least| format!(" and {least:.0} a second")).unwrap_or_default();
            let (what, ours, theirs) = (&row.what, row.ours, row.theirs);
            writeln!(
                out,
                "{what:<72} {ours:>9.0} {theirs:>9.0} {ratio:>7.2} {budget:>8}{least} {verdict}"
            )?;
            writeln!(out, "  beside: {}", row.beside)?;
        }
        Ok(())
    }

    fn print_worst(&self, out: &mut dyn Write) -> io::Result<()> {
        if !self.worst.is_empty() {
            let (what, ours) = ("less is better", "ours");
            writeln!(out, "\n{what:<72} {ours:>9} {:>9} {:>7} {:>8}", "beside", "ratio", "budget")?;
        }
        for Worst { what, ours, beside, most } in &self.worst {
            let theirs = beside.as_ref().map(|(_, theirs)| *theirs);
            let ratio = theirs.map(|theirs| ours / theirs.max(f64::MIN_POSITIVE));
            let (budget, verdict) = match *most {
                Most::Value(most) => (format!("{most:.0}"), verdict(*ours <= most)),
                Most::Times(most) => {
                    (format!("{most:.2}"), verdict(ratio.is_some_and(|ratio| ratio <= most)))
                }
                Most::Any => (String::new(), ""),
            };
            let theirs = theirs.map(|theirs| format!("{theirs:.1}")).unwrap_or_default();
            let ratio = ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
            writeln!(out, "{what:<72} {ours:>9.1} {theirs:>9} {ratio:>7} {budget:>8} {verdict}")?;
            if let Some((with, _)) = beside {
                writeln!(out, "  beside: {with}")?;
            }
        }
        Ok(())
    }
}

fn verdict(is_kept: bool) -> &'static str {
    if is_kept { "kept" } else { "MISSED" }
}
