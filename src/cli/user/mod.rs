//! `tern user …`, `tern invite …` and `tern import`: what whoever holds the cluster's key does with
//! accounts, while the machines run. Everything is asked of a backend and written as all that members
//! write; nothing here opens a user's file.

mod ask;
pub(super) mod import;
pub(super) mod invite;
mod secret;

use std::io::{BufRead, IsTerminal, Write};

use clap::{Args, Subcommand};
use serde_json::json;

use super::cluster::target::Target;
use super::cluster::{ClusterError, RawTarget};
use super::config::{ConfigError, Key};
use super::error::CliError;
use super::{answer, answer_done, answer_once};
use crate::action::Problem;
use crate::auth::link::LinkSecret;
use crate::auth::policy::{self, Names};
use crate::clock::Wall;
use crate::id::{RequestId, RequestKey, UserName};
use crate::limits::RESET_LINK_MS;
use crate::web::origin::{Origin, OriginError};
use crate::web::route::Route;
use crate::wire::upkeep::{Order, Password, Stands, Told, UserRow};
use ask::Asker;

/// What can be done with accounts, as it was typed.
#[derive(Debug, Subcommand)]
pub(super) enum RawUser {
    /// Who has an account, and how they stand
    List(RawList),
    /// Make an account, whoever may join by themselves
    ///
    /// Prints a password that was made for it, unless one comes on standard input.
    Add(RawAdd),
    /// Print a link with which whoever lost their password chooses another one, once
    ///
    /// It holds for an hour, and the old password until then; whoever uses it is signed out everywhere
    /// else. `tern user signout` does that at once.
    Passwd(RawPasswd),
    /// Make a member a keeper of the community, who sees /mod; or not any more
    Admin(RawAdmin),
    /// Let a member write nothing, until it is lifted or for some days
    ///
    /// It is written, and told in the log of /mod, in the name of a keeper.
    Suspend(RawSuspend),
    /// Delete an account and all that it wrote, for good; its name stays taken
    Delete(RawDelete),
    /// End all sessions of an account, on whatever device
    Signout(RawNamed),
}

/// Of which cluster, and how it is told.
#[derive(Debug, Args)]
pub(super) struct RawHow {
    #[command(flatten)]
    target: RawTarget,
    /// One JSON object instead of words
    #[arg(long)]
    json: bool,
}

/// Options of `tern user list`.
#[derive(Debug, Args)]
pub(super) struct RawList {
    /// Only keepers
    #[arg(long)]
    admins: bool,
    #[command(flatten)]
    how: RawHow,
}

/// Options of `tern user add`.
#[derive(Debug, Args)]
pub(super) struct RawAdd {
    /// The user name: 2 to 24 of a-z, 0-9 and _, beginning with a letter
    #[arg(value_name = "NAME")]
    name: String,
    /// The name shown [default: NAME]
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// Make them a keeper
    #[arg(long)]
    admin: bool,
    /// Read the password, one line, from standard input
    #[arg(long)]
    password_stdin: bool,
    #[arg(
        long,
        value_name = "URL",
        help = "The site's address, to say where to sign in [env: TERN_ORIGIN]"
    )]
    origin: Option<String>,
    #[command(flatten)]
    how: RawHow,
}

/// Options of a command that needs a name alone.
#[derive(Debug, Args)]
pub(super) struct RawNamed {
    /// The user name
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    how: RawHow,
}

/// Options of `tern user passwd`.
#[derive(Debug, Args)]
pub(super) struct RawPasswd {
    /// The user name
    #[arg(value_name = "NAME")]
    name: String,
    #[arg(long, value_name = "URL", help = "The site's address, for the link [env: TERN_ORIGIN]")]
    origin: Option<String>,
    #[command(flatten)]
    how: RawHow,
}

/// Options of `tern user admin`.
#[derive(Debug, Args)]
pub(super) struct RawAdmin {
    /// The user name
    #[arg(value_name = "NAME")]
    name: String,
    /// Let them be a keeper no longer; what they did stays
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    how: RawHow,
}

/// Options of `tern user suspend`.
#[derive(Debug, Args)]
pub(super) struct RawSuspend {
    /// The user name
    #[arg(value_name = "NAME")]
    name: String,
    /// For how many days, 1 to 366 [default: until it is lifted]
    #[arg(long, value_name = "N")]
    days: Option<String>,
    /// Why: they are told
    #[arg(long, value_name = "TEXT", default_value = "by the operator")]
    reason: String,
    /// In which keeper's name [default: the first one's by name]
    #[arg(long, value_name = "KEEPER")]
    by: Option<String>,
    /// End it
    #[arg(long, conflicts_with_all = ["days", "reason"])]
    lift: bool,
    #[command(flatten)]
    how: RawHow,
}

/// Options of `tern user delete`.
#[derive(Debug, Args)]
pub(super) struct RawDelete {
    /// The user name
    #[arg(value_name = "NAME")]
    name: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    how: RawHow,
}

/// Of which cluster, and how it is told.
#[derive(Debug, PartialEq, Eq)]
struct How {
    target: Target,
    json: bool,
}

/// What is done.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct User {
    how: How,
    what: What,
}

#[derive(Debug, PartialEq, Eq)]
enum What {
    List { only_keepers: bool },
    Add(Add),
    Passwd { user: UserName, origin: Option<Origin> },
    Delete { user: UserName, yes: bool },
    Order { name: &'static str, order: Order },
}

/// An account to be made.
#[derive(Debug, PartialEq, Eq)]
struct Add {
    user: UserName,
    display_name: String,
    is_keeper: bool,
    from_stdin: bool,
    origin: Option<Origin>,
}

impl RawHow {
    fn check(self, key: Option<Key>) -> Result<How, ConfigError> {
        Ok(How { target: Target::check(self.target, key)?, json: self.json })
    }
}

impl User {
    pub(super) fn check(raw: RawUser, key: Option<Key>) -> Result<Self, ConfigError> {
        let (how, what) = match raw {
            RawUser::List(raw) => (raw.how, What::List { only_keepers: raw.admins }),
            RawUser::Add(raw) => {
                let display_name = raw.display_name.unwrap_or_default();
                let (is_keeper, from_stdin) = (raw.admin, raw.password_stdin);
                let (user, origin) = (name(&raw.name)?, site(raw.origin)?);
                let add = Add { user, display_name, is_keeper, from_stdin, origin };
                (raw.how, What::Add(add))
            }
            RawUser::Passwd(raw) => {
                let (user, origin) = (name(&raw.name)?, site(raw.origin)?);
                (raw.how, What::Passwd { user, origin })
            }
            RawUser::Admin(raw) => {
                let (user, is_keeper) = (name(&raw.name)?, !raw.remove);
                (raw.how, What::order("admin", Order::SetKeeper { user, is_keeper }))
            }
            RawUser::Suspend(raw) => {
                let user = name(&raw.name)?;
                let by = raw.by.as_deref().map(name).transpose()?;
                if raw.lift {
                    (raw.how, What::order("lift", Order::Lift { user, by }))
                } else {
                    let days = raw.days.map(|text| number("days", text, [1, 366])).transpose()?;
                    let (hours, reason) = (days.map(|days| days * 24), raw.reason);
                    let order = Order::Suspend { user, hours, reason, by };
                    (raw.how, What::order("suspend", order))
                }
            }
            RawUser::Delete(raw) => {
                (raw.how, What::Delete { user: name(&raw.name)?, yes: raw.yes })
            }
            RawUser::Signout(raw) => {
                let order = Order::SignOut { user: name(&raw.name)? };
                (raw.how, What::order("signout", order))
            }
        };
        Ok(Self { how: how.check(key)?, what })
    }
}

impl What {
    const fn order(name: &'static str, order: Order) -> Self {
        Self::Order { name, order }
    }
}

/// A user's name as it was typed.
fn name(text: &str) -> Result<UserName, ConfigError> {
    UserName::from_input(text).map_err(|_| ConfigError::UserName { value: text.to_owned() })
}

/// The site's address as it was typed. That a home network has no https was said where it was set.
fn site(text: Option<String>) -> Result<Option<Origin>, ConfigError> {
    let at = || super::config::Source::from("origin");
    let wrong = |error: OriginError| ConfigError::Origin { at: at(), why: error.to_string() };
    text.map(|text| Origin::parse(&text, true)).transpose().map_err(wrong)
}

/// A number as it was typed.
fn number(option: &'static str, value: String, [min, max]: [u16; 2]) -> Result<u32, ConfigError> {
    let number = value.parse::<u16>().ok().filter(|number| (min..=max).contains(number));
    let is_plain = value.bytes().all(|byte| byte.is_ascii_digit());
    match number.filter(|_| is_plain) {
        Some(number) => Ok(number.into()),
        None => Err(ConfigError::Number { at: option.into(), value, min, max }),
    }
}

/// Runs the command.
///
/// # Errors
/// [`CliError`].
pub(super) fn run(user: &User) -> Result<(), CliError> {
    let json = user.how.json;
    match &user.what {
        What::List { only_keepers } => list(&user.how, *only_keepers),
        What::Add(what) => add(&user.how, what),
        What::Passwd { user: name, origin } => passwd(&user.how, name, origin.as_ref()),
        What::Delete { user: name, yes } => {
            let mut asker = Asker::new(&user.how.target)?;
            if !yes {
                confirm(name)?;
            }
            asker.ask(&Order::Delete { user: name.clone() })?;
            tell("delete", name, json, None)
        }
        What::Order { name: done, order } => {
            let told = Asker::new(&user.how.target)?.ask(order)?;
            let (Order::SetKeeper { user: name, .. }
            | Order::Suspend { user: name, .. }
            | Order::Lift { user: name, .. }
            | Order::SignOut { user: name }) = order
            else {
                return Ok(());
            };
            if let Told::By { user: by } = &told
                && !json
            {
                answer(&format!("in the name of {by}"))?;
            }
            tell(done, name, json, sessions(&told))
        }
    }
}

/// Makes an account, and says where its owner signs in, and with what.
fn add(how: &How, what: &Add) -> Result<(), CliError> {
    let Add { user, display_name, is_keeper, from_stdin, origin } = what;
    let given = from_stdin.then(|| secret::read(std::io::stdin().lock())).transpose()?;
    let host = origin.as_ref().map(Origin::host).unwrap_or_default();
    let names = Names { host: &host, ..Names::default() };
    // What else is wrong with it the backend says.
    if given.as_ref().is_some_and(|text| policy::check(text, names) == Some(Problem::Guessable)) {
        let why = "the password is made of the site's address, which everybody sees";
        return Err(ClusterError::Refused(why.to_owned()).into());
    }
    let password = given.clone().map_or_else(secret::fresh, Ok)?;
    let order = Order::Add {
        key: RequestKey { ops: u64::MAX, id: RequestId(super::cluster::random()?.0) },
        user: user.clone(),
        display_name: display_name.clone(),
        password: Password(password.clone()),
        is_keeper: *is_keeper,
    };
    Asker::new(&how.target)?.ask(&order)?;
    let sign_in = origin.as_ref().map(|origin| format!("{origin}{}", Route::Login));
    // One that was given is known.
    let password = given.is_none().then_some(password.as_str());
    let text = if how.json {
        let mut told = json!({ "done": "add", "user": user });
        if let Some(fields) = told.as_object_mut() {
            fields.extend(password.map(|text| ("password".to_owned(), text.into())));
            fields.extend(sign_in.map(|address| ("sign_in".to_owned(), address.into())));
        }
        told.to_string()
    } else {
        let address = match sign_in {
            Some(address) => format!("sign in at: {address}"),
            None => format!("sign in at {} of the site; {UNKNOWN}", Route::Login),
        };
        let password = password.map(|text| format!("\npassword: {text}")).unwrap_or_default();
        format!("{user} has an account\n{address}{password}")
    };
    if password.is_none() {
        return answer(&text);
    }
    answer_once(&text, || no_password(user))
}

/// What to do about an account whose password nobody has seen.
fn no_password(user: &UserName) -> String {
    format!(
        "{user} has an account, but its password could not be shown: tern user passwd {user} makes a \
         link for another one"
    )
}

/// Why an address is said without its beginning.
const UNKNOWN: &str = "its address is not known here: --origin=URL says it, TERN_ORIGIN, or origin in \
                       the configuration";

/// Makes a link for a lost password, and says it once. Only its hash leaves this process.
fn passwd(how: &How, user: &UserName, origin: Option<&Origin>) -> Result<(), CliError> {
    let secret = LinkSecret::generate().map_err(|_| ClusterError::NoRandomness)?;
    let order = Order::OfferReset { user: user.clone(), link: secret.hash() };
    Asker::new(&how.target)?.ask(&order)?;
    let site = origin.map(ToString::to_string).unwrap_or_default();
    let link = format!("{site}{}?link={user}.{}", Route::NewPassword, secret.secret());
    let minutes = RESET_LINK_MS / 60_000;
    let text = if how.json {
        json!({ "done": "passwd", "user": user, "link": link, "minutes": minutes }).to_string()
    } else {
        let whole = match origin {
            Some(_) => String::new(),
            None => format!("it goes behind the address of the site; {UNKNOWN}\n"),
        };
        format!(
            "{user} may choose a new password within {minutes} minutes, once, by this link\n\
             {whole}link: {link}"
        )
    };
    answer_once(&text, || {
        format!(
            "a link was made for {user}, but could not be shown: tern user passwd {user} makes another \
             one, in its place"
        )
    })
}

const fn sessions(told: &Told) -> Option<u32> {
    if let Told::SignedOut { sessions } = told { Some(*sessions) } else { None }
}

/// Says what was done.
fn tell(done: &str, user: &UserName, json: bool, sessions: Option<u32>) -> Result<(), CliError> {
    let words = match done {
        "admin" => format!("{user} is as asked: tern user list --admins names the keepers"),
        "suspend" => format!("{user} may write nothing"),
        "lift" => format!("{user} may write again"),
        "delete" => format!("{user} is deleted"),
        _ => format!("{user} is signed out"),
    };
    if json {
        let mut told = json!({ "done": done, "user": user });
        if let Some(fields) = told.as_object_mut() {
            fields.extend(sessions.map(|count| ("sessions_ended".to_owned(), count.into())));
        }
        return answer_done(&told.to_string(), &words);
    }
    let ended = sessions.map(|count| format!("\nsessions ended: {count}")).unwrap_or_default();
    answer_done(&format!("{words}{ended}"), &words)
}

/// Asks before an account is deleted.
fn confirm(user: &UserName) -> Result<(), ClusterError> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() {
        return Err(ClusterError::NotConfirmed);
    }
    let mut out = std::io::stdout().lock();
    let mut line = String::new();
    write!(out, "All that {user} wrote is deleted for good. Type the name to go on: ")
        .and_then(|()| out.flush())
        .and_then(|()| stdin.lock().read_line(&mut line))
        .map_err(ClusterError::Terminal)?;
    if line.trim() == user.as_str() { Ok(()) } else { Err(ClusterError::NotConfirmed) }
}

fn list(how: &How, only_keepers: bool) -> Result<(), CliError> {
    let mut asker = Asker::new(&how.target)?;
    let (mut after, mut rows) = (None, Vec::new());
    loop {
        match asker.ask(&Order::List { after: after.take(), only_keepers })? {
            Told::Users { users, more_after } => {
                rows.extend(users);
                after = more_after;
            }
            _ => return Err(answers_otherwise()),
        }
        if after.is_none() {
            break;
        }
    }
    if how.json {
        let row = |row: &UserRow| {
            json!({
                "user": row.user, "display_name": row.display_name, "joined_at": rfc(row.joined_at),
                "posts": row.posts, "sessions": row.sessions, "admin": row.is_keeper,
                "standing": row.standing, "until": row.until.map(rfc),
            })
        };
        let users: Vec<_> = rows.iter().map(row).collect();
        answer(&json!({ "users": users }).to_string())
    } else if rows.is_empty() {
        answer(if only_keepers { "nobody keeps the community" } else { "nobody has an account" })
    } else {
        rows.iter().try_for_each(|row| answer(&line(row)))
    }
}

/// A user in a line, with what is out of the ordinary at its end. The display name, which may hold
/// anything, is for `--json`.
fn line(row: &UserRow) -> String {
    let mut line = format!(
        "{:<24} joined {}  posts {:>6}  sessions {:>2}",
        row.user.as_str(),
        rfc(row.joined_at).get(..10).unwrap_or_default(),
        row.posts,
        row.sessions
    );
    if row.is_keeper {
        line.push_str("  keeper");
    }
    match (row.standing, row.until) {
        (Stands::Member, _) => {}
        (Stands::Waiting, _) => line.push_str("  waits to be let in"),
        (Stands::Refused, _) => line.push_str("  not let in"),
        (Stands::Suspended, None) => line.push_str("  suspended"),
        (Stands::Suspended, Some(until)) => {
            line.push_str("  suspended until ");
            line.push_str(&rfc(until));
        }
    }
    line
}

fn answers_otherwise() -> CliError {
    ClusterError::Refused("a machine answers another question".to_owned()).into()
}

/// A time as scripts read it.
fn rfc(at: Wall) -> String {
    Wall(at.0 - at.0 % 1000).timestamp().to_string()
}
