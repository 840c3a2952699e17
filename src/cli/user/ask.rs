//! One order after the other to whichever machine of a cluster obeys it.

use std::time::Duration;

use crate::cli::cluster::ClusterError;
use crate::cli::cluster::target::{Machine, Target};
use crate::cli::error::{CliError, chain};
use crate::clock::Clock;
use crate::json;
use crate::limits::{
    OPERATOR_DIAL_MS, OPERATOR_ORDER_MS, OPERATOR_PATIENCE_MS, OPERATOR_PAUSE_MS,
    RESPONSE_BYTES_MAX,
};
use crate::transport::connection::{Connection, dial};
use crate::transport::{Keys, Role, TransportError};
use crate::wire::operator::{Answer, Question};
use crate::wire::upkeep::{Order, Refused, Told};

/// Asks the machines of a cluster, and keeps the connection to the one that answers.
pub(super) struct Asker {
    machines: Vec<Machine>,
    keys: Keys,
    /// Which machine is asked.
    at: usize,
    connection: Option<Connection>,
    clock: Clock,
}

impl Asker {
    /// For the machines of a cluster.
    ///
    /// # Errors
    /// When nothing names them, or there is no key.
    pub(super) fn new(target: &Target) -> Result<Self, CliError> {
        let machines = target.machines_or_alone().map_err(|error| match error {
            ClusterError::Alone { path } => ClusterError::AloneUnknown { path },
            other => other,
        })?;
        let keys = target.keys()?;
        Ok(Self { machines, keys, at: 0, connection: None, clock: Clock::system() })
    }

    /// Has an order done: by another machine where one fails, and again while they are busy. An order
    /// does no harm a second time.
    ///
    /// # Errors
    /// [`ClusterError`].
    pub(super) fn ask(&mut self, order: &Order) -> Result<Told, CliError> {
        let question = serde_json::to_vec(&Question::Upkeep(order.clone()))
            .map_err(|error| ClusterError::Refused(chain(&error)))?;
        let deadline = self.clock.mono().plus_ms(OPERATOR_PATIENCE_MS);
        let (mut failures, mut strangers) = (0, 0);
        // What a machine says tells more than that another one is silent.
        let mut said = None;
        loop {
            let (error, is_final) = match self.once(&question) {
                Ok(Told::Refused { kind: Refused::No, why }) => {
                    return Err(ClusterError::Refused(why).into());
                }
                Ok(Told::Refused { kind: Refused::TooFew, why }) => {
                    failures += 1;
                    said = Some(why.clone());
                    (ClusterError::TooFew(why), failures >= self.machines.len())
                }
                Ok(Told::Refused { kind: Refused::Again, why }) => {
                    (ClusterError::Busy(why), self.clock.mono() >= deadline)
                }
                Ok(told) => return Ok(told),
                Err(error) => {
                    self.connection = None;
                    failures += 1;
                    let is_stranger = matches!(error, TransportError::Handshake { .. });
                    strangers += usize::from(is_stranger);
                    let why = chain(&error);
                    let silent = format!("no machine answers: {why}");
                    let error = if strangers == failures {
                        ClusterError::WrongKey { why }
                    } else {
                        ClusterError::TooFew(said.clone().unwrap_or_else(|| silent.clone()))
                    };
                    // One that hangs up tells more than one that is not there.
                    said = said.or(is_stranger.then_some(silent));
                    (error, failures >= self.machines.len())
                }
            };
            if is_final {
                return Err(error.into());
            }
            if matches!(error, ClusterError::Busy(_)) {
                std::thread::sleep(Duration::from_millis(OPERATOR_PAUSE_MS));
            } else {
                self.connection = None;
                self.at += 1;
            }
        }
    }

    /// Asks the machine whose turn it is.
    fn once(&mut self, question: &[u8]) -> Result<Told, TransportError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.dial()?,
        };
        let wait = Duration::from_millis(OPERATOR_ORDER_MS);
        connection.send(question, &[], wait)?;
        let frame = connection.receive(RESPONSE_BYTES_MAX, wait)?;
        let addr = connection.addr();
        self.connection = Some(connection);
        let no = |why| Told::Refused { kind: Refused::No, why };
        Ok(match json::parse(&frame.header) {
            Ok(Answer::Upkeep(told)) => told,
            Ok(Answer::NotUnderstood { detail }) => {
                no(format!("{addr} runs another version, which does not know this order: {detail}"))
            }
            Ok(_) => no(format!("{addr} answers another question")),
            Err(error) => no(format!("{addr} answers what makes no sense: {error}")),
        })
    }

    fn dial(&self) -> Result<Connection, TransportError> {
        let machine = self.machines.iter().cycle().nth(self.at % self.machines.len().max(1));
        let address = machine.map(|machine| machine.address.as_str()).unwrap_or_default();
        dial(address, Role::Operator, &self.keys, Duration::from_millis(OPERATOR_DIAL_MS))
    }
}
