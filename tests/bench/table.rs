//! The figures as they are printed: what, how much, beside what, the ratio and its budget.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use crate::growth::{Growth, picture};

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
    grown: Vec<Growth>,
}

impl Table {
    pub(crate) fn ratio(&mut self, row: Row) {
        self.ratios.push(row);
    }

    pub(crate) fn worst(&mut self, row: Worst) {
        self.worst.push(row);
    }

    pub(crate) fn growth(&mut self, growth: Growth) {
        self.grown.push(growth);
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
        writeln!(out, "\n{}", machine())?;
        self.print_ratios(out)?;
        self.print_worst(out)?;
        self.print_growth(out)?;
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
            let ratio = row.ratio();
            let verdict = row.is_kept().map(verdict).unwrap_or_default();
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

    fn print_growth(&self, out: &mut dyn Write) -> io::Result<()> {
        if !self.grown.is_empty() {
            writeln!(out, "\nwith the posts in a community, no faster than n log n")?;
        }
        for one in &self.grown {
            let points = one.points.iter().map(|(n, value)| format!("{n}: {value:.1}"));
            let points: Vec<String> = points.collect();
            writeln!(out, "{:<48} {} {}", one.what, points.join("  "), verdict(one.keeps()))?;
        }
        Ok(())
    }

    /// Puts all figures and the picture of growth into files of this folder.
    pub(crate) fn keep(&self, folder: &Path) -> io::Result<()> {
        let memory = self.memory.iter().map(|(what, is, most)| {
            json!({ "what": what, "MB": is, "most": most, "kept": most.map(|most| *is <= most) })
        });
        let all = json!({
            "machine": machine(),
            "rates": self.ratios.iter().map(Row::json).collect::<Vec<_>>(),
            "less is better": self.worst.iter().map(Worst::json).collect::<Vec<_>>(),
            "resident memory": memory.collect::<Vec<_>>(),
            "growth": self.grown.iter().map(Growth::json).collect::<Vec<_>>(),
            "notes": self.notes,
        });
        std::fs::write(folder.join("bench.json"), format!("{all:#}\n"))?;
        if !self.grown.is_empty() {
            std::fs::write(folder.join("bench.svg"), picture(&self.grown))?;
        }
        Ok(())
    }

    fn print_worst(&self, out: &mut dyn Write) -> io::Result<()> {
        if !self.worst.is_empty() {
            let (what, ours) = ("less is better", "ours");
            writeln!(out, "\n{what:<72} {ours:>9} {:>9} {:>7} {:>8}", "beside", "ratio", "budget")?;
        }
        for row in &self.worst {
            let Worst { what, ours, beside, most } = row;
            let theirs = beside.as_ref().map(|(_, theirs)| *theirs);
            let ratio = row.ratio();
            let budget = match *most {
                Most::Value(most) => format!("{most:.0}"),
                Most::Times(most) => format!("{most:.2}"),
                Most::Any => String::new(),
            };
            let verdict = row.is_kept().map(verdict).unwrap_or_default();
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

impl Row {
    fn ratio(&self) -> f64 {
        self.ours / self.theirs.max(f64::MIN_POSITIVE)
    }

    /// Whether its budget is kept, if it has one.
    fn is_kept(&self) -> Option<bool> {
        let is_enough = self.least.is_none_or(|least| self.ours >= least);
        self.budget.map(|budget| self.ratio() >= budget && is_enough)
    }

    fn json(&self) -> Value {
        json!({
            "what": self.what, "a second": self.ours, "beside": self.beside,
            "beside a second": self.theirs, "ratio": self.ratio(), "budget": self.budget,
            "least": self.least, "kept": self.is_kept(),
        })
    }
}

impl Worst {
    fn ratio(&self) -> Option<f64> {
        self.beside.as_ref().map(|(_, theirs)| self.ours / theirs.max(f64::MIN_POSITIVE))
    }

    /// Whether its budget is kept, if it has one.
    fn is_kept(&self) -> Option<bool> {
        match self.most {
            Most::Value(most) => Some(self.ours <= most),
            Most::Times(most) => Some(self.ratio().is_some_and(|ratio| ratio <= most)),
            Most::Any => None,
        }
    }

    fn json(&self) -> Value {
        let (most, most_times) = match self.most {
            Most::Value(most) => (Some(most), None),
            Most::Times(most) => (None, Some(most)),
            Most::Any => (None, None),
        };
        json!({
            "what": self.what, "is": self.ours, "beside": self.beside, "ratio": self.ratio(),
            "most": most, "most times": most_times, "kept": self.is_kept(),
        })
    }
}

/// The processor, its cores, the memory and the system.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.map(|line| line.trim_matches([' ', '\t', ':']).to_owned()).unwrap_or_default()
    };
    let model = field(&read("/proc/cpuinfo"), "model name");
    let memory = field(&read("/proc/meminfo"), "MemTotal");
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let (system, load) = (read("/proc/sys/kernel/osrelease"), read("/proc/loadavg"));
    format!(
        "{model}, {cores} cores, {memory}, Linux {}, {}; load at the end {}",
        system.trim(),
        std::env::consts::ARCH,
        load.split(' ').next().unwrap_or_default()
    )
}

fn verdict(is_kept: bool) -> &'static str {
    if is_kept { "kept" } else { "MISSED" }
}
