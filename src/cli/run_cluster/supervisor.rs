//! Keeps the children: starts them, sees them end, starts them again, stops them in order.

use std::time::Duration;

use super::RunClusterError;
use super::child::{ChildSpec, Role, Running, ending, refusal};
use crate::clock::{Clock, Mono};
use crate::limits::{CHILD_POLL_MS, CHILD_RESTART_MS, CHILD_STOP_MS};
use crate::thread::Stop;

/// All children.
pub(super) struct Supervisor<'a> {
    kept: Vec<Kept>,
    no_restart: bool,
    clock: Clock,
    /// Takes the line of each start.
    tell: &'a dyn Fn(&str),
}

/// A child in whichever state it is.
struct Kept {
    spec: ChildSpec,
    state: State,
}

enum State {
    Running(Running),
    /// To be started again at that time.
    Waiting(Mono),
    /// Not to be started again.
    GivenUp,
}

impl<'a> Supervisor<'a> {
    pub(super) fn new(
        specs: Vec<ChildSpec>,
        no_restart: bool,
        clock: Clock,
        tell: &'a dyn Fn(&str),
    ) -> Self {
        let waiting = |spec| Kept { spec, state: State::Waiting(Mono::default()) };
        Self { kept: specs.into_iter().map(waiting).collect(), no_restart, clock, tell }
    }

    /// Starts every child that is not running, in their order.
    pub(super) fn start_all(&mut self) {
        for kept in &mut self.kept {
            kept.start(&self.clock, self.tell);
        }
    }

    /// Watches until `stop` is closed.
    ///
    /// # Errors
    /// When, before the cluster was `ready`, a child ended in a way that a new start would not change,
    /// and the cluster can never become ready without it.
    pub(super) fn watch(&mut self, stop: &Stop, ready: &Stop) -> Result<(), RunClusterError> {
        while !stop.wait(Duration::from_millis(CHILD_POLL_MS)) {
            let mut refused = None;
            for kept in &mut self.kept {
                refused = kept.look(self.no_restart, &self.clock, self.tell).or(refused);
            }
            if let Some(refused) = refused
                && !ready.is_closed()
                && !self.can_become_ready()
            {
                return Err(refused);
            }
        }
        Ok(())
    }

    /// Whether the web server and a majority of the backends run or will be started again.
    fn can_become_ready(&self) -> bool {
        let is_left = |kept: &&Kept| !matches!(kept.state, State::GivenUp);
        let backends = self.kept.iter().filter(|kept| kept.spec.role != Role::Web);
        let web = self.kept.iter().filter(|kept| kept.spec.role == Role::Web);
        let all = backends.clone().count();
        backends.filter(is_left).count() > all / 2 && web.filter(is_left).count() > 0
    }

    /// Stops the web server, then the backends: asked first, killed when they take too long or when
    /// `force` is closed.
    ///
    /// # Errors
    /// [`RunClusterError::Forced`] if it was closed.
    pub(super) fn stop_all(&mut self, force: &Stop) -> Result<(), RunClusterError> {
        self.stop_those(|role| role == Role::Web, force);
        self.stop_those(|role| role != Role::Web, force);
        log::info!("stopped");
        if force.is_closed() { Err(RunClusterError::Forced) } else { Ok(()) }
    }

    fn stop_those(&mut self, chosen: impl Fn(Role) -> bool, force: &Stop) {
        let mut left: Vec<_> = self.kept.iter_mut().filter(|kept| chosen(kept.spec.role)).collect();
        for kept in &mut left {
            if let State::Running(running) = &mut kept.state {
                log::info!(process:% = kept.spec.role; "stopping a process");
                running.ask_to_stop();
            }
        }
        let deadline = self.clock.mono().plus_ms(CHILD_STOP_MS);
        loop {
            left.retain_mut(|kept| !kept.has_stopped());
            let over = self.clock.mono() >= deadline;
            if left.is_empty() || over || force.wait(Duration::from_millis(CHILD_POLL_MS)) {
                break;
            }
        }
        for kept in left {
            kept.kill();
        }
    }
}

impl Kept {
    fn start(&mut self, clock: &Clock, tell: &dyn Fn(&str)) {
        match self.spec.start() {
            Ok(running) => {
                tell(&self.spec.line(&running));
                self.state = State::Running(running);
            }
            Err(error) => {
                let who = self.spec.role.to_string();
                log::error!(process:% = who, error:%; "cannot start a process, trying again");
                self.state = State::Waiting(clock.mono().plus_ms(CHILD_RESTART_MS));
            }
        }
    }

    /// Does what is due: starts it again, or sees that it ended. An error is a child that would
    /// refuse every new start as it did this one.
    fn look(
        &mut self,
        no_restart: bool,
        clock: &Clock,
        tell: &dyn Fn(&str),
    ) -> Option<RunClusterError> {
        match &mut self.state {
            State::GivenUp => None,
            State::Waiting(at) => {
                if clock.mono() >= *at {
                    self.start(clock, tell);
                }
                None
            }
            State::Running(running) => {
                let (pid, ended) = (running.id(), running.ended());
                match ended {
                    Ok(None) => None,
                    Ok(Some(status)) => self.after_end(pid, status, no_restart, clock),
                    Err(error) => {
                        log::error!(pid, error:%; "cannot look after a process");
                        None
                    }
                }
            }
        }
    }

    fn after_end(
        &mut self,
        pid: u32,
        status: std::process::ExitStatus,
        no_restart: bool,
        clock: &Clock,
    ) -> Option<RunClusterError> {
        let (who, how) = (self.spec.role.to_string(), ending(status));
        let refused = refusal(status);
        if let Some(code) = refused {
            let cure = if code == 2 { "correct its options" } else { "see to its data directory" };
            log::error!(
                process:% = who, pid, how:%;
                "a process ended for good, {cure} and start again"
            );
            self.state = State::GivenUp;
            return Some(RunClusterError::ChildRefused { who, how, code });
        }
        if no_restart {
            log::warn!(process:% = who, pid, how:%; "a process ended");
            self.state = State::GivenUp;
        } else {
            log::warn!(
                process:% = who, pid, how:%, in_ms = CHILD_RESTART_MS;
                "a process ended, starting it again"
            );
            self.state = State::Waiting(clock.mono().plus_ms(CHILD_RESTART_MS));
        }
        None
    }

    /// Whether nothing runs; says how it ended when it just has.
    fn has_stopped(&mut self) -> bool {
        let State::Running(running) = &mut self.state else { return true };
        let who = self.spec.role.to_string();
        match running.ended().map(|ended| ended.map(ending)) {
            Ok(None) => return false,
            Ok(Some(how)) => log::info!(process:% = who, how:%; "a process stopped"),
            Err(error) => log::error!(process:% = who, error:%; "cannot look after a process"),
        }
        self.state = State::GivenUp;
        true
    }

    fn kill(&mut self) {
        if let State::Running(running) = &mut self.state {
            log::warn!(process:% = self.spec.role; "a process does not stop, killing it");
            running.kill();
            self.state = State::GivenUp;
        }
    }
}
