//! Tests of whole files: what is good, what is torn, what is damaged.

use super::{History, posted, version};
use crate::clock::Wall;
use crate::id::Hash128;
use crate::limits::LINE_BYTES_MAX;
use crate::replica::version::Version;
use crate::store::line::{Kind, LineError, NewLine, encode};
use crate::store::scan::{Chain, End, Scan, scan};
use crate::user::entry::Entry;

fn scanned(bytes: &[u8]) -> (Vec<Version>, Scan) {
    let mut seen = Vec::new();
    let scan = scan(bytes, &mut |line| seen.push(line.version));
    assert_eq!(seen.len() as u64, scan.lines);
    (seen, scan)
}

/// A history of two lines, then these bytes: how does the file end?
fn end_after_two(tail: &[u8]) -> End {
    let history = History::of(2);
    let (seen, scan) = scanned(&[&history.bytes[..], tail].concat());
    assert_eq!(seen, [version(1, 1), version(1, 2)]);
    assert_eq!((scan.good_len, scan.chain), (history.bytes.len() as u64, history.chain));
    scan.end
}

fn third_line() -> Vec<u8> {
    History::of(2).add(&[posted("the third, which is what the tests of ends are about")])
}

fn is_third_damaged(end: &End) -> bool {
    let offset = History::of(2).bytes.len() as u64;
    matches!(end, End::Damaged { line_number: 3, offset: at, .. } if *at == offset)
}

#[test]
fn scan_of_nothing_whole_and_zero() {
    let (_, scan) = scanned(b"");
    assert_eq!(scan, Scan { lines: 0, good_len: 0, chain: Chain::default(), end: End::Whole });
}

#[test]
fn scan_good_lines_whole_with_chain() {
    assert_eq!(end_after_two(b""), End::Whole);
    let (_, scan) = scanned(&History::of(3).bytes);
    assert_eq!((scan.chain.version, scan.chain.com), (version(1, 3), version(1, 2)));
}

#[test]
fn scan_line_cut_anywhere_torn() {
    let line = third_line();
    for len in 1..line.len() {
        let end = end_after_two(&line[..len]);
        assert_eq!(end, End::Torn { bytes: len as u64 }, "first {len} bytes");
    }
}

/// A third line that goes over several blocks of the disk, and where in it blocks begin.
fn long_third_line() -> (Vec<u8>, Vec<usize>) {
    let history = History::of(2);
    let line = History::of(2).add(&[posted(&"a few words ".repeat(150))]);
    let before = history.bytes.len();
    let starts = (before..before + line.len()).filter(|at| at % 512 == 0).map(|at| at - before);
    (line, starts.collect())
}

#[test]
fn scan_line_without_a_block_torn() {
    let (line, starts) = long_third_line();
    let bytes = line.len() as u64;
    let edges = [&[0][..], &starts, &[line.len()]].concat();
    assert!(edges.len() > 4, "{edges:?}");
    for (n, &from) in edges.iter().enumerate() {
        for &to in &edges[n + 1..] {
            let mut line = line.clone();
            line[from..to].fill(0);
            assert_eq!(end_after_two(&line), End::Torn { bytes }, "zeros {from}..{to}");
        }
    }
}

#[test]
fn scan_line_with_zeros_at_its_end_torn() {
    let line = third_line();
    for from in 0..line.len() - 1 {
        let mut line = line.clone();
        line[from..].fill(0);
        let bytes = line.len() as u64;
        assert_eq!(end_after_two(&line), End::Torn { bytes }, "zeros from {from}");
    }
}

/// A space of a flushed line that lost its one bit reads as NUL: an answered write was cut off.
#[test]
fn r0005_rotten_byte_that_reads_as_nul_damaged() {
    let (line, _) = long_third_line();
    for at in 1..line.len() {
        let mut line = line.clone();
        line[at] = 0;
        let end = end_after_two(&line);
        assert!(is_third_damaged(&end), "byte {at}: {end:?}");
    }
}

#[test]
fn scan_last_line_rotten_damaged() {
    let line = third_line();
    for at in 0..line.len() {
        let mut line = line.clone();
        line[at] ^= 1;
        let end = end_after_two(&line);
        assert!(is_third_damaged(&end), "byte {at}: {end:?}");
    }
}

#[test]
fn scan_bad_line_before_another_damaged() {
    let mut history = History::of(2);
    let third = history.add(&[posted("three")]);
    let fourth = history.add(&[posted("four")]);
    let mut zeros = third.clone();
    zeros[10..20].fill(0);
    assert!(is_third_damaged(&end_after_two(&[&zeros[..], &fourth[..]].concat())));
    // A torn tail is cut before anything is appended, so two cannot follow each other.
    assert!(is_third_damaged(&end_after_two(&[&zeros[..], &fourth[..5]].concat())));
    // A line that is missing leaves a gap in the chain.
    let end = end_after_two(&fourth);
    let why = LineError::Base { expected: version(1, 2), found: version(1, 3) };
    assert!(matches!(&end, End::Damaged { why: found, .. } if *found == why), "{end:?}");
}

#[test]
fn scan_endless_line_damaged() {
    let end = end_after_two(&vec![b'x'; LINE_BYTES_MAX + 1]);
    assert!(matches!(end, End::Damaged { why: LineError::TooLong, .. }), "{end:?}");
    assert_eq!(
        end_after_two(&vec![b'x'; LINE_BYTES_MAX]),
        End::Torn { bytes: LINE_BYTES_MAX as u64 }
    );
}

#[test]
fn scan_other_history_with_same_versions_damaged() {
    let mut other = History::of(1);
    other.add(&[posted("another second post")]);
    let third = other.add(&[posted("three")]);
    let end = end_after_two(&third);
    assert!(matches!(end, End::Damaged { why: LineError::Hash, .. }), "{end:?}");
}

#[test]
fn scan_first_line_on_something_damaged() {
    let line = encode(&NewLine {
        version: version(1, 2),
        base: version(1, 1),
        base_hash: Hash128::default(),
        com: Version::ZERO,
        kind: Kind::Delta,
        requests: &[],
        entries: &[],
    });
    let (_, scan) = scanned(&line.bytes);
    assert!(matches!(scan.end, End::Damaged { line_number: 1, offset: 0, .. }), "{scan:?}");
}

#[test]
fn scan_after_tombstone_only_identities() {
    let mut history = History::of(1);
    history.add(&[Entry::Left { at: Wall(5) }]);
    history.chain.left = true;
    history.add_kind(Kind::Identity, &[]);
    let (_, scan) = scanned(&history.bytes);
    assert_eq!((scan.lines, scan.end, scan.chain.left), (3, End::Whole, true));
    history.add(&[Entry::Joined { at: Wall(6) }]);
    let (_, scan) = scanned(&history.bytes);
    let why = LineError::AfterTombstone;
    assert!(matches!(&scan.end, End::Damaged { line_number: 4, why: found, .. } if *found == why));
}
