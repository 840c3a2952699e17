//! The table of settings: what `--help`, the manual page, completions, the configuration file, the
//! environment, `tern config` and CONFIGURE.md know of them, they know from here.

use crate::limits::RUN_CLUSTER_BACKENDS_MAX;

/// A command that settings are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::cli) enum Role {
    Serve,
    Backend,
    Web,
    RunCluster,
}

/// What a value must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Kind {
    /// An address whose port others know.
    Address,
    /// An address whose port 0 takes a free one.
    FreeAddress,
    /// An address that only this machine reaches, or off.
    Loopback,
    /// A file or directory.
    Path,
    /// A machine's number.
    Machine,
    /// How many backends.
    Count,
    /// How many calls.
    Calls,
    /// A port.
    Port,
    /// Addresses.
    Addresses,
    /// Machines with their addresses.
    Peers,
    /// Addresses without ports.
    Proxies,
    /// What stands on a page.
    Name,
    /// The site's address.
    Origin,
    /// On or off.
    Switch,
    /// Off; on where its name stands alone on the command line.
    Flag,
    /// How much is logged.
    Level,
    /// How a line of the log looks.
    Format,
    /// A secret, or, with `-file` behind its name, the file that holds it.
    Secret,
}

/// What holds where nobody says anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cli) enum Unset {
    /// The command is refused.
    Needed,
    /// This value.
    Is(&'static str),
    /// What these words say.
    Means(&'static str),
}

/// One setting.
#[derive(Debug)]
pub(in crate::cli) struct Setting {
    /// As on the command line, without the dashes.
    pub(in crate::cli) name: &'static str,
    pub(in crate::cli) kind: Kind,
    /// What stands for its value in a help text.
    pub(in crate::cli) value: &'static str,
    pub(in crate::cli) unset: Unset,
    pub(in crate::cli) roles: &'static [Role],
    /// One line: what it is.
    pub(in crate::cli) help: &'static str,
}

/// Every setting, in the order of help texts. Where two commands mean different things by one name, it
/// stands here twice.
pub(in crate::cli) const SETTINGS: [Setting; 25] = [
    Setting {
        name: "node",
        kind: Kind::Machine,
        value: "N",
        unset: Unset::Means("as set up in DIR"),
        roles: &[Role::Backend],
        help: "This machine's number, 1 to 15; never another machine's again",
    },
    Setting {
        name: "listen",
        kind: Kind::Address,
        value: "ADDR:PORT",
        unset: Unset::Is("127.0.0.1:8080"),
        roles: &[Role::Serve, Role::Web],
        help: "Where browsers connect",
    },
    Setting {
        name: "listen",
        kind: Kind::Address,
        value: "ADDR:PORT",
        unset: Unset::Means("as set up in DIR"),
        roles: &[Role::Backend],
        help: "Where web servers and the other backends connect",
    },
    Setting {
        name: "listen",
        kind: Kind::FreeAddress,
        value: "ADDR:PORT",
        unset: Unset::Is("127.0.0.1:8080"),
        roles: &[Role::RunCluster],
        help: "Where browsers connect; port 0 takes a free one",
    },
    Setting {
        name: "peers",
        kind: Kind::Peers,
        value: "1=ADDR:PORT,2=...",
        unset: Unset::Means("as last known"),
        roles: &[Role::Backend],
        help: "Where the backends listen, by number, this one included",
    },
    Setting {
        name: "backends",
        kind: Kind::Addresses,
        value: "ADDR:PORT,...",
        unset: Unset::Needed,
        roles: &[Role::Web],
        help: "The backends to ask",
    },
    Setting {
        name: "backends",
        kind: Kind::Count,
        value: "N",
        unset: Unset::Is("3"),
        roles: &[Role::RunCluster],
        help: "How many backends, 1 to 5",
    },
    Setting {
        name: "backend-port",
        kind: Kind::Port,
        value: "PORT",
        unset: Unset::Means("free ports from 7001"),
        roles: &[Role::RunCluster],
        help: "The first backend's port, the others follow",
    },
    Setting {
        name: "data",
        kind: Kind::Path,
        value: "DIR",
        unset: Unset::Is("db"),
        roles: &[Role::Serve, Role::Backend],
        help: "Where the users' files are kept; with serve the key too",
    },
    Setting {
        name: "data",
        kind: Kind::Path,
        value: "DIR",
        unset: Unset::Is("db"),
        roles: &[Role::RunCluster],
        help: "Where each backend gets a directory, and the key is kept",
    },
    Setting {
        name: "key",
        kind: Kind::Secret,
        value: "FILE",
        unset: Unset::Needed,
        roles: &[Role::Backend, Role::Web],
        help: "The cluster's key, the same on every machine; for a web server its part is enough",
    },
    Setting {
        name: "origin",
        kind: Kind::Origin,
        value: "URL",
        unset: Unset::Means("http://LISTEN"),
        roles: &[Role::Serve, Role::Web, Role::RunCluster],
        help: "The address people type, as in https://example.org",
    },
    Setting {
        name: "insecure-http",
        kind: Kind::Flag,
        value: "on|off",
        unset: Unset::Is("off"),
        roles: &[Role::Serve, Role::Web, Role::RunCluster],
        help: "Allow plain http beyond this machine: passwords travel in clear on the network",
    },
    Setting {
        name: "trusted-proxies",
        kind: Kind::Proxies,
        value: "IP,...",
        unset: Unset::Means("none"),
        roles: &[Role::Serve, Role::Web, Role::RunCluster],
        help: "Reverse proxies whose X-Forwarded-For is believed",
    },
    Setting {
        name: "community",
        kind: Kind::Name,
        value: "NAME",
        unset: Unset::Is("Tern"),
        roles: &[Role::Serve, Role::Backend, Role::Web, Role::RunCluster],
        help: "The community's name on the pages; nobody may take it as a password",
    },
    Setting {
        name: "name",
        kind: Kind::Name,
        value: "NAME",
        unset: Unset::Means("machine N"),
        roles: &[Role::Serve, Role::Backend],
        help: "What people call this machine",
    },
    Setting {
        name: "rate-limits",
        kind: Kind::Switch,
        value: "on|off",
        unset: Unset::Is("on"),
        roles: &[Role::Serve, Role::Backend],
        help: "Limits on signing in, joining and posting",
    },
    Setting {
        name: "rate-limits",
        kind: Kind::Switch,
        value: "on|off",
        unset: Unset::Means("off on loopback, else on"),
        roles: &[Role::RunCluster],
        help: "Limits on signing in, joining and posting",
    },
    Setting {
        name: "app-calls",
        kind: Kind::Calls,
        value: "N",
        unset: Unset::Means("300; on loopback any number"),
        roles: &[Role::Serve, Role::Web, Role::RunCluster],
        help: "How often an app may call in five minutes for one person; 0 for any number",
    },
    Setting {
        name: "app-passwords",
        kind: Kind::Switch,
        value: "on|off",
        unset: Unset::Is("off"),
        roles: &[Role::Serve, Role::Web, Role::RunCluster],
        help: "Let apps sign people in with their password, which they then know",
    },
    Setting {
        name: "noindex",
        kind: Kind::Switch,
        value: "on|off",
        unset: Unset::Is("off"),
        roles: &[Role::Serve, Role::Web, Role::RunCluster],
        help: "Ask search engines to show nothing of the site",
    },
    Setting {
        name: "no-restart",
        kind: Kind::Flag,
        value: "on|off",
        unset: Unset::Is("off"),
        roles: &[Role::RunCluster],
        help: "Leave a process that ended where it is",
    },
    Setting {
        name: "metrics",
        kind: Kind::Loopback,
        value: "ADDR:PORT",
        unset: Unset::Is("off"),
        roles: &[Role::Serve, Role::Backend, Role::Web, Role::RunCluster],
        help: "Where numbers are told to Prometheus, on this machine alone, at /metrics",
    },
    Setting {
        name: "log",
        kind: Kind::Level,
        value: "LEVEL",
        unset: Unset::Is("info"),
        roles: &[Role::Serve, Role::Backend, Role::Web, Role::RunCluster],
        help: "How much is logged: error, warn, info, debug, trace or off",
    },
    Setting {
        name: "log-format",
        kind: Kind::Format,
        value: "FORMAT",
        unset: Unset::Is("logfmt"),
        roles: &[Role::Serve, Role::Backend, Role::Web, Role::RunCluster],
        help: "How a line of the log looks: logfmt or json",
    },
];

/// Settings that every command has, also those that ask a running cluster.
const OF_ALL: [&str; 2] = ["log", "log-format"];

/// The settings of a command.
pub(in crate::cli) fn of(role: Role) -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(move |setting| setting.roles.contains(&role))
}

/// The setting of that name of a command.
pub(in crate::cli) fn find(role: Role, name: &str) -> Option<&'static Setting> {
    of(role).find(|setting| setting.name == name)
}

/// The settings that every command has.
pub(in crate::cli) fn of_all() -> impl Iterator<Item = &'static Setting> {
    SETTINGS.iter().filter(|setting| setting.is_of_all())
}

impl Role {
    /// Every one, in the order of help texts.
    pub(in crate::cli) const ALL: [Self; 4] =
        [Self::Serve, Self::Backend, Self::Web, Self::RunCluster];

    /// As the command is typed; in a configuration file the name of its section.
    pub(in crate::cli) const fn name(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Backend => "backend",
            Self::Web => "web",
            Self::RunCluster => "run-cluster",
        }
    }

    /// The command of that name.
    pub(in crate::cli) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl Setting {
    /// Whether every command has it.
    pub(in crate::cli) fn is_of_all(&self) -> bool {
        OF_ALL.contains(&self.name)
    }

    /// As it is called in a configuration file.
    pub(in crate::cli) fn key(&self) -> String {
        self.name.replace('-', "_")
    }

    /// As it is called in the environment.
    pub(in crate::cli) fn variable(&self) -> String {
        format!("TERN_{}", self.key().to_uppercase())
    }

    /// As it is called on the command line, where secrets never stand: other users see that.
    pub(in crate::cli) fn flag(&self) -> String {
        if self.kind == Kind::Secret { format!("{}-file", self.name) } else { self.name.to_owned() }
    }

    /// Its default in words, if it has one.
    pub(in crate::cli) const fn default_words(&self) -> Option<&'static str> {
        match self.unset {
            Unset::Needed => None,
            Unset::Is(words) | Unset::Means(words) => Some(words),
        }
    }
}

impl Kind {
    /// Whether a value is a list, with commas between its parts.
    pub(in crate::cli) const fn is_list(self) -> bool {
        matches!(self, Self::Addresses | Self::Peers | Self::Proxies)
    }

    /// Whether a value is on or off.
    pub(in crate::cli) const fn is_switch(self) -> bool {
        matches!(self, Self::Switch | Self::Flag)
    }

    /// Whether a value is a number.
    pub(in crate::cli) const fn is_number(self) -> bool {
        matches!(self, Self::Machine | Self::Count | Self::Calls | Self::Port)
    }
}

const _: () = assert!(RUN_CLUSTER_BACKENDS_MAX == 5, "the help text of `backends` says so");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_command_has_a_name_once() {
        for role in Role::ALL {
            let mut names: Vec<_> = of(role).map(|setting| setting.name).collect();
            names.sort_unstable();
            let count = names.len();
            names.dedup();
            assert_eq!(names.len(), count, "{role:?}");
            assert_eq!(Role::named(role.name()), Some(role));
        }
    }

    #[test]
    fn what_every_command_has_stands_once_for_all() {
        for name in OF_ALL {
            let found: Vec<_> = of_all().filter(|setting| setting.name == name).collect();
            assert_eq!(found.len(), 1, "{name}");
            assert_eq!(found[0].roles.len(), Role::ALL.len(), "{name}");
        }
    }

    #[test]
    fn spellings_follow_from_the_name() {
        let limits = find(Role::Serve, "rate-limits").unwrap();
        assert_eq!(limits.key(), "rate_limits");
        assert_eq!(limits.variable(), "TERN_RATE_LIMITS");
        assert_eq!(limits.flag(), "rate-limits");
        assert_eq!(find(Role::Web, "key").unwrap().flag(), "key-file");
        assert!(find(Role::Serve, "key").is_none());
    }
}
