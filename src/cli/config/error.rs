//! Why a configuration cannot be used.

use std::path::PathBuf;

use super::source::Source;
use crate::id::NodeId;
use crate::limits::{
    CONFIG_FILE_BYTES_MAX, NAME_CHARS_MAX, OPERATOR_ADDRESSES_MAX, TRUSTED_PROXIES_MAX,
};

/// A value that cannot be used, where it stands, why, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// Not an address with a port.
    #[error("{at}={value}: not ADDRESS:PORT, as in 127.0.0.1:8080 or [::1]:8080")]
    Address {
        /// Where it stands.
        at: Source,
        /// The address, alone or out of a list.
        value: String,
    },
    /// Port 0 where others must know the port.
    #[error("{at}={value}: others must know the port; choose one from 1 to 65535")]
    PortZero {
        /// Where it stands.
        at: Source,
        /// The address.
        value: String,
    },
    /// An address that other machines could reach.
    #[error("{at}={value}: other machines must not read it; use 127.0.0.1:PORT or [::1]:PORT")]
    NotLoopback {
        /// Where it stands.
        at: Source,
        /// The address.
        value: String,
    },
    /// A number outside its range.
    #[error("{at}={value}: not a number from {min} to {max}")]
    Number {
        /// Where it stands.
        at: Source,
        /// What was given.
        value: String,
        /// The least.
        min: u16,
        /// The most.
        max: u16,
    },
    /// The backends' ports would end beyond the last port.
    #[error("{at}={first}: {count} ports from there pass 65535; choose a lower one")]
    PortsEnd {
        /// Where it stands.
        at: Source,
        /// The first.
        first: u16,
        /// How many.
        count: u16,
    },
    /// None of the words that can stand there.
    #[error("{at}={value}: use {allowed}")]
    Word {
        /// Where it stands.
        at: Source,
        /// What was given.
        value: String,
        /// What can be given.
        allowed: &'static str,
    },
    /// What should name a machine and is not a number and an address.
    #[error("{at}: {entry:?} is not NUMBER=ADDRESS:PORT, as in 1=192.168.1.21:7001")]
    Peer {
        /// Where it stands.
        at: Source,
        /// The entry.
        entry: String,
    },
    /// Two machines under one number.
    #[error("{at} names machine {node} twice; every machine has a number of its own")]
    PeerTwice {
        /// Where it stands.
        at: Source,
        /// The number.
        node: NodeId,
    },
    /// One address for two machines.
    #[error("{at} names {value} twice; every backend has an address of its own")]
    AddressTwice {
        /// Where it stands.
        at: Source,
        /// The address.
        value: String,
    },
    /// More addresses than a cluster has machines.
    #[error(
        "--at names more than {OPERATOR_ADDRESSES_MAX} addresses; a cluster has fewer machines"
    )]
    AddressesTooMany,
    /// One port for two listeners of a process.
    #[error("{at}={value}: --listen has that port; choose another one")]
    PortTwice {
        /// Where it stands.
        at: Source,
        /// The address.
        value: String,
    },
    /// An address of no machine, where others are to find one.
    #[error("{at}: {value} is no machine's address; name the one at which the others reach it")]
    Everywhere {
        /// Where it stands.
        at: Source,
        /// The address.
        value: String,
    },
    /// What can name no file and no directory.
    #[error("{at}: no path; it has one character at least, and none of them is NUL")]
    Path {
        /// Where it stands.
        at: Source,
    },
    /// A list of peers without the machine itself.
    #[error("{at}={peers}: machine {node} (--node) is not in it; add {node}=ADDRESS:PORT")]
    PeersLackSelf {
        /// Where it stands.
        at: Source,
        /// The machine.
        node: NodeId,
        /// The list.
        peers: String,
    },
    /// Not an IP address.
    #[error("{at}: {value:?} is not an IP address, as in 127.0.0.1")]
    Proxy {
        /// Where it stands.
        at: Source,
        /// The entry.
        value: String,
    },
    /// More than are looked at.
    #[error("{at} names more than {TRUSTED_PROXIES_MAX} addresses")]
    ProxiesTooMany {
        /// Where it stands.
        at: Source,
    },
    /// The site's address cannot be used.
    #[error("{at}: {why}")]
    Origin {
        /// Where it stands.
        at: Source,
        /// Why not.
        why: String,
    },
    /// A name that cannot stand on a page.
    #[error("{at}={value:?}: use 1 to {NAME_CHARS_MAX} characters, none of them invisible")]
    Name {
        /// Where it stands.
        at: Source,
        /// What was given.
        value: String,
    },
    /// Bytes that are no text.
    #[error("{at}: not UTF-8")]
    NotText {
        /// Where it stands.
        at: Source,
    },
    /// A value of a kind that cannot stand there.
    #[error("{at}: {found} where {allowed} can stand")]
    Shape {
        /// Where it stands.
        at: Source,
        /// What it is.
        found: &'static str,
        /// What it can be.
        allowed: &'static str,
    },
    /// A secret that is none.
    #[error("{at}=***: no key: expected 64 digits 0-9 a-f (or web: and 64 digits)")]
    Key {
        /// Where it stands.
        at: Source,
    },
    /// A secret and the file that holds it, both given.
    #[error("{at}: {other} is given too; leave one of them out")]
    Both {
        /// Where the one stands.
        at: Source,
        /// The other's name.
        other: String,
    },
    /// What a command cannot do without.
    #[error(
        "tern {command} needs --{flag}={value} (or {variable}, or {key} in the configuration file)"
    )]
    Missing {
        /// Which command.
        command: &'static str,
        /// The flag.
        flag: String,
        /// What stands for its value.
        value: &'static str,
        /// The environment's name for it.
        variable: String,
        /// The file's name for it.
        key: String,
    },
    /// The directory does not say which machine it is.
    #[error(
        "tern backend needs --{flag}={value}: {} is no machine's directory yet; tern cluster init, add \
         or replace makes it one", path.display()
    )]
    NotSetUp {
        /// What it would say.
        flag: &'static str,
        /// What stands for its value.
        value: &'static str,
        /// The directory.
        path: PathBuf,
    },
    /// It is one that others have no address of.
    #[error(
        "tern backend needs --listen=ADDR:PORT: {} is the directory of a machine that is alone (tern \
         serve), and names none", path.display()
    )]
    SetUpAlone {
        /// The directory.
        path: PathBuf,
    },
    /// Nor can it be asked.
    #[error("{} does not tell which machine this is: {why}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// In the words of whoever tried.
        why: String,
    },
    /// A key that the file cannot have there.
    #[error("{path} line {line}: {what}")]
    Unknown {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// Which key, and what there is instead.
        what: String,
    },
    /// The file is no TOML.
    #[error("{path} line {line}, column {column}: {what}")]
    Syntax {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
        /// In characters, counted from 1.
        column: usize,
        /// In the parser's words.
        what: String,
    },
    /// The file is larger than any that somebody wrote.
    #[error("{path}: larger than {CONFIG_FILE_BYTES_MAX} bytes; is it the right file?")]
    TooLarge {
        /// Which file.
        path: PathBuf,
    },
    /// The file is no text.
    #[error("{path} line {line}: not UTF-8")]
    FileNotText {
        /// Which file.
        path: PathBuf,
        /// Counted from 1.
        line: usize,
    },
    /// The file is a directory, a pipe or a device.
    #[error("{path}: a {what}, where a file should be")]
    NotFile {
        /// Which.
        path: PathBuf,
        /// What it is.
        what: &'static str,
    },
    /// The file cannot be read.
    #[error("cannot read {path}: {}", told(*why))]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// In the system's words.
        why: std::io::ErrorKind,
    },
    /// A file with a secret that everybody can read.
    #[error("{path} holds a key and everybody can read it: run chmod o-rwx {path}")]
    Open {
        /// Which file.
        path: PathBuf,
    },
    /// Not a user name.
    #[error("{value:?} is no user name: 2 to 24 of a-z, 0-9 and _, beginning with a letter")]
    UserName {
        /// What was given.
        value: String,
    },
    /// Standard input is not what `tern run-cluster` makes it.
    #[error("--stop-with-parent: standard input is no pipe; leave the option out")]
    NoParentPipe,
}

/// What the system said, in words that fit a file.
fn told(why: std::io::ErrorKind) -> String {
    match why {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        why => why.to_string(),
    }
}
