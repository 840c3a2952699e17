//! The numbers as text, in Prometheus' exposition format 0.0.4.

use std::fmt::Write as _;

use super::table::{Kind, METRICS, Metric, Side};
use super::{
    BOUNDS_MS, COMMIT_TIMES, CONFLICTS, DISK_WRITTEN, Histogram, LOCK_TIMES, LOGIN_FAILURES, Node,
    Now, POSTS, REQUEST_TIMES, REQUESTS,
};

/// The page's content type.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// All numbers that this process knows: a web server's, a backend's, or both.
pub fn page(is_web: bool, now: Option<&Now>) -> String {
    let mut out = String::with_capacity(16 * 1024);
    for metric in &METRICS {
        let is_known = match metric.side {
            Side::Web => is_web,
            Side::Backend => now.is_some(),
            Side::Both => true,
        };
        if is_known {
            family(&mut out, metric, now);
        }
    }
    out
}

fn family(out: &mut String, metric: &Metric, now: Option<&Now>) {
    let Metric { name, kind, help, bad, .. } = metric;
    let kind = kind.name();
    put(out, format_args!("# HELP {name} {help}. Bad: {bad}\n# TYPE {name} {kind}\n"));
    match *name {
        "tern_requests_total" => {
            for (route, code, count) in REQUESTS.all() {
                put(out, format_args!("{name}{{route=\"{route}\",code=\"{code}\"}} {count}\n"));
            }
        }
        "tern_request_seconds" => histogram(out, name, &REQUEST_TIMES),
        "tern_write_commit_seconds" => histogram(out, name, &COMMIT_TIMES),
        "tern_lock_wait_seconds" => histogram(out, name, &LOCK_TIMES),
        "tern_node_up" => of_nodes(out, name, now, |node| Some(u32::from(node.is_up))),
        "tern_node_votes" => {
            of_nodes(out, name, now, |node| node.is_up.then_some(u32::from(node.votes)));
        }
        "tern_node_behind_entries" => of_nodes(out, name, now, |node| node.behind),
        "tern_node_pictures_missing" => {
            of_nodes(out, name, now, |node| node.is_up.then_some(node.pictures_missing));
        }
        "tern_term_conflicts_total" => one(out, name, CONFLICTS.get()),
        "tern_login_failures_total" => one(out, name, LOGIN_FAILURES.get()),
        "tern_posts_total" => one(out, name, POSTS.get()),
        "tern_disk_free_bytes" => {
            if let Some(bytes) = now.and_then(|now| now.disk_free_bytes) {
                one(out, name, bytes);
            }
        }
        "tern_disk_written_bytes_total" => one(out, name, DISK_WRITTEN.get()),
        "tern_users" => one(out, name, now.map_or(0, |now| now.users)),
        "tern_build_info" => {
            let version = env!("CARGO_PKG_VERSION");
            put(out, format_args!("{name}{{version=\"{version}\"}} 1\n"));
        }
        _ => unreachable!("{name} is in the table and nobody counts it"),
    }
}

/// A line for each machine of which the number is known.
fn of_nodes(out: &mut String, name: &str, now: Option<&Now>, value: impl Fn(&Node) -> Option<u32>) {
    for node in now.into_iter().flat_map(|now| &now.nodes) {
        if let Some(value) = value(node) {
            put(out, format_args!("{name}{{node=\"{}\"}} {value}\n", node.node));
        }
    }
}

fn one(out: &mut String, name: &str, value: u64) {
    put(out, format_args!("{name} {value}\n"));
}

fn histogram(out: &mut String, name: &str, times: &Histogram) {
    let measured = times.measured();
    for (index, count) in measured.up_to.iter().enumerate() {
        let bound = BOUNDS_MS.get(index).map_or_else(|| "+Inf".to_owned(), |ms| seconds(*ms));
        put(out, format_args!("{name}_bucket{{le=\"{bound}\"}} {count}\n"));
    }
    let all = measured.up_to.last().copied().unwrap_or_default();
    put(out, format_args!("{name}_sum {}\n{name}_count {all}\n", seconds(measured.sum_ms)));
}

/// Milliseconds as seconds, without an error of rounding.
fn seconds(ms: u64) -> String {
    let text = format!("{}.{:03}", ms / 1_000, ms % 1_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    // A string takes everything.
    let _taken = out.write_fmt(text);
}

const _: () = assert!(matches!(METRICS[0].kind, Kind::Counter));

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::NodeId;

    #[test]
    fn every_metric_of_the_table_is_on_the_page_of_its_side() {
        let node = |number, is_up, behind| Node {
            node: NodeId::new(number).unwrap(),
            is_up,
            votes: is_up && number == 1,
            behind,
            pictures_missing: 4,
        };
        let nodes = vec![node(1, true, Some(0)), node(2, false, None), node(3, true, Some(5))];
        let now = Now { nodes, users: 3, disk_free_bytes: Some(7) };
        REQUESTS.count("home", 200);
        for (is_web, now) in [(true, None), (false, Some(&now)), (true, Some(&now))] {
            let text = page(is_web, now);
            for metric in &METRICS {
                let is_known = match metric.side {
                    Side::Web => is_web,
                    Side::Backend => now.is_some(),
                    Side::Both => true,
                };
                let found = text.contains(&format!("\n{}", metric.name))
                    || text.starts_with(&format!("# HELP {} ", metric.name));
                assert_eq!(found, is_known, "{}: {text}", metric.name);
            }
        }
        let text = page(false, Some(&now));
        assert!(text.contains("\ntern_node_up{node=\"2\"} 0\n"), "{text}");
        assert!(
            text.contains("\ntern_node_votes{node=\"1\"} 1\ntern_node_votes{node=\"3\"} 0\n"),
            "{text}"
        );
        assert!(!text.contains("tern_node_behind_entries{node=\"2\"}"), "{text}");
        assert!(text.contains("\ntern_node_pictures_missing{node=\"1\"} 4\n"), "{text}");
        assert!(!text.contains("tern_node_pictures_missing{node=\"2\"}"), "{text}");
        assert!(text.contains("\ntern_disk_free_bytes 7\n"), "{text}");
    }

    #[test]
    fn seconds_are_exact() {
        for (ms, text) in [(0, "0"), (1, "0.001"), (10, "0.01"), (2_500, "2.5"), (10_000, "10")] {
            assert_eq!(seconds(ms), text);
        }
    }
}
