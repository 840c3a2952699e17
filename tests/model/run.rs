//! Runs a configuration and tells what came of it.

use std::collections::BTreeMap;
use std::env;

use parking_lot::RwLock;
use stateright::{Checker, HasDiscoveries, Model};
use tern::clock::Clock;
use tern::replica::mistake::{self, Mistake};

use crate::config::Config;
use crate::model::{Action, Explored, Seen};
use crate::world::{RULES, Rule};

/// Distinct states and the repetitions of them that a run of the short set comes upon, at most.
const STEPS_MAX: usize = 8_000_000;
/// The variable that gives another number, and with it the long set.
const STEPS_VARIABLE: &str = "TERN_MODEL_STATES";

/// The mistake made is the whole process's: whoever makes one runs alone.
static MADE: RwLock<()> = RwLock::new(());

/// What came of a run.
struct Outcome {
    states: usize,
    depth: usize,
    /// All that can happen has been gone through.
    is_complete: bool,
    /// Broken rules, each with a story that breaks it.
    broken: BTreeMap<&'static str, Vec<Action>>,
}

/// How many steps a run of the long set may take; none if the short set runs.
pub(crate) fn long_steps() -> Option<usize> {
    env::var(STEPS_VARIABLE).ok().map(|steps| steps.parse().unwrap())
}

/// Goes through a configuration breadth first, so that the story found is a shortest one, until one
/// of these rules is broken.
fn explore(model: Explored, rules: &[Rule]) -> Outcome {
    let steps = long_steps().unwrap_or(STEPS_MAX);
    let names = rules.iter().map(|rule| rule.name()).collect();
    let ends = HasDiscoveries::AnyOf(names);
    let checker = model.checker().finish_when(ends).target_state_count(steps).spawn_bfs().join();
    let found = checker.discoveries().into_iter();
    Outcome {
        states: checker.unique_state_count(),
        depth: checker.max_depth(),
        is_complete: checker.state_count() < steps,
        broken: found.map(|(name, path)| (name, path.into_actions())).collect(),
    }
}

fn report(config: &str, outcome: &Outcome, started: &Clock, result: &str) {
    let Outcome { states, depth, .. } = outcome;
    let ms = started.mono().0;
    println!("{config:<48} {states:>9} states {depth:>3} deep {ms:>6} ms  {result}");
}

/// Explores the protocol as it is: no rule is broken, and all of `seen` has happened.
pub(crate) fn sound(config: &Config, seen: &[Seen]) {
    let _others_may_too = MADE.read();
    let model = Explored::new(config.clone());
    let witness = model.witness.clone();
    let started = Clock::system();
    let outcome = explore(model, &RULES);
    let result = if outcome.is_complete { "sound, all of it" } else { "sound so far" };
    let result = if outcome.broken.is_empty() { result } else { "BROKEN" };
    report(config.name, &outcome, &started, result);
    for (rule, story) in &outcome.broken {
        tell(rule, story);
    }
    assert!(outcome.broken.is_empty(), "{}: broken", config.name);
    assert!(outcome.is_complete || long_steps().is_some(), "{}: not all gone through", config.name);
    for &one in seen {
        assert!(witness.has(one), "{}: never seen: {one:?}", config.name);
    }
}

/// Explores it with a mistake: it must break `rule`. And without: it must not.
pub(crate) fn found(config: &Config, made: Mistake, rule: Rule) {
    {
        let _alone = MADE.write();
        mistake::make(Some(made));
        let started = Clock::system();
        let outcome = explore(Explored::new(config.clone()), &[rule]);
        mistake::make(None);
        let story = outcome.broken.get(rule.name());
        let result = story.map(|story| format!("{}: in {} steps", rule.name(), story.len()));
        let name = format!("  {made:?}");
        report(&name, &outcome, &started, result.as_deref().unwrap_or("NOT FOUND"));
        if let Some(story) = story
            && env::var_os("TERN_MODEL_STORIES").is_some()
        {
            tell(rule.name(), story);
        }
        assert!(story.is_some(), "{made:?} was not found; broken: {:?}", outcome.broken.keys());
    }
    sound(config, &[]);
}

fn tell(rule: &str, story: &[Action]) {
    println!("not so: {rule}");
    for action in story {
        println!("    {action:?}");
    }
}
