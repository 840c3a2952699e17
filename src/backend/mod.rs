//! The application data server: a connection's frames in, one handler an action, frames out.
//!
//! It holds every user (`cluster/`), hashes passwords outside of any lock, and answers reads from
//! memory and the files. Web servers, other backends and the operator share one port; the key under which a
//! connection was made tells them apart.

mod account;
mod apart;
mod api;
mod app_news;
mod app_own;
mod app_reads;
mod backup;
mod export;
mod house;
mod ids;
mod import;
mod known;
mod link;
mod listen;
mod moderation;
mod operator;
mod picture;
mod poll;
mod posts;
mod read;
mod search;
mod setup;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_imported;
#[cfg(test)]
mod tests_lacking;
#[cfg(test)]
mod tests_limits;
mod thread;
mod unheard;
mod upkeep;
mod view;
mod write;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::action::Action;
use crate::auth::password::Hasher;
use crate::auth::throttle::Throttle;
use crate::clock::Clock;
use crate::cluster::Cluster;
use crate::cluster::link::travel_time;
use crate::id::NodeId;
use crate::json;
use crate::limits::{BACKEND_IDLE_S, BESIDE_BYTES_MAX, PEER_ANSWER_MS, REQUEST_BYTES_MAX};
use crate::metrics;
use crate::store::StoreError;
use crate::thread::{CloseOnDrop, LockPermit, Stop, spawn_named, spawn_vital};
use crate::transport::connection::Connection;
use crate::transport::key::Keys;
use crate::transport::listener::Listener;
use crate::transport::{Role, TransportError};
use crate::wire::message::Reject;
use crate::wire::request::{Outcome, Refusal, Reply, Request, Response, ResponseAction};
use ids::PostIds;
use known::Sent;
use link::FirstLinks;
use search::Searches;

/// What a backend is started with.
pub struct Config {
    /// Its number.
    pub node: NodeId,
    /// Where it listens.
    pub listen: String,
    /// All members with their addresses, this machine included.
    pub peers: Vec<(NodeId, String)>,
    /// Its data directory.
    pub data: PathBuf,
    /// The cluster's keys.
    pub keys: Keys,
    /// The file that they are from, if they are from one.
    pub key_file: Option<PathBuf>,
    /// What its keeper calls it.
    pub name: String,
    /// The name of the community, which no user's name or password may be.
    pub community: String,
    /// Whether rates are limited.
    pub rate_limits: bool,
    /// Within what time each file is read once and checked, as long as the limits on how fast that is
    /// done allow.
    pub scrub_round: Duration,
    /// Where it tells its numbers, if anywhere.
    pub metrics: Option<metrics::serve::Listener>,
}

/// Why a backend did not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum BackendError {
    /// The data directory cannot be used.
    #[error("data directory not usable")]
    Store(#[from] StoreError),
    /// The port cannot be listened on, or the key file lacks a peer's key.
    #[error("not listening")]
    Transport(#[from] TransportError),
    /// The data directory belongs to another cluster, machine or list of machines.
    #[error("{0}")]
    Foreign(String),
    /// The data directory has no identity.
    #[error("{}", not_set_up((path, *node, *has_users), key_file.as_deref(), others))]
    NotSetUp {
        /// Which.
        path: PathBuf,
        /// The machine that was to be started in it.
        node: NodeId,
        /// Whether there are users' files in it.
        has_users: bool,
        /// The key that it was started with.
        key_file: Option<PathBuf>,
        /// Where the other machines listen, as far as it was told.
        others: Vec<String>,
    },
    /// Another machine turned this one away for good.
    #[error("{}", turned_away(why, *node))]
    TurnedAway {
        /// Why.
        why: Reject,
        /// This machine.
        node: NodeId,
    },
    /// The system gives no more threads.
    #[error("no thread to be had")]
    Thread(#[from] std::io::Error),
    /// The disk takes no mark of damage and gives nothing back either.
    #[error(
        "the disk under {} neither takes nor gives anything: look after the disk; the other machines \
         hold every post, leave them running", path.display()
    )]
    DiskLost {
        /// The data directory.
        path: PathBuf,
    },
    /// The system gives no random bytes.
    #[error("the system gives no random bytes")]
    NoRandomness,
    /// The key file holds a web server's key alone.
    #[error("the key file holds a web server's key only; a backend needs the cluster key")]
    WebKeyOnly,
}

impl BackendError {
    /// Whether the configuration must be mended.
    pub fn is_config(&self) -> bool {
        matches!(self, Self::WebKeyOnly)
    }

    /// Whether it is the data directory that must be looked after: starting again changes nothing.
    pub fn is_data(&self) -> bool {
        matches!(
            self,
            Self::Store(_)
                | Self::Foreign(_)
                | Self::NotSetUp { .. }
                | Self::TurnedAway { .. }
                | Self::DiskLost { .. }
        )
    }
}

fn not_set_up(
    (path, node, has_users): (&Path, NodeId, bool),
    key_file: Option<&Path>,
    others: &[String],
) -> String {
    let path = path.display();
    let found = if has_users {
        format!("{path} holds users' files, but no node.json that says whose they are")
    } else {
        format!("{path} is no machine's directory yet")
    };
    let key = key_file.map_or_else(String::new, |file| format!(" --key-file={}", file.display()));
    let at = if others.is_empty() { "ADDRESS:PORT,…".to_owned() } else { others.join(",") };
    format!(
        "{found}. For a new cluster, set it up with tern cluster init --node={node} --data={path}{key} and \
         the same --peers on each machine; if machine {node} lost its disk, let it take its place again \
         with tern cluster replace {node} --data={path}{key} --at={at} (the others; see tern cluster \
         --help). Nothing was touched"
    )
}

fn turned_away(why: &Reject, node: NodeId) -> String {
    match why {
        Reject::Gone => format!(
            "machine {node} is no longer a member: it was removed, or another machine has taken its place. \
             The others go on without it, and this data directory was left as it is"
        ),
        Reject::PassedOver => format!(
            "machine {node} did not become a member: {why}. Empty this data directory and begin anew \
             with the command that made it, tern cluster add or tern cluster replace"
        ),
        _ => format!(
            "another machine turned this one away: {why}. The others go on without it. Start it with \
             its own, newest directory; if that is lost, let it take its place again in an empty one \
             with tern cluster replace {node}"
        ),
    }
}

/// The running backend.
struct Backend {
    cluster: Cluster,
    hasher: Hasher,
    throttle: Throttle,
    ids: PostIds,
    searches: Searches,
    first_links: FirstLinks,
    community: String,
    clock: Clock,
}

/// Runs a backend until `stop` closes; `ready` hears the address once it serves.
///
/// # Errors
/// [`BackendError`].
pub fn run(config: Config, stop: &Stop, ready: &dyn Fn(SocketAddr)) -> Result<(), BackendError> {
    let clock = Clock::system();
    let listener = Listener::bind(&config.listen)?;
    let address = listener.local_addr();
    let keys = config.keys.clone();
    let cluster = setup::open(&config, address, &clock, stop)?;
    let Config { node, data, scrub_round, metrics, .. } = &config;
    let backend = Backend::new(&config, cluster, clock);
    std::thread::scope(|scope| {
        // All threads wait for it, also those that were spawned before one that the system refused.
        let _ended = CloseOnDrop(stop.clone());
        let backend = &backend;
        backend.cluster.run_change(scope)?;
        spawn_vital(scope, stop, "catch-up", move |mut permit| {
            backend.cluster.run_catch_up(&mut permit);
        })?;
        spawn_vital(scope, stop, "repair", move |mut permit| {
            backend.cluster.run_repair(&mut permit);
        })?;
        spawn_vital(scope, stop, "pictures", move |_permit| backend.cluster.run_pictures())?;
        spawn_vital(scope, stop, "compact", move |_permit| backend.cluster.run_compact())?;
        spawn_vital(scope, stop, "scrub", move |_permit| backend.cluster.run_scrub(*scrub_round))?;
        if let Some(listener) = metrics {
            spawn_named(scope, "metrics", move |_permit| {
                listener
                    .run(stop, &|| metrics::page::page(listener.is_web, Some(&backend.numbers())));
            })?;
        }
        listener.serve(scope, stop, &keys, move |connection, role, from, permit| {
            backend.serve(connection, role, from, permit);
        })?;
        log::info!(node, address:%; "backend serving");
        ready(address);
        while !stop.wait(Duration::from_hours(1)) {}
        Ok::<(), BackendError>(())
    })?;
    log::info!(node; "backend stopped");
    if backend.cluster.local.is_disk_lost() {
        return Err(BackendError::DiskLost { path: data.clone() });
    }
    let turned_away = |why| Err(BackendError::TurnedAway { why, node: *node });
    backend.cluster.fatal().map_or(Ok(()), turned_away)
}

impl Backend {
    fn new(config: &Config, cluster: Cluster, clock: Clock) -> Self {
        let sharers = cluster.local.node.config().at_host_of(config.node);
        Self {
            cluster,
            hasher: Hasher::new(clock.clone(), sharers),
            throttle: Throttle::new(config.rate_limits),
            ids: PostIds::new(config.node),
            searches: Searches::default(),
            first_links: FirstLinks::default(),
            community: config.community.clone(),
            clock,
        }
    }

    fn serve(&self, connection: Connection, role: Role, from: SocketAddr, permit: LockPermit) {
        match role {
            Role::Peer => match self.cluster.serve_peer(connection) {
                Ok(()) => {}
                Err(error) if error.is_quiet() => log::debug!(from:%; "peer left"),
                Err(error) => log::warn!(from:%, error:%; "peer connection ended"),
            },
            Role::Web => self.serve_web(connection, permit),
            Role::Operator => {
                log::info!(from:%; "operator connected");
                self.serve_operator(connection, permit);
            }
        }
    }

    /// Serves a web server: accept, decode, handle, encode, one frame at a time.
    fn serve_web(&self, mut connection: Connection, permit: LockPermit) {
        let mut permit = view::Permit::new(permit);
        loop {
            let idle = Duration::from_secs(BACKEND_IDLE_S);
            let frame = match connection.receive(REQUEST_BYTES_MAX + BESIDE_BYTES_MAX, idle) {
                Ok(frame) => frame,
                Err(error) => {
                    log::debug!(error:%; "web connection ended");
                    return;
                }
            };
            // What comes beside the request, and goes beside the answer: a picture's bytes.
            let mut beside = frame.body;
            let response = match json::parse::<Request>(&frame.header) {
                Ok(request) => self.respond(&mut permit, request, &mut beside),
                Err(error) => {
                    log::warn!(
                        line = error.line(), column = error.column();
                        "request not understood"
                    );
                    self.refuse(Refusal::BadRequest { detail: describe(&error) })
                }
            };
            let sent = serde_json::to_vec(&response).map(|header| {
                let travel = travel_time(header.len() + beside.len());
                connection.send(&header, &beside, Duration::from_millis(PEER_ANSWER_MS) + travel)
            });
            if !matches!(sent, Ok(Ok(()))) {
                log::debug!("answer not sent");
                return;
            }
        }
    }

    /// One request: find out who asks, do what is asked, say how it went.
    fn respond(
        &self,
        permit: &mut view::Permit,
        request: Request,
        beside: &mut Vec<u8>,
    ) -> Response {
        permit.begin();
        let body = std::mem::take(beside);
        let sent = Sent::of(request.session.as_deref(), &request.action);
        let Request { session, read_to, need, action } = request;
        let asker = match session.as_deref().map(|text| self.asker(permit, text)).transpose() {
            Ok(asker) => asker.flatten().map(|asker| view::Asker { read_to, ..asker }),
            Err(behind) => return self.refuse(self.unless_sent(behind, sent.as_ref())),
        };
        let asker = match Self::permitted(asker, need).and_then(|it| self.unhindered_app(it, need))
        {
            Ok(asker) => asker,
            Err(refusal) => return self.refuse(refusal),
        };
        let asked = view::Asked { asker: asker.as_ref(), permit };
        let is_check = matches!(action, Action::CheckSession);
        let done = self.perform(asked, action, &body, beside);
        let done = done.map_err(|refusal| self.unless_sent(refusal, sent.as_ref()));
        let mut response = self.response(asker, done);
        if let Some(viewer) = response.data.viewer.as_mut().filter(|_| is_check) {
            viewer.pictures_in_s = self.pictures_in_s(&viewer.username);
        }
        response
    }

    /// Does what is asked as far as this copy knows; `body` came beside it, and `beside` goes with the answer.
    fn perform_by_own_copy(
        &self,
        asked: view::Asked<'_>,
        action: Action,
        body: &[u8],
        beside: &mut Vec<u8>,
    ) -> view::Result {
        match action {
            Action::Join(data) => self.join(asked, data),
            Action::Login(data) => self.login(asked, data),
            Action::FirstKeeper(data) => self.found(asked, data),
            Action::ResetPassword(data) => self.reset_password(asked, data),
            Action::OfferFirst(data) => self.offer_first(data),
            Action::OpenLink(link) => self.open_link(asked, &link),
            Action::Logout(data) => self.logout(asked, data),
            Action::CheckSession => {
                // A web server's ping is this without a session.
                if asked.asker.is_none() {
                    self.cluster.await_disk();
                }
                Ok(view::Done::told(Outcome::Checked))
            }
            Action::Post(_) | Action::PostFor(_) | Action::PostPoll(_) => self.post(asked, &action),
            Action::Vote(data) => self.vote(asked, data),
            Action::KeepPicture(data) => self.keep_picture(asked, data, body),
            Action::SendPicture(data) => self.send_picture(asked, data),
            Action::Picture(data) => self.picture(asked, data, beside),
            Action::Face(data) => self.face(&data, beside),
            Action::EditPost(data) => self.edit_post(asked, data),
            Action::Mark(data) => self.mark(asked, data),
            Action::DeletePost(data) => self.delete_post(asked, data),
            Action::Follow(data) => self.follow(asked, data),
            Action::Unfollow(data) => self.unfollow(asked, data),
            Action::Mute(data) => self.mute(asked, data),
            Action::MuteFor(data) => self.mute_for(asked, data),
            Action::Unmute(data) => self.unmute(asked, data),
            Action::Block(data) => self.block(asked, data),
            Action::Unblock(data) => self.unblock(asked, data),
            Action::RemoveFollower(data) => self.remove_follower(asked, data),
            Action::EditProfile(data) => self.edit_profile(asked, data),
            Action::ChangePassword(data) => self.change_password(asked, data),
            Action::EndSession(data) => self.end_session(asked, data),
            Action::EndOtherSessions(data) => self.end_other_sessions(asked, data),
            Action::Report(data) => self.report(asked, data),
            Action::Invite(data) => self.invite(asked, data),
            Action::EndInvitation(data) => self.end_invitation(asked, data),
            Action::Keep(data) => self.keep(asked, data),
            Action::SetHouse(data) => self.set_house(asked, data),
            Action::DeleteAccount(data) => self.delete_account(asked, data),
            Action::Home(data) => self.home(asked, data),
            Action::Everyone(data) => self.everyone(asked, data),
            Action::Profile(data) => self.profile(asked, data),
            Action::UserPosts(data) => self.user_posts(asked, data),
            Action::Bookmarks(data) => self.bookmarks(asked, data),
            Action::History(data) => self.history(asked, data),
            Action::Thread(data) => self.thread(asked, data),
            Action::Followers(data) => self.followers(asked, data),
            Action::Following(data) => self.following(asked, data),
            Action::News(data) => self.news(asked, data),
            Action::Tagged(data) => self.tagged(asked, data),
            Action::Listen(data) => self.listen(asked, &data),
            Action::Search(data) => self.search(asked, data),
            Action::KeptApart(data) => self.kept_apart(asked, data),
            Action::Export(data) => self.export(asked, data),
            Action::Sessions => self.sessions(asked),
            Action::Welcome => self.welcome(asked),
            Action::Invitations => self.invitations(asked),
            Action::Reports(data) => self.reports(asked, data),
            Action::AskingIn(data) => self.asking_in(asked, data),
            Action::Members(data) => self.members(asked, data),
            Action::KeepersLog(data) => self.keepers_log(asked, data),
            Action::House => self.house(asked),
            Action::AllowApp(data) => self.allow_app(asked, data),
            Action::RedeemCode(data) => self.redeem_code(asked, data),
            Action::Api(data) => self.api(asked, data),
            Action::ClusterStatus => Ok(view::Done::told(Outcome::Status(self.status()))),
        }
    }

    fn response(&self, asker: Option<view::Asker>, done: view::Result) -> Response {
        let (outcome, session) = match done {
            Ok(view::Done { outcome, session }) => (outcome, session),
            Err(refusal) => (Outcome::Refused(refusal), view::SessionNow::Same),
        };
        let mut cluster = self.brief();
        // The copy may have been looked at before this machine was in touch with the others again.
        let looked_at = asker.as_ref().and_then(|asker| asker.stale_since);
        cluster.stale_since = cluster.stale_since.or(looked_at);
        let read_to = asker.as_ref().and_then(|asker| asker.read_to);
        let session = match session {
            view::SessionNow::Same => asker.map(|asker| self.seen_now(asker.session)),
            view::SessionNow::Is(session) => Some(session),
            view::SessionNow::Ended => None,
        };
        let viewer = session.as_ref().and_then(|session| self.viewer(session, read_to));
        Response {
            session: session.filter(|_| viewer.is_some()).map(|session| session.secret()),
            action: ResponseAction::Response,
            data: Reply { viewer, cluster, outcome },
        }
    }

    fn refuse(&self, refusal: Refusal) -> Response {
        self.response(None, Err(refusal))
    }
}

/// What was wrong with a request, without any of its words: they may be secret.
fn describe(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Data => "unknown action, or data of the wrong shape",
        _ => "not JSON",
    };
    format!("{what} (line {}, column {})", error.line(), error.column())
}
