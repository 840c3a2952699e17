//! The load: wrk, with the script `load.lua`, at a web server.

use std::io;
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use crate::invalid;

/// The script, as kept beside this file.
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/bench/load.lua");

/// What wrk is told.
pub(crate) struct Load {
    /// The page, or the site.
    pub(crate) url: String,
    pub(crate) threads: usize,
    pub(crate) connections: usize,
    pub(crate) ms: u64,
    /// Headers of each request, as `Name: value`.
    pub(crate) headers: Vec<String>,
    /// What the script is told.
    pub(crate) words: Vec<String>,
}

/// What became of it.
#[derive(Debug)]
pub(crate) struct Told {
    /// Answers in all, and a second.
    pub(crate) requests: f64,
    pub(crate) rate: f64,
    /// The 99th percentile of what an answer took, in milliseconds.
    pub(crate) p99_ms: f64,
    /// Bytes of an answer, head included.
    pub(crate) answer_bytes: f64,
    /// Log-ins that were let in, a second, and all that were not.
    pub(crate) opened: f64,
    pub(crate) refused: f64,
    /// Answers of 400 and above, and those that never came whole.
    pub(crate) wrong: f64,
}

/// One that runs.
pub(crate) struct Running(Child);

impl Load {
    /// Asks for one page on so many connections, signed in with these cookies if there are any.
    pub(crate) fn page(url: String, cookies: &str, connections: usize, ms: u64) -> Self {
        let cookie = (!cookies.is_empty()).then(|| format!("Cookie: {cookies}"));
        let (headers, words) = (cookie.into_iter().collect(), vec!["page".to_owned()]);
        Self { url, threads: connections.min(2), connections, ms, headers, words }
    }

    /// Runs it; none of its answers may be wrong.
    pub(crate) fn run(&self) -> io::Result<Told> {
        let told = self.start()?.end()?;
        if told.wrong > 0.0 {
            return Err(invalid(&format!("{}: {told:?}", self.url)));
        }
        Ok(told)
    }

    pub(crate) fn start(&self) -> io::Result<Running> {
        let mut command = Command::new("wrk");
        command.args([format!("-t{}", self.threads), format!("-c{}", self.connections)]);
        // It takes whole seconds alone.
        command.args([format!("-d{}s", self.ms.div_ceil(1_000)), "--timeout=20s".to_owned()]);
        for header in &self.headers {
            command.arg("-H").arg(header);
        }
        command.args(["-s", SCRIPT, self.url.as_str(), "--"]).args(&self.words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map(Running)
    }
}

impl Running {
    /// Waits for its end.
    pub(crate) fn end(self) -> io::Result<Told> {
        let output = self.0.wait_with_output()?;
        Told::read(&output)
    }
}

impl Told {
    fn read(output: &Output) -> io::Result<Self> {
        let text = String::from_utf8_lossy(&output.stdout);
        let line = text.lines().find_map(|line| line.strip_prefix("load "));
        let line = line.ok_or_else(|| {
            invalid(&format!("wrk: {text}{}", String::from_utf8_lossy(&output.stderr)))
        })?;
        let told: Value = serde_json::from_str(line)?;
        let number = |key: &str| told[key].as_f64().unwrap_or_default();
        let seconds = number("seconds").max(f64::MIN_POSITIVE);
        Ok(Self {
            requests: number("requests"),
            rate: number("requests") / seconds,
            p99_ms: number("p99_ms"),
            answer_bytes: number("bytes") / number("requests").max(1.0),
            opened: number("opened") / seconds,
            refused: number("refused"),
            wrong: number("wrong") + number("broken"),
        })
    }
}
