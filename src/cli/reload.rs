//! SIGHUP: the configuration file is read again. What cannot be used changes nothing.

use std::ffi::OsString;

use parking_lot::Mutex;

use super::args::RawCommon;
use super::config::layers::{Layers, Typed, Values};
use super::config::setting::{self, Setting};
use super::config::{ConfigError, Given, Logging};
use super::{backend, configure, logging, notify};

/// All that is needed to read the configuration of a running command again.
pub(super) struct Reload<'a> {
    pub(super) common: &'a RawCommon,
    pub(super) typed: &'a Typed,
    /// What holds just now, or will when the command is started again.
    pub(super) now: Mutex<Values>,
}

impl Reload<'_> {
    /// Reads it again, and says in the log what became of it.
    pub(super) fn run(&self) {
        notify::reloading();
        match self.read() {
            Ok((values, logging)) => self.take(values, logging),
            Err(faults) => {
                for fault in &faults {
                    log::error!(fault:%; "configuration not taken, the old one holds");
                }
            }
        }
        notify::ready();
    }

    fn read(&self) -> Result<(Values, Logging), Vec<ConfigError>> {
        let environment = |name: &str| -> Option<OsString> { std::env::var_os(name) };
        let file = configure::read(self.common, &environment)?;
        let layers = Layers { file: &file, environment: &environment, typed: self.typed };
        let role = self.now.lock().role();
        let values = layers.resolve(role).and_then(backend::as_set_up);
        let values = values.map_err(|fault| vec![fault])?;
        // What no start would take is not taken here either.
        configure::startable(&values).map_err(|fault| vec![fault])?;
        let logging = Logging::check(&values).map_err(|fault| vec![fault])?;
        Ok((values, logging))
    }

    fn take(&self, values: Values, logging: Logging) {
        let changes = changes(&self.now.lock(), &values);
        logging::set(logging.level, logging.format);
        log::info!(changes = changes.len(); "configuration read again");
        for Change { setting, from, to } in changes {
            let effect = if setting.is_of_all() { "now" } else { "after a restart" };
            let key = setting.key();
            log::info!(key:%, from:%, to:%, effect:%; "setting changed");
        }
        *self.now.lock() = values;
    }
}

/// A setting that has another value now.
struct Change {
    setting: &'static Setting,
    from: String,
    to: String,
}

fn changes(old: &Values, new: &Values) -> Vec<Change> {
    let mut found = Vec::new();
    for setting in setting::of(old.role()) {
        let (from, to) = (old.get(setting.name), new.get(setting.name));
        let text = |given: Option<&Given>| given.map(|given| (given.text.clone(), given.is_secret));
        if text(from) != text(to) {
            let words =
                |given: Option<&Given>| given.map_or_else(|| "default".to_owned(), Given::masked);
            found.push(Change { setting, from: words(from), to: words(to) });
        }
    }
    found
}
