//! `chromedriver` as a process of our own, on a port that it chooses, always ended.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

/// Where Debian puts it; `TERN_CHROMEDRIVER` names another.
const CHROMEDRIVER: &str = "/usr/bin/chromedriver";

/// How often it is started before it counts as broken.
const STARTS_MAX: usize = 5;

/// A running driver. Ends with all its browsers when dropped.
pub(super) struct Driver {
    child: Child,
    port: u16,
}

impl Driver {
    /// Starts one and waits until it listens.
    ///
    /// # Panics
    /// When it is not there, saying what to install, or does not start.
    pub(super) fn start() -> Self {
        let program =
            std::env::var("TERN_CHROMEDRIVER").unwrap_or_else(|_| CHROMEDRIVER.to_owned());
        // It ends when the free port that it was given is taken on its other address meanwhile.
        let started = (0..STARTS_MAX).find_map(|_| Self::try_start(&program));
        started.unwrap_or_else(|| panic!("{program} ended {STARTS_MAX} times, naming no port"))
    }

    fn try_start(program: &str) -> Option<Self> {
        let mut child = Command::new(program)
            .arg("--port=0")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Its browsers join its group, so that one signal ends them all.
            .process_group(0)
            .spawn()
            .unwrap_or_else(|error| panic!("{}", missing(program, &error)));
        let output = child.stdout.take().expect("standard output is piped");
        // Its first lines only; it then writes nothing that could fill the pipe.
        let port =
            BufReader::new(output).lines().map_while(Result::ok).find_map(|line| port(&line));
        let mut driver = Self { child, port: 0 };
        // `driver` is dropped, and the process ended, should this fail.
        driver.port = port?;
        Some(driver)
    }

    /// The address to send commands to.
    pub(super) fn origin(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let group = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        if let Some(group) = group
            && let Err(error) = kill_process_group(group, Signal::KILL)
        {
            println!("end chromedriver and its browsers: {error}");
        }
        if let Err(error) = self.child.wait() {
            println!("wait for chromedriver: {error}");
        }
    }
}

/// The port in `ChromeDriver was started successfully on port 38041.`
fn port(line: &str) -> Option<u16> {
    let (_, port) = line.split_once("started successfully on port ")?;
    port.trim_end_matches('.').parse().ok()
}

fn missing(program: &str, error: &std::io::Error) -> String {
    format!(
        "cannot start {program}: {error}. Install Debian's packages chromium and chromium-driver \
         (.ci/run does), or set TERN_SKIP_BROWSER=1 to leave the browser tests out"
    )
}

#[test]
fn driver_missing_names_packages() {
    let error = std::io::Error::from(std::io::ErrorKind::NotFound);
    let text = missing(CHROMEDRIVER, &error);
    assert!(text.contains("chromium and chromium-driver"), "{text}");
    assert!(text.contains("TERN_SKIP_BROWSER=1"), "{text}");
}

#[test]
fn driver_start_line_names_port() {
    assert_eq!(port("ChromeDriver was started successfully on port 38041."), Some(38041));
    assert_eq!(port("Only local connections are allowed."), None);
}
