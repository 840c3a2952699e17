//! The numbers as a collector meets them: the text read by a parser that forgives nothing, against what
//! people did meanwhile.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Write};
use std::time::Duration;

use tern::metrics::table::{METRICS, Side};

use super::files;
use super::harness::{Cluster, Options, connect, eventually};
use super::person::Written;
use crate::ports::free_ports;

const LONG: Duration = Duration::from_secs(30);

/// One number: its name, its labels in order, its value.
type Sample = (String, Vec<(String, String)>, String);

/// The numbers of a page.
#[derive(Debug, Default)]
struct Numbers {
    kinds: BTreeMap<String, String>,
    samples: Vec<Sample>,
}

impl Numbers {
    /// Reads the text format 0.0.4, strictly: each family once, its help and kind before its samples, no
    /// sample twice, histograms that add up.
    fn parse(text: &str) -> Self {
        let mut numbers = Self::default();
        let mut helped = BTreeSet::new();
        let mut family = String::new();
        assert!(text.ends_with('\n') && !text.contains('\r'), "{text}");
        for line in text.lines() {
            if let Some(rest) = line.strip_prefix("# HELP ") {
                let (name, help) = rest.split_once(' ').expect(line);
                assert!(help.contains("Bad: ") && !help.contains('\\'), "{line}");
                assert!(helped.insert(name.to_owned()), "told twice: {line}");
                family = name.to_owned();
            } else if let Some(rest) = line.strip_prefix("# TYPE ") {
                let (name, kind) = rest.split_once(' ').expect(line);
                assert_eq!(name, family, "{line}");
                assert!(["counter", "gauge", "histogram"].contains(&kind), "{line}");
                let before = numbers.kinds.insert(name.to_owned(), kind.to_owned());
                assert_eq!(before, None, "{line}");
            } else {
                let sample = sample(line);
                let is_histogram = numbers.kinds[&family] == "histogram";
                let ends = if is_histogram { &["_bucket", "_sum", "_count"][..] } else { &[""] };
                let own = ends.iter().any(|end| sample.0 == format!("{family}{end}"));
                assert!(own, "a sample outside of its family {family}: {line}");
                let same = |(name, labels, _): &Sample| (name, labels) == (&sample.0, &sample.1);
                assert!(!numbers.samples.iter().any(same), "twice: {line}");
                numbers.samples.push(sample);
            }
        }
        numbers.check_histograms();
        numbers
    }

    fn check_histograms(&self) {
        for (name, _) in self.kinds.iter().filter(|(_, kind)| *kind == "histogram") {
            let buckets: Vec<_> = self.of(&format!("{name}_bucket")).collect();
            let bound =
                |(_, labels, _): &&Sample| labels[0].1.replace("+Inf", "inf").parse::<f64>();
            let bounds: Vec<f64> = buckets.iter().map(|one| bound(one).unwrap()).collect();
            assert!(
                bounds.is_sorted() && bounds.last().is_some_and(|last| last.is_infinite()),
                "{name}: {bounds:?}"
            );
            let counts: Vec<u64> = buckets.iter().map(|(_, _, count)| whole(count)).collect();
            assert!(counts.is_sorted(), "{name}: {counts:?}");
            assert_eq!(counts.last(), Some(&self.one(&format!("{name}_count"))), "{name}");
            assert_eq!(self.of(&format!("{name}_sum")).count(), 1, "{name}");
        }
    }

    fn of(&self, name: &str) -> impl Iterator<Item = &Sample> {
        self.samples.iter().filter(move |(found, _, _)| found == name)
    }

    /// The sum over all labels.
    fn sum(&self, name: &str) -> u64 {
        self.of(name).map(|(_, _, value)| whole(value)).sum()
    }

    fn one(&self, name: &str) -> u64 {
        let found: Vec<_> = self.of(name).collect();
        assert_eq!(found.len(), 1, "{name}: {found:?}");
        whole(&found[0].2)
    }

    fn labelled(&self, name: &str, labels: &[(&str, &str)]) -> u64 {
        let wanted = |(_, found, _): &&Sample| {
            found
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str()))
                .eq(labels.iter().copied())
        };
        self.of(name).find(wanted).map_or(0, |(_, _, value)| whole(value))
    }
}

/// `name{label="value",…} number`, in one spelling.
fn sample(line: &str) -> Sample {
    let (head, value) = line.rsplit_once(' ').expect(line);
    let (name, labels) = match head.split_once('{') {
        None => (head, Vec::new()),
        Some((name, rest)) => {
            let inside = rest.strip_suffix('}').expect(line);
            let label = |part: &str| {
                let (key, quoted) = part.split_once('=').expect(line);
                let value = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                let value = value.expect(line);
                assert!(is_name(key) && !value.contains(['"', '\\', ',']), "{line}");
                (key.to_owned(), value.to_owned())
            };
            (name, inside.split(',').map(label).collect())
        }
    };
    assert!(is_name(name), "{line}");
    assert!(value.bytes().all(|b| b.is_ascii_digit() || b == b'.'), "{line}");
    value.parse::<f64>().expect(line);
    (name.to_owned(), labels, value.to_owned())
}

/// A number without a fraction.
fn whole(text: &str) -> u64 {
    text.parse().expect(text)
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// What a process tells at this port.
fn told(port: u16, method: &str) -> String {
    let mut stream = connect(&format!("127.0.0.1:{port}"));
    write!(stream, "{method} /metrics HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n").unwrap();
    let mut text = String::new();
    stream.read_to_string(&mut text).unwrap();
    text
}

fn numbers(port: u16) -> Numbers {
    let text = told(port, "GET");
    let (head, body) = text.split_once("\r\n\r\n").expect(&text);
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n"), "{head}");
    assert!(head.contains("\r\nContent-Type: text/plain; version=0.0.4"), "{head}");
    Numbers::parse(body)
}

#[test]
fn numbers_follow_what_happens_in_a_cluster() {
    let port = free_ports(4);
    let more = vec![format!("--metrics=127.0.0.1:{port}")];
    let cluster = Cluster::start(Options { no_restart: true, more, ..Options::default() });
    cluster.wait_in_step();
    let mut ada = cluster.person("ada");
    ada.join();
    assert_eq!(ada.act("/", "/post", &[("text", "counted, not named")]).written(), Written::Saved);
    assert_eq!(ada.get("/metrics").status, 404);
    let mut stranger = cluster.person("ada");
    let wrong = [("username", "ada"), ("password", "not her password")];
    assert_ne!(stranger.act("/login", "/login", &wrong).status, 303);

    let web = numbers(port);
    let backends = [1, 2, 3].map(|node| numbers(port + node));
    for (side, numbers) in
        [(Side::Web, &web)].into_iter().chain(backends.each_ref().map(|one| (Side::Backend, one)))
    {
        let known = |metric: &&tern::metrics::table::Metric| {
            metric.side == side || metric.side == Side::Both
        };
        let expected: BTreeSet<_> = METRICS.iter().filter(known).map(|one| one.name).collect();
        let found: BTreeSet<_> = numbers.kinds.keys().map(String::as_str).collect();
        assert_eq!(found, expected);
        assert_eq!(
            numbers.labelled("tern_build_info", &[("version", env!("CARGO_PKG_VERSION"))]),
            1
        );
        let named = |(_, labels, _): &Sample| labels.iter().any(|(_, value)| value.contains("ada"));
        assert!(!numbers.samples.iter().any(named), "{numbers:?}");
    }
    let posted = [("route", "post"), ("code", "303")];
    assert_eq!(web.labelled("tern_requests_total", &posted), 1, "{web:?}");
    assert_eq!(web.labelled("tern_requests_total", &[("route", "none"), ("code", "404")]), 1);
    assert!(web.one("tern_request_seconds_count") >= 4);
    let sum = |name: &str| backends.iter().map(|one| one.sum(name)).sum::<u64>();
    assert_eq!(sum("tern_posts_total"), 1, "{backends:?}");
    assert_eq!(sum("tern_login_failures_total"), 1);
    assert!(sum("tern_write_commit_seconds_count") >= 2);
    assert!(sum("tern_lock_wait_seconds_count") >= 2);
    for one in &backends {
        assert_eq!(one.one("tern_users"), 1);
        assert_eq!((one.sum("tern_node_up"), one.sum("tern_node_votes")), (3, 3), "{one:?}");
        assert!(one.one("tern_disk_free_bytes") > 0);
    }
    // The public listener has refused what it does not know, and the other one knows no page.
    assert!(told(port, "POST").starts_with("HTTP/1.1 405 "));

    cluster.kill(2, rustix::process::Signal::KILL);
    eventually("machine 2 told to be down", LONG, || {
        let seen = numbers(port + 1);
        (seen.labelled("tern_node_up", &[("node", "2")]) == 0).then_some(())
    });
    assert_eq!(numbers(port + 1).sum("tern_node_up"), 2);
}

/// What a post costs a memory card: on each machine the line, and next to nothing besides.
#[test]
fn post_writes_little_more_than_its_line_on_each_machine() {
    const POSTS: u64 = 200;
    /// Times the line itself that a machine may write for it.
    const TIMES_MOST: u64 = 3;
    let port = free_ports(4);
    let more = vec![format!("--metrics=127.0.0.1:{port}"), "--rate-limits=off".to_owned()];
    let cluster = Cluster::start(Options { no_restart: true, more, ..Options::default() });
    let mut ada = cluster.person("ada");
    ada.join();
    assert_eq!(ada.post("before it is counted").written(), Written::Saved);
    let seen = || {
        cluster.wait_in_step();
        files::wait_for_agreement(&cluster);
        [1, 2, 3].map(|node| {
            let file = cluster.node_data(node).join("users/ada.jsonl");
            let written = numbers(port + node).one("tern_disk_written_bytes_total");
            (written, std::fs::metadata(file).unwrap().len())
        })
    };
    let before = seen();
    for post in 0..POSTS {
        let text = format!("Post {post}: the tomatoes are in, and there is tea at four");
        assert_eq!(ada.post(&text).written(), Written::Saved);
    }
    for (node, (before, after)) in (1..).zip(before.into_iter().zip(seen())) {
        let (written, lines) = (after.0 - before.0, after.1 - before.1);
        println!("machine {node}: {written} bytes written for {lines} bytes of lines");
        // No file was folded meanwhile, so what was written of it is at least what it grew by.
        assert!(lines > POSTS * 150, "machine {node}: {lines} bytes of lines");
        assert!(written >= lines, "machine {node}: {written} of {lines} bytes counted");
        assert!(written <= TIMES_MOST * lines, "machine {node}: {written} for {lines} bytes");
    }
}

#[test]
fn parser_forgives_nothing() {
    let check = |text: &str| {
        let parsed = std::panic::catch_unwind(|| Numbers::parse(text));
        assert!(parsed.is_err(), "{text}");
    };
    let good = "# HELP a x. Bad: y\n# TYPE a counter\na{b=\"c\"} 1\n";
    assert_eq!(Numbers::parse(good).labelled("a", &[("b", "c")]), 1);
    check(good.trim_end());
    check(&good.repeat(2));
    check(&good.replace("} 1", "} x"));
    check(&good.replace("a{", "other{"));
    check(&good.replace("\"c\"", "c"));
    check(&good.replace("counter", "number"));
    check(&good.replace("a{b=\"c\"} 1", "a 1\na 2"));
    check("a 1\n");
}
