//! A server of a few lines, for pages that are not the program's.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use tern::thread::Stop;

/// What a server answers to a path and what was sent to it: status, content type, body.
pub(super) type Page = (u16, &'static str, String);

/// A server of `page` for as long as `visit` takes, which is given its origin.
pub(super) fn with_pages(page: impl Fn(&str, &str) -> Page + Sync, visit: impl FnOnce(&str)) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = listener.local_addr().unwrap();
    let stop = Stop::new();
    std::thread::scope(|scope| {
        let _closing = Closing { stop: &stop, addr };
        scope.spawn(|| {
            for connection in listener.incoming().take_while(|_| !stop.is_closed()) {
                // A browser opens connections in advance: each needs a thread to wait on it.
                scope.spawn(|| answer(&page, connection.unwrap()));
            }
        });
        visit(&format!("http://{addr}"));
    });
}

/// Ends the server, also when a visit panics.
struct Closing<'s> {
    stop: &'s Stop,
    addr: SocketAddr,
}

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.stop.close();
        // Wakes the accept loop; if even this fails it has ended already.
        drop(TcpStream::connect(self.addr));
    }
}

fn answer(page: &impl Fn(&str, &str) -> Page, connection: TcpStream) {
    connection.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    let mut reader = BufReader::new(&connection);
    let mut head = Vec::new();
    for line in reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()) {
        head.push(line);
    }
    let Some(request) = head.first() else { return };
    let length = head
        .iter()
        .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
    let mut sent = String::new();
    reader.take(length.unwrap_or(0)).read_to_string(&mut sent).unwrap();
    let (status, kind, body) = page(request.split(' ').nth(1).unwrap(), &sent);
    let answer = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: {kind}; charset=utf-8\r\nContent-Length: {}\r\n\
         Content-Security-Policy: default-src 'none'; style-src 'self'; img-src 'self'; form-action *\r\n\
         Connection: close\r\n\r\n{body}",
        body.len()
    );
    // A browser may have gone away; what it should have seen then fails the test.
    drop((&connection).write_all(answer.as_bytes()));
}
