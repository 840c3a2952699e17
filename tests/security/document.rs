//! `src/SECURITY.md` has every number, and each test that it names is there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const STATEMENTS: std::ops::RangeInclusive<u32> = 1..=52;
/// The statements that no test can show: their rows say why they hold.
const REVIEWED: [u32; 1] = [44];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn document() -> String {
    std::fs::read_to_string(root().join("src/SECURITY.md")).unwrap()
}

/// The rows of its tables: a number, and what stands in the other columns.
fn rows() -> Vec<(u32, Vec<String>)> {
    let document = document();
    let rows = document.lines().filter(|line| line.starts_with('|'));
    let row = |line: &str| {
        let mut cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
        Some((cells.next()?.parse().ok()?, cells.collect()))
    };
    rows.filter_map(row).collect()
}

/// The names of all tests.
fn tests() -> BTreeSet<String> {
    let (mut found, mut left) = (BTreeSet::new(), vec![root().join("src"), root().join("tests")]);
    while let Some(directory) = left.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                left.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                // Those of `proptest!` stand deeper than others, and have parameters.
                let tests = text.split("#[test]").skip(1).filter_map(|rest| {
                    rest.split_once("fn ")?.1.split('(').next().map(str::to_owned)
                });
                found.extend(tests);
            }
        }
    }
    found
}

#[test]
fn every_statement_is_in_the_document_once_and_says_how_it_holds() {
    let numbers: Vec<u32> = rows().iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, STATEMENTS.collect::<Vec<_>>());
    for (number, cells) in rows() {
        assert_eq!(cells.len(), 2, "statement {number}");
        assert!(cells.iter().all(|cell| cell.len() > 20), "statement {number} says too little");
    }
}

#[test]
fn every_statement_has_a_test_of_its_number_or_is_reviewed() {
    let tests = tests();
    let has_test =
        |number: &u32| tests.iter().any(|test| test.starts_with(&format!("s{number:02}_")));
    let without: Vec<u32> = STATEMENTS.filter(|number| !has_test(number)).collect();
    assert_eq!(without, REVIEWED);
}

#[test]
fn every_test_named_in_the_document_exists() {
    let tests = tests();
    assert!(tests.len() > 500, "{} tests were found", tests.len());
    let mut missing = Vec::new();
    for (number, cells) in rows() {
        let how = &cells[1];
        let names: Vec<&str> = how.split('`').skip(1).step_by(2).collect();
        let names = names.into_iter().filter(|name| !name.contains(['.', '/', ' ', ':', '-']));
        missing.extend(
            names.filter(|name| !tests.contains(*name)).map(|name| format!("{number}: {name}")),
        );
    }
    assert!(missing.is_empty(), "no such tests:\n{}", missing.join("\n"));
}

#[test]
fn every_numbered_test_is_named_in_the_document_under_its_number() {
    let rows = rows();
    let mut unnamed = Vec::new();
    for test in tests() {
        let number = test.strip_prefix('s').and_then(|rest| rest.split_once('_'));
        let Some(number) = number.and_then(|(digits, _)| digits.parse::<u32>().ok()) else {
            continue;
        };
        let how = rows.iter().find(|(other, _)| *other == number).map(|(_, cells)| &cells[1]);
        if !how.is_some_and(|how| how.contains(&format!("`{test}`"))) {
            unnamed.push(test);
        }
    }
    assert!(unnamed.is_empty(), "not named: {unnamed:?}");
}
