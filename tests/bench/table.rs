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
    /// The least ratio.
    pub(crate) budget: f64,
    /// The least rate, where there is one.
    pub(crate) least: Option<f64>,
}

/// All figures of a run.
#[derive(Default)]
pub(crate) struct Table {
    ratios: Vec<Row>,
    memory: Vec<(String, f64, Option<f64>)>,
}

impl Table {
    pub(crate) fn ratio(&mut self, row: Row) {
        self.ratios.push(row);
    }

    /// Megabytes of each process at some time, and the most that each may have.
    pub(crate) fn memory(&mut self, when: &str, processes: &[(String, f64)], most: Option<f64>) {
        for (who, megabytes) in processes {
            self.memory.push((format!("{who}, {when}"), *megabytes, most));
        }
    }

    pub(crate) fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(
            out,
            "{:<56} {:>9} {:>9} {:>7} {:>8}",
            "a second", "ours", "beside", "ratio", "budget"
        )?;
        for row in &self.ratios {
            let ratio = row.ours / row.theirs.max(f64::MIN_POSITIVE);
            let verdict =
                verdict(ratio >= row.budget && row.least.is_none_or(|least| row.ours >= least));
            let least =
                row.least.map(|least| format!(" and {least:.0} a second")).unwrap_or_default();
            let (what, ours, theirs) = (&row.what, row.ours, row.theirs);
            let budget = row.budget;
            writeln!(
                out,
                "{what:<56} {ours:>9.0} {theirs:>9.0} {ratio:>7.2} {budget:>8.2}{least} {verdict}"
            )?;
            writeln!(out, "  beside: {}", row.beside)?;
        }
        writeln!(out, "\n{:<56} {:>9} {:>9}", "resident memory, MB", "ours", "budget")?;
        for (what, megabytes, most) in &self.memory {
            let budget = most.map(|most| format!("{most:.0}")).unwrap_or_default();
            let verdict = most.map(|most| verdict(*megabytes <= most)).unwrap_or_default();
            writeln!(out, "{what:<56} {megabytes:>9.1} {budget:>9} {verdict}")?;
        }
        Ok(())
    }
}

fn verdict(is_kept: bool) -> &'static str {
    if is_kept { "kept" } else { "MISSED" }
}
