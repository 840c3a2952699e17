//! Builds a web server from its parts and runs it until it is told to stop.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use super::ask::{Ask, AskError};
use super::backends::Backends;
use super::first;
use super::gate::GateLimits;
use super::handler::Site;
use super::making::Making;
use super::origin::Origin;
use super::server::{self, ServerConfig, WebError};
use crate::clock::Clock;
use crate::id::{RequestId, UserName};
use crate::limits::MAKING_WAIT_MS;
use crate::metrics::page::page;
use crate::metrics::serve::Listener;
use crate::thread::{CloseOnDrop, Stop, spawn_named, spawn_vital};
use crate::transport::Keys;
use crate::wire::request::{Request, Response};

/// What a web server is started with.
pub struct Config {
    /// Where it listens.
    pub listen: String,
    /// Its backends.
    pub backends: Vec<String>,
    /// The key that it shares with them.
    pub keys: Keys,
    /// The address that people type.
    pub origin: Origin,
    /// The name on the pages.
    pub community: String,
    /// Reverse proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<IpAddr>,
    /// How often an app may call in five minutes; as is usual where nothing is said.
    pub app_calls: Option<u32>,
    /// Whether apps may sign people in with their password.
    pub app_passwords: bool,
    /// Whether search engines are asked to show nothing of it.
    pub noindex: bool,
    /// Where it tells its numbers, if anywhere.
    pub metrics: Option<Listener>,
    /// Bytes of memory for connections beyond the least, if they are limited.
    pub memory_left: Option<u64>,
}

impl Ask for &Backends {
    fn ask(&self, about: Option<&UserName>, request: &Request) -> Result<Response, AskError> {
        Backends::ask(self, about, request)
    }

    fn ask_beside(
        &self,
        about: Option<&UserName>,
        request: &Request,
        beside: &[u8],
    ) -> Result<(Response, Vec<u8>), AskError> {
        Backends::ask_beside(self, about, request, beside)
    }

    fn is_unsure(&self, id: &RequestId) -> bool {
        Backends::is_unsure(self, id)
    }
}

/// Runs a web server until `stop` closes; `ready` hears the address once it serves.
///
/// # Errors
/// [`WebError`].
pub fn run(config: Config, stop: &Stop, ready: &dyn Fn(SocketAddr)) -> Result<(), WebError> {
    let (calls, passwords, noindex) = (config.app_calls, config.app_passwords, config.noindex);
    let gate = GateLimits::default().within_memory(config.memory_left);
    let Config { listen, backends, keys, origin, community, trusted_proxies, metrics, .. } = config;
    let clock = Clock::system();
    let form_key = keys.form_key();
    let making = Arc::new(Making::new(gate.making, Duration::from_millis(MAKING_WAIT_MS)));
    let backends = Backends::new(backends, keys, clock.clone()).in_turns(Arc::clone(&making));
    let site = Site::new(&backends, community, form_key, origin.clone(), clock)
        .with_apps(calls, passwords)
        .unlisted(noindex);
    let own = origin.clone();
    let handler = |request: &super::request::Request| site.respond(request);
    let served = std::thread::scope(|scope| {
        // Whatever ended it, the watch must end too.
        let _ended = CloseOnDrop(stop.clone());
        spawn_vital(scope, stop, "watch", |_permit| backends.watch(stop))
            .map_err(WebError::Thread)?;
        if let Some(listener) = &metrics {
            let page = || page(listener.is_web, None);
            spawn_named(scope, "metrics", move |_permit| listener.run(stop, &page))
                .map_err(WebError::Thread)?;
        }
        spawn_named(scope, "first-link", |_permit| first::tell(&&backends, &own, stop))
            .map_err(WebError::Thread)?;
        let config = ServerConfig { listen, origin, trusted_proxies, making };
        let running = server::serve_within(scope, config, gate, stop, &handler);
        running.and_then(|running| {
            log::info!(address:% = running.address(); "web serving");
            ready(running.address());
            running.join()
        })
    });
    log::info!("web stopped");
    served
}
