//! `src/BENCH.md` says what the budgets are and what was measured last, of each of them.

#[path = "document.rs"]
#[expect(dead_code, reason = "the benchmark uses all of it")]
mod document;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use document::{BUDGETS, SECTIONS, made};

const MEASURES: &str = include_str!("main.rs");
/// Tests that the document names, and where they are.
const NAMED: [(&str, &str); 2] = [
    (
        "healthy_write_waits_once_when_held_and_twice_otherwise",
        include_str!("../../src/replica/tests/coordinator.rs"),
    ),
    (
        "s02_hash_two_hundred_at_once_memory_flat_none_lost",
        include_str!("../../src/auth/password/tests.rs"),
    ),
];

fn measured() -> Value {
    serde_json::from_str(include_str!("measured.json")).unwrap()
}

/// The names under a key, in these lists.
fn names(measured: &Value, lists: &[&str], key: &str) -> BTreeSet<String> {
    let all = lists.iter().flat_map(|list| measured[list].as_array().unwrap());
    all.map(|one| one[key].as_str().unwrap().to_owned()).collect()
}

#[test]
fn document_is_what_budgets_and_figures_make() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/BENCH.md");
    let made = made(&measured());
    if std::env::var_os("TERN_WRITE_DOCUMENTS").is_some_and(|value| value == "1") {
        std::fs::write(&path, &made).unwrap();
    }
    assert!(
        std::fs::read_to_string(&path).unwrap_or_default() == made,
        "src/BENCH.md: run TERN_WRITE_DOCUMENTS=1 cargo test --test main bench::"
    );
    for (name, source) in NAMED {
        assert!(made.contains(&format!("`{name}`")), "the document does not name {name}");
        assert!(source.contains(&format!("fn {name}()")), "there is no test {name}");
    }
}

#[test]
fn every_budget_is_measured_by_a_section_that_exists() {
    let parts = MEASURES.split("section(\"").skip(1).filter_map(|rest| rest.split('"').next());
    assert_eq!(parts.collect::<Vec<_>>(), SECTIONS, "the benchmark's sections, and the document's");
    let budgets: BTreeSet<_> = BUDGETS.iter().map(|budget| budget.id.to_owned()).collect();
    assert_eq!(budgets.len(), BUDGETS.len(), "two budgets of one name");
    let measured = measured();
    let found = names(&measured, &["figures", "growth"], "budget");
    let sections = names(&measured, &["runs"], "section");
    assert!(found.is_subset(&budgets), "{found:?}");
    assert!(sections.iter().all(|name| SECTIONS.contains(&name.as_str())), "{sections:?}");
    // Until each section was kept once, the document says which were not.
    if sections.len() == SECTIONS.len() {
        assert_eq!(found, budgets, "budgets with figures, and all");
    }
}
