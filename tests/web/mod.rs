//! The web server off the wire: raw sockets against an in-process server with a trivial handler.

pub(crate) mod client;
mod flow;
mod hostile;
mod keeping;
mod load;
mod parts;
mod refusal;
mod shutdown;
mod stream;

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr};
use std::sync::Arc;
use std::thread::Scope;
use std::time::Duration;

use tern::thread::Stop;
use tern::web::cookie::{CookieValue, SetCookie};
use tern::web::gate::GateLimits;
use tern::web::origin::Origin;
use tern::web::request::Request;
use tern::web::response::{Cache, Content, Location, Response};
use tern::web::server::{Running, ServerConfig, WebError, serve_within};

use client::{Client, LOCALHOST, PATIENCE, Reply, many_descriptors};

/// A reverse proxy that the tests' server trusts.
const PROXY: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 77));
const ORIGIN: &str = "https://tern.example";

/// Few workers, so that holding them all is easy; all else as it is in use.
fn limits() -> GateLimits {
    GateLimits { workers: 4, ..GateLimits::default() }
}

/// What a test has of a running server.
struct Site {
    address: SocketAddr,
    stop: Stop,
    waiting: Waiting,
}

/// What happens at `/wait`.
#[derive(Clone, Default)]
struct Waiting {
    /// Closed once a request is there.
    entered: Stop,
    /// Lets all of them answer.
    release: Stop,
}

impl Waiting {
    fn until_entered(&self) {
        assert!(self.entered.wait(PATIENCE));
    }
}

/// Ends the server also when the test has panicked; else its threads would never be joined.
struct Ending(Stop, Stop);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.close();
        self.1.close();
    }
}

/// Runs `test` against a server that is stopped afterwards; gives what stopping gave.
fn with_site(limits: GateLimits, test: impl FnOnce(&Site)) -> Result<(), WebError> {
    let (stop, waiting) = (Stop::new(), Waiting::default());
    let handler = |request: &Request| handle(request, &waiting);
    std::thread::scope(|scope| {
        let _ending = Ending(stop.clone(), waiting.release.clone());
        let running = start(scope, limits, &stop, &handler);
        let site =
            Site { address: running.address(), stop: stop.clone(), waiting: waiting.clone() };
        test(&site);
        stop.close();
        running.join()
    })
}

fn start<'scope>(
    scope: &'scope Scope<'scope, '_>,
    limits: GateLimits,
    stop: &Stop,
    handler: &'scope (dyn Fn(&Request) -> Response + Sync),
) -> Running<'scope> {
    many_descriptors();
    let config = ServerConfig {
        listen: "127.0.0.1:0".to_owned(),
        origin: Origin::parse(ORIGIN, false).unwrap(),
        trusted_proxies: vec![PROXY],
        making: Arc::default(),
    };
    serve_within(scope, config, limits, stop, handler).unwrap()
}

fn handle(request: &Request, waiting: &Waiting) -> Response {
    let page = |text: String| Response::new(200, Content::Text, text);
    let mut response = match request.path.as_str() {
        "/hello" => Response { cache: Cache::Public, ..page("hello".to_owned()) },
        "/echo" => page(format!(
            "{:?} {} {} {:?} {}",
            request.method,
            request.query,
            request.client,
            request.cookie,
            String::from_utf8_lossy(&request.body),
        )),
        "/language" => page(format!("{:?}", request.accept_language)),
        "/gzip" => Response { cache: Cache::Private, ..page("Tea at four. ".repeat(1_000)) },
        "/parts" => return parts::handle(request),
        "/events" | "/api/v1/streaming" => return stream::handle(request),
        "/big" => page("x".repeat(request.query.parse().unwrap())),
        "/wait" => {
            waiting.entered.close();
            waiting.release.wait(PATIENCE);
            page("waited".to_owned())
        }
        "/panic" => panic!("a handler's bug"),
        "/cookie" => page(String::new()),
        _ => Response::new(404, Content::Html, "nothing here"),
    };
    if request.path == "/cookie" {
        let value = CookieValue::new("ada.token");
        response.cookies.push(SetCookie { name: "s", value, max_age_s: None });
    }
    response
}

impl Client {
    fn connect(site: &Site) -> Self {
        Self::connect_from(LOCALHOST, site.address)
    }

    fn get(&mut self, path: &str) -> Reply {
        self.get_of("tern.example", path)
    }
}

/// Sends one request on a connection of its own and gives the answer.
#[track_caller]
fn ask(site: &Site, request: impl AsRef<[u8]>) -> Reply {
    let mut client = Client::connect(site);
    client.send(request);
    client.reply()
}

/// Asks until `done` is content with the answer.
#[track_caller]
fn ask_until(site: &Site, path: &str, done: impl Fn(&Reply) -> bool) {
    let start = tern::clock::Clock::system();
    loop {
        let reply = Client::connect(site).get(path);
        if done(&reply) {
            return;
        }
        assert!(u128::from(start.mono().0) < PATIENCE.as_millis(), "{reply:?}");
    }
}
