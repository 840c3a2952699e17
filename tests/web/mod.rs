//! The web server off the wire: raw sockets against an in-process server with a trivial handler.

mod flow;
mod hostile;
mod load;
mod parts;
mod refusal;
mod shutdown;

use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::sync::Once;
use std::thread::Scope;
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use tern::thread::Stop;
use tern::web::cookie::{CookieValue, SetCookie};
use tern::web::gate::GateLimits;
use tern::web::origin::Origin;
use tern::web::request::Request;
use tern::web::response::{Cache, Content, Response};
use tern::web::server::{Running, ServerConfig, WebError, serve_within};

/// No test waits longer for anything.
const PATIENCE: Duration = Duration::from_secs(30);
const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
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
    static MANY_DESCRIPTORS: Once = Once::new();
    MANY_DESCRIPTORS.call_once(|| {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum.or(limit.current);
        setrlimit(Resource::Nofile, limit).unwrap();
    });
    let config = ServerConfig {
        listen: "127.0.0.1:0".to_owned(),
        origin: Origin::parse(ORIGIN, false).unwrap(),
        trusted_proxies: vec![PROXY],
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

/// One answer, taken apart.
#[derive(Debug)]
struct Reply {
    status: u16,
    head: String,
    body: String,
}

impl Reply {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        lines.find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// Fails unless every header that all answers bear is there, once and exactly.
    #[track_caller]
    fn assert_secure(&self) {
        for line in [
            "Content-Security-Policy: default-src 'none'; style-src 'self'; script-src 'self'; \
             img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; \
             frame-ancestors 'none'",
            "X-Content-Type-Options: nosniff",
            "Referrer-Policy: same-origin",
            "Cross-Origin-Opener-Policy: same-origin",
            "Cross-Origin-Resource-Policy: same-origin",
            "Permissions-Policy: camera=(), microphone=(), geolocation=(), browsing-topics=()",
            "Strict-Transport-Security: max-age=31536000",
        ] {
            assert_eq!(
                self.head.lines().filter(|l| *l == line).count(),
                1,
                "{line}\n{}",
                self.head
            );
        }
        let content_type = self.header("Content-Type").unwrap();
        assert!(content_type.ends_with("; charset=utf-8"), "{content_type}");
        assert!(self.header("Cache-Control").is_some(), "{}", self.head);
        assert!(self.header("Date").is_some(), "{}", self.head);
    }
}

/// A browser, by hand.
struct Client {
    stream: TcpStream,
    buf: Vec<u8>,
}

impl Client {
    fn connect(site: &Site) -> Self {
        Self::connect_from(LOCALHOST, site.address)
    }

    fn connect_from(from: IpAddr, to: SocketAddr) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::new(from, 0).into()).unwrap();
        socket.connect(&to.into()).unwrap();
        let stream = TcpStream::from(socket);
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Self { stream, buf: Vec::new() }
    }

    /// Sends; that the server has closed already shows when its answer is read.
    fn send(&mut self, bytes: impl AsRef<[u8]>) {
        drop(self.stream.write_all(bytes.as_ref()));
    }

    fn get(&mut self, path: &str) -> Reply {
        self.send(format!("GET {path} HTTP/1.1\r\nHost: tern.example\r\n\r\n"));
        self.reply()
    }

    /// Reads one answer; a body comes with it unless the status or HEAD says there is none.
    #[track_caller]
    fn reply(&mut self) -> Reply {
        self.try_reply(false).expect("an answer before the connection ends")
    }

    #[track_caller]
    fn reply_to_head(&mut self) -> Reply {
        self.try_reply(true).expect("an answer before the connection ends")
    }

    fn try_reply(&mut self, is_head: bool) -> Option<Reply> {
        let end = loop {
            if let Some(at) = self.buf.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            self.read_more()?;
        };
        let head = String::from_utf8(self.buf.drain(..end).collect()).unwrap();
        let status = head["HTTP/1.1 ".len()..][..3].parse().unwrap();
        let mut reply = Reply { status, head, body: String::new() };
        let length = reply.header("Content-Length").map_or(0, |n| n.parse().unwrap());
        if !is_head && !matches!(status, 100 | 204 | 304) {
            while self.buf.len() < length {
                self.read_more()?;
            }
            reply.body = String::from_utf8(self.buf.drain(..length).collect()).unwrap();
        }
        Some(reply)
    }

    fn read_more(&mut self) -> Option<()> {
        let mut chunk = [0; 16 * 1024];
        let count = self.stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
        self.buf.extend_from_slice(&chunk[..count]);
        Some(())
    }

    fn half_close(&self) {
        self.stream.shutdown(Shutdown::Write).unwrap();
    }

    /// Fails unless the server says nothing more and closes.
    #[track_caller]
    fn assert_closed(&mut self) {
        assert!(self.buf.is_empty(), "{:?}", String::from_utf8_lossy(&self.buf));
        let mut rest = [0; 64];
        match self.stream.read(&mut rest) {
            Ok(0) => {}
            Ok(count) => panic!("more came: {:?}", String::from_utf8_lossy(&rest[..count])),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
        }
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
