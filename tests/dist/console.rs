//! A whole machine that qemu emulates, with a shell at its console; ended when dropped.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::cluster::harness::eventually;

/// How long anything may take there: its cores are emulated, and other programs run on this machine.
pub(crate) const WAIT: Duration = Duration::from_mins(4);

/// The machine, and what was said at its console.
pub(crate) struct Console {
    qemu: Child,
    input: ChildStdin,
    said: Arc<Mutex<Vec<String>>>,
    /// How many commands were typed.
    typed: usize,
}

impl Console {
    /// Starts it, with its console at standard input and output, and waits until it says that it is up.
    pub(crate) fn start(mut qemu: Command, up: &str) -> Self {
        qemu.args(["-no-reboot", "-display", "none", "-monitor", "none", "-serial", "stdio"]);
        let mut qemu = qemu.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = qemu.stdin.take().unwrap();
        let said = Arc::new(Mutex::new(Vec::new()));
        let (out, lines) = (qemu.stdout.take().unwrap(), Arc::clone(&said));
        let read = move || {
            for line in BufReader::new(out).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line);
                lines.lock().push(line.trim_end_matches('\r').to_owned());
            }
        };
        // Ends with qemu, whose output it reads.
        std::thread::Builder::new().name("console".to_owned()).spawn(read).unwrap();
        let console = Self { qemu, input, said, typed: 0 };
        eventually("the machine is up", WAIT, || {
            console.said.lock().iter().any(|line| line.contains(up)).then_some(())
        });
        console
    }

    /// Types a command, and returns what it said.
    pub(crate) fn run(&mut self, command: &str) -> String {
        self.typed += 1;
        let end = format!("end of {}", self.typed);
        let begin = self.said.lock().len();
        // Read as a whole before any of it runs, for what is installed throws away what was typed ahead; and
        // split, so that an echo would not be taken for it.
        let typed = self.typed;
        let line = format!("{{\n{command}\n}} </dev/null; echo; echo \"end\" of {typed}\n");
        self.input.write_all(line.as_bytes()).unwrap();
        let said = eventually(command, WAIT, || {
            let said = self.said.lock();
            let at = said.iter().skip(begin).position(|line| line.ends_with(&end))?;
            Some(said[begin..begin + at].join("\n"))
        });
        said.trim().to_owned()
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _gone = self.qemu.kill();
        let _gone = self.qemu.wait();
        if std::thread::panicking() {
            let said = self.said.lock();
            let shown = said.len().saturating_sub(60);
            eprintln!("--- the machine\n{}", said[shown..].join("\n"));
        }
    }
}
