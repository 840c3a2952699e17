//! What is typed: the commands, and the flags that the table of settings and the commands' own structs
//! make. It drives parsing, `--help`, the manual page and completions alike.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{
    Arg, ArgAction, ArgMatches, Args, Command, CommandFactory, FromArgMatches, Parser, Subcommand,
};

use super::backup::RawBackup;
use super::check::RawCheck;
use super::cluster::RawCluster;
use super::config::file::DEFAULT_PATH;
use super::config::layers::Typed;
use super::config::setting::{self, Kind, Role, SETTINGS, Setting};
use super::configure::RawConfigure;
use super::health::RawHealth;
use super::user::RawUser;
use super::user::import::RawImport;
use super::user::invite::RawInvite;

/// Commands that run until they are told to stop; the others are done when they return.
const RUNNING: [Role; 4] = Role::ALL;
/// Where flags that every command has stand in a help text: behind its own.
const OF_ALL_ORDER: usize = 900;
/// The manual page and the completions share a line of the overview.
const PRINTED: [&str; 2] = ["man", "completions"];

/// What was typed.
#[derive(Debug, Parser)]
#[command(
    name = "tern",
    version,
    about = "A microblog for a street, a club, a class, on one small machine or on three"
)]
struct RawArgs {
    #[command(flatten)]
    common: RawCommon,
    #[command(subcommand)]
    command: RawConfig,
}

/// What every command has.
#[derive(Debug)]
pub(super) struct RawCommon {
    /// The configuration file that was named.
    pub config: Option<PathBuf>,
    /// How the log is written.
    pub typed: Typed,
}

/// A command and its options as they were typed.
#[derive(Debug, Subcommand)]
pub(super) enum RawConfig {
    /// One machine: web server and backend in one process
    Serve(Flags<SERVE>),
    /// One of several backends, which keep the users' files
    Backend(Flags<BACKEND>),
    /// A web server that asks backends
    Web(Flags<WEB>),
    /// Try a cluster on this machine: backends and a web server
    RunCluster(Flags<RUN_CLUSTER>),
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
    /// An account of what a member took along: `tern import FILE`
    ///
    /// The whole file is checked first. An import that was broken off goes on when the same command is
    /// given again, and nothing stands there twice. Asked of the machines while they run; exit codes as
    /// those of tern user.
    Import(RawImport),
    /// Copy every user's file, and bring them back: `tern backup`
    #[command(subcommand)]
    Backup(RawBackup),
    /// Look at a stopped machine's data directory, file by file
    ///
    /// Nothing is changed without --repair. Exit codes, for what is left: 0 nothing is wrong, 1 something
    /// is, and the machine can be started all the same, 2 wrong use, 3 in use, or not usable by this program.
    Check(RawCheck),
    /// Ask the web server how it is: exit code 0 well, 1 not
    Health(RawHealth),
    /// Check the configuration, or show what holds and why
    #[command(subcommand)]
    Config(RawConfigure),
    /// Print the manual page, as in `tern man | man -l -`
    Man,
    /// Print completions for a shell
    Completions(RawCompletions),
}

impl RawConfig {
    /// The command and what was typed for it, if it is one with settings.
    pub(super) const fn settings(&self) -> Option<(Role, &Typed)> {
        match self {
            Self::Serve(Flags(typed)) => Some((Role::Serve, typed)),
            Self::Backend(Flags(typed)) => Some((Role::Backend, typed)),
            Self::Web(Flags(typed)) => Some((Role::Web, typed)),
            Self::RunCluster(Flags(typed)) => Some((Role::RunCluster, typed)),
            Self::Cluster(_)
            | Self::User(_)
            | Self::Invite(_)
            | Self::Import(_)
            | Self::Backup(_)
            | Self::Check(_)
            | Self::Health(_)
            | Self::Config(_)
            | Self::Man
            | Self::Completions(_) => None,
        }
    }
}

/// Options of `tern completions`.
#[derive(Debug, Args)]
pub(super) struct RawCompletions {
    /// Which shell
    #[arg(value_parser = ["bash", "zsh", "fish"])]
    pub shell: String,
}

/// A command line that could be read.
#[derive(Debug)]
pub(super) struct Line {
    pub common: RawCommon,
    pub command: RawConfig,
}

const SERVE: usize = 0;
const BACKEND: usize = 1;
const WEB: usize = 2;
const RUN_CLUSTER: usize = 3;
/// All settings, for a command that looks at those of others.
pub(super) const ANY: usize = 4;

/// The flags of a command of [`Role::ALL`], made from the table.
#[derive(Debug)]
pub(super) struct Flags<const ROLE: usize>(pub Typed);

impl<const ROLE: usize> Flags<ROLE> {
    fn settings() -> Vec<&'static Setting> {
        let mut found: Vec<&Setting> = match Role::ALL.get(ROLE) {
            Some(role) => setting::of(*role).collect(),
            None => SETTINGS.iter().collect(),
        };
        let mut names = Vec::new();
        found.retain(|setting| {
            let is_new = !setting.is_of_all() && !names.contains(&setting.name);
            names.push(setting.name);
            is_new
        });
        found
    }

    /// Whether `tern run-cluster` starts the command.
    fn is_child() -> bool {
        matches!(Role::ALL.get(ROLE), Some(Role::Backend | Role::Web))
    }
}

impl<const ROLE: usize> Args for Flags<ROLE> {
    fn augment_args(command: Command) -> Command {
        let command = command.args(Self::settings().into_iter().map(flag));
        if !Self::is_child() {
            return command;
        }
        let words = "Stop when standard input, a pipe, ends";
        command.arg(
            Arg::new("stop-with-parent")
                .long("stop-with-parent")
                .hide(true)
                .action(ArgAction::SetTrue)
                .help(words),
        )
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<const ROLE: usize> FromArgMatches for Flags<ROLE> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let stop_with_parent = Self::is_child() && matches.get_flag("stop-with-parent");
        let values = typed(matches, &Self::settings());
        Ok(Self(Typed { values, stop_with_parent }))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

impl Args for RawCommon {
    fn augment_args(command: Command) -> Command {
        let config = Arg::new("config")
            .long("config")
            .value_name("FILE")
            .value_parser(clap::value_parser!(OsString))
            .global(true)
            .display_order(OF_ALL_ORDER)
            .help(format!(
                "The configuration file, TOML; empty for none\n[default: {DEFAULT_PATH}] [env: TERN_CONFIG]"
            ));
        let common = |setting| flag(setting).global(true).display_order(OF_ALL_ORDER);
        command.arg(config).args(setting::of_all().map(common))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl FromArgMatches for RawCommon {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let config = matches.get_one::<OsString>("config").map(PathBuf::from);
        let settings: Vec<_> = setting::of_all().collect();
        let values = typed(matches, &settings);
        Ok(Self { config, typed: Typed { values, stop_with_parent: false } })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

/// The flag of a setting.
fn flag(setting: &Setting) -> Arg {
    let name = setting.flag();
    let variable = match (setting.kind, setting.variable()) {
        (Kind::Secret, own) => format!("{own}_FILE, or {own} with the secret itself"),
        (_, own) => own,
    };
    let default = setting.default_words().map(|words| format!("[default: {words}] "));
    let help = format!("{}\n{}[env: {variable}]", setting.help, default.unwrap_or_default());
    let arg = Arg::new(name.clone()).long(name).help(help);
    if setting.kind == Kind::Flag {
        return arg.action(ArgAction::SetTrue);
    }
    arg.value_name(setting.value).value_parser(clap::value_parser!(OsString))
}

/// The values of these settings that were typed.
fn typed(matches: &ArgMatches, settings: &[&Setting]) -> Vec<(String, OsString)> {
    let one = |setting: &&Setting| {
        let name = setting.flag();
        let text = if setting.kind == Kind::Flag {
            matches.get_flag(&name).then(|| OsString::from("on"))
        } else {
            matches.get_one::<OsString>(&name).cloned()
        };
        Some((name, text?))
    };
    settings.iter().filter_map(one).collect()
}

/// Reads a command line, program name first. `defaults` are those of flags, by their names with `_`,
/// of commands that have no settings of their own.
///
/// # Errors
/// Clap's, which is also how `--help` and `--version` come out.
pub(super) fn parse(
    args: impl IntoIterator<Item = OsString>,
    defaults: &[(&'static str, OsString)],
) -> Result<Line, clap::Error> {
    let command = command().mut_subcommands(|command| match Role::named(command.get_name()) {
        Some(_) => command,
        None => with_defaults(command, defaults),
    });
    let matches = command.try_get_matches_from(args)?;
    let RawArgs { common, command } = RawArgs::from_arg_matches(&matches)?;
    Ok(Line { common, command })
}

/// Every command. An option has one spelling, `--key=value`, so that a forgotten value can never
/// swallow the option behind it.
pub(super) fn command() -> Command {
    let command = with_equals(RawArgs::command());
    let overview = overview(&command);
    command.help_template(overview)
}

/// A command and those below it, whose options are spelt `--key=value`.
fn with_equals(command: Command) -> Command {
    let spelt = command.mut_args(|arg| {
        let is_option = arg.get_long().is_some() && arg.get_action().takes_values();
        if is_option { arg.require_equals(true) } else { arg }
    });
    spelt.mut_subcommands(with_equals)
}

/// What must be named, and all of a command that makes a new cluster, has no default.
fn with_defaults(command: Command, defaults: &[(&'static str, OsString)]) -> Command {
    if command.get_name() == "restore" {
        return command;
    }
    let command = command.mut_args(|arg| {
        let takes = arg.get_long().is_some() && !arg.is_required_set();
        let found = defaults.iter().find(|(name, _)| takes && arg.get_id() == name);
        match found {
            Some((_, text)) => arg.default_value(text.clone()),
            None => arg,
        }
    });
    command.mut_subcommands(|command| with_defaults(command, defaults))
}

/// Shown by `tern --help`: it fits a terminal of 24 lines.
fn overview(command: &Command) -> String {
    let is_running = |name: &str| RUNNING.iter().any(|role| role.name() == name);
    let line = |name: &str, about: String| format!("  {name:<17}{about}\n");
    let about =
        |command: &Command| command.get_about().map(ToString::to_string).unwrap_or_default();
    let (mut run, mut manage) = (String::new(), String::new());
    for command in command.get_subcommands() {
        let name = command.get_name();
        if is_running(name) {
            run.push_str(&line(name, about(command)));
        } else if !PRINTED.contains(&name) {
            manage.push_str(&line(name, about(command)));
        }
    }
    manage.push_str(&line(
        "man, completions",
        "Print the manual page; completions for a shell".to_owned(),
    ));
    format!(
        "\
Tern {{version}}: a microblog for a small community, on one machine or on three
Usage: tern COMMAND [--OPTION=VALUE...]
Run:
{run}Manage:
{manage}Options:
  --config=FILE  The configuration file, TOML [default: {DEFAULT_PATH}]
  --log=LEVEL    How much is logged to standard error [default: info]
  -h, --help     This text; with a command, its options, defaults and variables
  -V, --version  The version
Files: {DEFAULT_PATH}, TERN_* variables, data in ./db (see `tern man`)
Example: tern serve --listen=127.0.0.1:8080 --data=db
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(line: &str) -> String {
        let args = line.split_whitespace().map(OsString::from);
        let error = parse(args, &[]).expect_err(line);
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
        assert!(help.lines().all(|line| line.chars().count() <= 80), "{help}");
        let (run, manage) = help.split_once("\nManage:\n").expect("two groups");
        for below in command().get_subcommands() {
            let name = below.get_name();
            let is_running = Role::named(name).is_some();
            assert_eq!(run.contains(&format!("\n  {name} ")), is_running, "{name}: {help}");
            assert!(is_running || manage.contains(name), "{name}: {help}");
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
    fn every_flag_of_the_table_stands_in_its_commands_help() {
        for role in Role::ALL {
            let args = ["tern", "help", role.name()].map(OsString::from);
            let help = parse(args, &[]).expect_err("help comes out as an error").to_string();
            for setting in setting::of(role) {
                assert!(help.contains(&format!("--{}", setting.flag())), "{help}");
                let variable = setting.variable();
                assert!(help.contains(&variable), "{variable}: {help}");
                if let Some(default) = setting.default_words() {
                    let words = help.split_whitespace().collect::<Vec<_>>().join(" ");
                    assert!(words.contains(&format!("[default: {default}]")), "{default}: {help}");
                }
            }
        }
    }

    #[test]
    fn defaults_of_the_configuration_reach_other_commands() {
        let defaults = [("data", OsString::from("/d"))];
        let args = ["tern", "cluster", "status"].map(OsString::from);
        let line = parse(args, &defaults).unwrap();
        assert!(format!("{line:?}").contains("data: \"/d\""), "{line:?}");
        let args = ["tern", "cluster", "status", "--data=/e"].map(OsString::from);
        let line = parse(args, &defaults).unwrap();
        assert!(format!("{line:?}").contains("data: \"/e\""), "{line:?}");
    }

    /// Others see what is typed, and a shell keeps it.
    #[test]
    fn no_command_takes_the_key_itself() {
        let mut left = vec![command()];
        while let Some(command) = left.pop() {
            let mut long = command.get_arguments().filter_map(Arg::get_long);
            assert!(long.all(|name| name != "key"), "{}", command.get_name());
            left.extend(command.get_subcommands().cloned());
        }
        for line in [
            "tern cluster status --key=abcd",
            "tern user list --key=abcd",
            "tern invite list --key=abcd",
            "tern import file --key=abcd",
            "tern backup create file --key=abcd",
        ] {
            let told = refusal(line);
            assert!(told.contains("unexpected argument '--key'"), "{told}");
            assert!(!told.contains("abcd"), "{told}");
        }
    }

    #[test]
    fn no_command_shows_help() {
        assert!(refusal("tern").contains("Usage: tern COMMAND"));
    }

    #[test]
    fn help_of_command_has_defaults_and_hides_inner_options() {
        let args = ["tern", "backend", "--help"].map(OsString::from);
        let error = parse(args, &[]).expect_err("help comes out as an error");
        assert_eq!(error.exit_code(), 0);
        let help = error.to_string();
        assert!(help.contains("--data=<DIR>") && help.contains("[default: db]"), "{help}");
        assert!(help.contains("[env: TERN_RATE_LIMITS]"), "{help}");
        assert!(!help.contains("stop-with-parent"), "{help}");
    }
}
