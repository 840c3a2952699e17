//! The table of commands and options, as strings: it drives parsing and `--help` alike.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};

use super::backup::RawBackup;
use super::check::RawCheck;
use super::cluster::RawCluster;
use super::user::RawUser;
use super::user::import::RawImport;
use super::user::invite::RawInvite;

/// Shown by `tern --help`: it fits a terminal of 24 lines.
const TOP_HELP: &str = "\
Tern {version}: a microblog for a street, a club, a class, on one small machine or on three

Usage: tern COMMAND [--OPTION=VALUE...]

Commands:
{subcommands}

Options:
  -h, --help     This text; with a command, its options and their defaults
  -V, --version  The version

Data is kept in ./db unless --data says otherwise. Logs go to standard error;
TERN_LOG=error|warn|info|debug|trace sets how much (info).
Exit codes: 0 done, 1 failed, 2 wrong use, 3 data unusable, 4 too few machines.
";

/// What was typed.
#[derive(Debug, Parser)]
#[command(name = "tern", version, help_template = TOP_HELP)]
struct RawArgs {
    #[command(subcommand)]
    command: RawConfig,
}

/// A command and its options as they were typed.
#[derive(Debug, Subcommand)]
pub(super) enum RawConfig {
    /// One machine: web server and backend in one process
    Serve(RawServe),
    /// One of several backends, which keep the users' files
    Backend(RawBackend),
    /// A web server that asks backends
    Web(RawWeb),
    /// Try a cluster on this machine: several backends and a web server
    RunCluster(RawRunCluster),
    /// Look at a running cluster: `tern cluster status`
    #[command(subcommand)]
    Cluster(RawCluster),
    /// Accounts, keepers, lost passwords: `tern user list`
    ///
    /// It is asked of the machines while they run, under the cluster's key. Exit codes: 0 done, 1 not
    /// done in time, 2 wrong use, or refused, 4 not enough machines.
    #[command(subcommand)]
    User(RawUser),
    /// Codes with which others may join: `tern invite new`
    ///
    /// Asked of the machines while they run; exit codes as those of tern user.
    #[command(subcommand)]
    Invite(RawInvite),
    /// Make an account of what a member took along: `tern import FILE`
    ///
    /// The whole file is checked first. An import that was broken off goes on when the same command is
    /// given again, and nothing stands there twice. Asked of the machines while they run; exit codes as
    /// those of tern user.
    Import(RawImport),
    /// Copy every user's file, and bring them back: `tern backup create`
    #[command(subcommand)]
    Backup(RawBackup),
    /// Look at a stopped machine's data directory, file by file
    ///
    /// Nothing is changed without --repair. Exit codes, for what is left: 0 nothing is wrong, 1 something
    /// is, and the machine can be started all the same, 2 wrong use, 3 in use, or not usable by this program.
    Check(RawCheck),
}

/// Options of `tern serve`.
#[derive(Debug, Args)]
pub(super) struct RawServe {
    /// Where browsers connect
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// Where the users' files and the key are kept
    #[arg(long, value_name = "DIR", default_value = "db")]
    pub data: PathBuf,
    #[command(flatten)]
    pub site: RawSite,
    #[command(flatten)]
    pub machine: RawMachine,
}

/// Options of `tern backend`.
#[derive(Debug, Args)]
pub(super) struct RawBackend {
    /// This machine's number, 1 to 15; never another machine's again
    #[arg(long, value_name = "N")]
    pub node: String,
    /// Where web servers and the other backends connect
    #[arg(long, value_name = "ADDR:PORT")]
    pub listen: String,
    /// Where the backends listen, by number, this one included [default: as last known]
    #[arg(long, value_name = "1=ADDR:PORT,2=...")]
    pub peers: Option<String>,
    /// Where the users' files are kept
    #[arg(long, value_name = "DIR", default_value = "db")]
    pub data: PathBuf,
    /// The cluster's key, the same on every machine
    #[arg(long, value_name = "FILE")]
    pub key_file: PathBuf,
    /// The community's name: nobody may take it as a password
    #[arg(long, value_name = "NAME", default_value = "Tern")]
    pub community: String,
    #[command(flatten)]
    pub machine: RawMachine,
    #[command(flatten)]
    pub child: RawChild,
}

/// Options of `tern web`.
#[derive(Debug, Args)]
pub(super) struct RawWeb {
    /// Where browsers connect
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// The backends to ask
    #[arg(long, value_name = "ADDR:PORT,...")]
    pub backends: String,
    /// The cluster's key, or the web servers' part of it
    #[arg(long, value_name = "FILE")]
    pub key_file: PathBuf,
    #[command(flatten)]
    pub site: RawSite,
    #[command(flatten)]
    pub child: RawChild,
}

/// Options of `tern run-cluster`.
#[derive(Debug, Args)]
pub(super) struct RawRunCluster {
    /// Where browsers connect; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8080")]
    pub listen: String,
    /// Where each backend gets a directory, and the key is kept
    #[arg(long, value_name = "DIR", default_value = "db")]
    pub data: PathBuf,
    /// How many backends, 1 to 5
    #[arg(long, value_name = "N", default_value = "3")]
    pub backends: String,
    /// The first backend's port, the others follow [default: free ports from 7001]
    #[arg(long, value_name = "PORT")]
    pub backend_port: Option<String>,
    /// Leave a process that ended where it is
    #[arg(long)]
    pub no_restart: bool,
    #[command(flatten)]
    pub site: RawSite,
    /// Limits on signing in, joining and posting: on or off [default: off on loopback]
    #[arg(long, value_name = "on|off")]
    pub rate_limits: Option<String>,
}

/// What a web server needs to know of the site.
#[derive(Debug, Args)]
pub(super) struct RawSite {
    /// The site's address as people type it
    #[arg(
        long,
        value_name = "URL",
        help = "The address people type, as in https://example.org [default: http://LISTEN]"
    )]
    pub origin: Option<String>,
    /// Allow plain http beyond this machine: passwords travel in clear on the network
    #[arg(long)]
    pub insecure_http: bool,
    /// Reverse proxies whose X-Forwarded-For is believed
    #[arg(long, value_name = "IP,...")]
    pub trusted_proxies: Option<String>,
    /// The name on the pages
    #[arg(long, value_name = "NAME", default_value = "Tern")]
    pub community: String,
}

/// What a backend needs to know of itself.
#[derive(Debug, Args)]
pub(super) struct RawMachine {
    /// What people call this machine [default: machine N]
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// Limits on signing in, joining and posting: on or off
    #[arg(long, value_name = "on|off", default_value = "on")]
    pub rate_limits: String,
}

/// What `tern run-cluster` tells the processes it starts.
#[derive(Debug, Args)]
pub(super) struct RawChild {
    /// Stop when standard input, a pipe, ends
    #[arg(long, hide = true)]
    pub stop_with_parent: bool,
}

/// Reads a command line, program name first.
///
/// # Errors
/// Clap's, which is also how `--help` and `--version` come out.
pub(super) fn parse(args: impl IntoIterator<Item = OsString>) -> Result<RawConfig, clap::Error> {
    let matches = command().try_get_matches_from(args)?;
    Ok(RawArgs::from_arg_matches(&matches)?.command)
}

/// The table. An option has one spelling, `--key=value`, so that a forgotten value can never swallow
/// the option behind it.
fn command() -> clap::Command {
    RawArgs::command().mut_subcommands(with_equals)
}

/// A command and those below it, whose options are spelt `--key=value`.
fn with_equals(command: clap::Command) -> clap::Command {
    let spelt = command.mut_args(|arg| {
        if arg.get_action().takes_values() { arg.require_equals(true) } else { arg }
    });
    spelt.mut_subcommands(with_equals)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: &str) -> String {
        let args = line.split_whitespace().map(OsString::from);
        let error = parse(args).expect_err(line);
        assert_eq!(error.exit_code(), 2, "{line}");
        error.to_string()
    }

    #[test]
    fn table_is_consistent() {
        command().debug_assert();
    }

    #[test]
    fn top_help_fits_24_lines_of_80() {
        let help = command().render_help().to_string();
        assert!(help.lines().count() <= 24, "{help}");
        let names = [
            "serve",
            "backend",
            "web",
            "run-cluster",
            "cluster",
            "backup",
            "check",
            "user",
            "invite",
            "import",
        ];
        for name in names {
            assert!(help.contains(name), "{help}");
        }
    }

    #[test]
    fn option_repeated_refused() {
        let text = refusal("tern serve --data=a --data=b");
        assert!(text.contains("--data") && text.contains("multiple times"), "{text}");
    }

    #[test]
    fn option_without_equals_refused() {
        let text = refusal("tern serve --data a");
        assert!(text.contains("--data=<DIR>"), "{text}");
        let text = refusal("tern cluster status --data a");
        assert!(text.contains("--data=<DIR>"), "{text}");
    }

    #[test]
    fn misspelt_command_and_option_suggested() {
        assert!(refusal("tern run-cluser").contains("run-cluster"));
        assert!(refusal("tern serve --lissten=127.0.0.1:1").contains("--listen"));
    }

    #[test]
    fn needed_option_missing_named() {
        let text = refusal("tern backend --node=1 --listen=127.0.0.1:7001 --peers=1=a:1");
        assert!(text.contains("--key-file=<FILE>"), "{text}");
        assert!(refusal("tern web --key-file=k").contains("--backends"));
    }

    #[test]
    fn no_command_shows_help() {
        assert!(refusal("tern").contains("Usage: tern COMMAND"));
    }

    #[test]
    fn help_of_command_has_defaults_and_hides_inner_options() {
        let args = ["tern", "backend", "--help"].map(OsString::from);
        let error = parse(args).expect_err("help comes out as an error");
        assert_eq!(error.exit_code(), 0);
        let help = error.to_string();
        assert!(help.contains("--data=<DIR>") && help.contains("[default: db]"), "{help}");
        assert!(!help.contains("stop-with-parent"), "{help}");
    }
}
