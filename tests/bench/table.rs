//! The figures of a run: what, how much, beside what, the ratio and whether the budget is kept.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};

use crate::document::{Limit, find};
use crate::growth::{Growth, picture};

/// One figure.
pub(crate) struct Figure {
    /// The budget that it is about, by its name.
    pub(crate) budget: &'static str,
    /// What, and in which unit.
    pub(crate) what: String,
    pub(crate) is: f64,
    /// What it is compared with.
    pub(crate) beside: Option<Beside>,
}

/// What a figure is compared with.
#[derive(Clone)]
pub(crate) struct Beside {
    pub(crate) what: String,
    pub(crate) is: f64,
    /// The ratio, if it is not that of the two figures.
    pub(crate) ratio: Option<f64>,
}

/// All figures of a run.
#[derive(Default)]
pub(crate) struct Table {
    /// What is being measured.
    section: &'static str,
    /// The sections, and how the machine was when each ended.
    runs: Vec<(&'static str, String)>,
    figures: Vec<(&'static str, Figure)>,
    growth: Vec<(&'static str, Growth)>,
    /// What takes most instructions, as in the document.
    top: Vec<Value>,
    notes: Vec<String>,
}

impl Table {
    /// What follows belongs to this section.
    pub(crate) fn begin(&mut self, section: &'static str) {
        self.section = section;
    }

    /// It was measured whole.
    pub(crate) fn end(&mut self) {
        self.runs.push((self.section, machine()));
    }

    pub(crate) fn figure(&mut self, figure: Figure) {
        self.figures.push((self.section, figure));
    }

    pub(crate) fn growth(&mut self, growth: Growth) {
        self.growth.push((self.section, growth));
    }

    pub(crate) fn top(&mut self, what: &str, thousands: f64, functions: Vec<Value>) {
        self.top.push(json!({ "what": what, "thousands": thousands, "functions": functions }));
    }

    pub(crate) fn note(&mut self, note: String) {
        self.notes.push(note);
    }

    /// Megabytes of each process at some time.
    pub(crate) fn memory(&mut self, budget: &'static str, when: &str, all: &[(String, f64)]) {
        for (who, megabytes) in all {
            let what = format!("{who}, {when}, MB");
            self.figure(Figure { budget, what, is: *megabytes, beside: None });
        }
    }

    /// The budgets that were missed.
    pub(crate) fn missed(&self) -> Vec<&str> {
        let figures = self.figures.iter().filter(|(_, one)| one.is_kept() == Some(false));
        let growth = self.growth.iter().filter(|(_, one)| !one.keeps());
        let figures = figures.map(|(_, one)| one.what.as_str());
        figures.chain(growth.map(|(_, one)| one.what.as_str())).collect()
    }

    pub(crate) fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        writeln!(out, "\n{}", machine())?;
        writeln!(out, "\n{:<76} {:>9} {:>9} {:>6}  budget", "what", "measured", "beside", "ratio")?;
        for (_, figure) in &self.figures {
            let (what, is) = (&figure.what, figure.is);
            let (beside, ratio) = (figure.beside.as_ref(), figure.ratio());
            let theirs = beside.map(|beside| format!("{:.1}", beside.is)).unwrap_or_default();
            let ratio = ratio.map(|ratio| format!("{ratio:.2}")).unwrap_or_default();
            let (limit, verdict) = (figure.limit().words(), verdict(figure.is_kept()));
            writeln!(out, "{what:<76} {is:>9.1} {theirs:>9} {ratio:>6}  {limit} {verdict}")?;
            if let Some(beside) = beside {
                writeln!(out, "  beside: {}", beside.what)?;
            }
        }
        for (_, one) in &self.growth {
            let points = one.points.iter().map(|(n, value)| format!("{n}: {value:.1}"));
            let points: Vec<String> = points.collect();
            let (limit, verdict) = (one.limit().words(), verdict(Some(one.keeps())));
            writeln!(
                out,
                "{:<48} by {}: {}  {limit} {verdict}",
                one.what,
                one.of,
                points.join("  ")
            )?;
        }
        self.notes.iter().try_for_each(|note| writeln!(out, "\n{note}"))
    }

    /// All figures, each with its section.
    pub(crate) fn json(&self) -> Value {
        let with = |section: &str, mut value: Value| {
            value["section"] = json!(section);
            value
        };
        let figures = self.figures.iter().map(|(section, one)| with(section, one.json()));
        let growth = self.growth.iter().map(|(section, one)| with(section, one.json()));
        let top = self.top.iter().map(|one| with("instructions", one.clone()));
        let runs = self.runs.iter();
        let runs = runs.map(|(section, machine)| json!({ "section": section, "machine": machine }));
        json!({
            "runs": runs.collect::<Vec<_>>(),
            "figures": figures.collect::<Vec<_>>(),
            "growth": growth.collect::<Vec<_>>(),
            "top": top.collect::<Vec<_>>(),
        })
    }

    /// Puts all figures and the picture of growth into files of this folder.
    pub(crate) fn leave(&self, folder: &Path) -> io::Result<()> {
        let mut all = self.json();
        all["notes"] = json!(self.notes);
        std::fs::write(folder.join("bench.json"), format!("{all:#}\n"))?;
        if !self.growth.is_empty() {
            let grown: Vec<&Growth> = self.growth.iter().map(|(_, one)| one).collect();
            std::fs::write(folder.join("bench.svg"), picture(&grown))?;
        }
        Ok(())
    }

    /// Those that were kept before, with the sections of this run in the place of their like.
    pub(crate) fn among(&self, mut kept: Value) -> Value {
        let new = self.json();
        let is_anew = |one: &Value| self.runs.iter().any(|(name, _)| one["section"] == *name);
        for list in ["runs", "figures", "growth", "top"] {
            let old = kept[list].as_array().into_iter().flatten();
            let mut all: Vec<Value> = old.filter(|one| !is_anew(one)).cloned().collect();
            let new = new[list].as_array().into_iter().flatten();
            all.extend(new.filter(|one| is_anew(one)).cloned());
            kept[list] = Value::Array(all);
        }
        kept
    }
}

impl Beside {
    /// The ratio is that of the two figures.
    pub(crate) fn new(what: impl Into<String>, is: f64) -> Self {
        Self { what: what.into(), is, ratio: None }
    }
}

impl Figure {
    fn limit(&self) -> Limit {
        find(self.budget).map_or(Limit::Any, |budget| budget.limit)
    }

    fn ratio(&self) -> Option<f64> {
        let of = self.beside.as_ref()?;
        Some(of.ratio.unwrap_or_else(|| self.is / of.is.max(f64::MIN_POSITIVE)))
    }

    /// Whether its budget is kept, if it has one.
    fn is_kept(&self) -> Option<bool> {
        let is_ratio = |holds: &dyn Fn(f64) -> bool| self.ratio().is_some_and(holds);
        match self.limit() {
            Limit::Least { times, itself } => {
                Some(is_ratio(&|ratio| ratio >= times) && self.is >= itself)
            }
            Limit::Most(most) => Some(self.is <= most),
            Limit::Times(most) => Some(is_ratio(&|ratio| ratio <= most)),
            // The first has nothing beside it.
            Limit::Near(part) => self.ratio().map(|ratio| (ratio - 1.0).abs() <= part),
            Limit::Any | Limit::NLogN | Limit::Grown(_) => None,
        }
    }

    fn json(&self) -> Value {
        let (beside, theirs) = self.beside.as_ref().map(|of| (&of.what, of.is)).unzip();
        json!({
            "budget": self.budget, "what": self.what, "is": self.is, "beside": beside,
            "beside is": theirs, "ratio": self.ratio(), "limit": self.limit().words(),
            "kept": self.is_kept(),
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
        system.split('-').next().unwrap_or_default().trim(),
        std::env::consts::ARCH,
        load.split(' ').next().unwrap_or_default()
    )
}

fn verdict(is_kept: Option<bool>) -> &'static str {
    match is_kept {
        Some(true) => "kept",
        Some(false) => "MISSED",
        None => "",
    }
}
