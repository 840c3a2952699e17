//! A browser reduced to what a load needs: one connection, one request made again and again, the
//! answer read whole and its status checked.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::form::{Form, encode};

/// Bytes of an answer's head, at most.
const HEAD_BYTES_MAX: usize = 16 * 1024;

/// One connection and what is asked on it.
pub(crate) struct Browser {
    stream: TcpStream,
    address: String,
    request: Vec<u8>,
    expected: u16,
    buf: Vec<u8>,
    answer_bytes: usize,
    /// The part of a form's body that stays the same, and the request's head without its length.
    form: Option<(String, String)>,
    number: u64,
}

impl Browser {
    /// Asks for a page.
    pub(crate) fn reader(base: &str, path: &str, cookie: &str) -> io::Result<Self> {
        let address = base.trim_start_matches("http://").to_owned();
        let cookie =
            if cookie.is_empty() { String::new() } else { format!("Cookie: {cookie}\r\n") };
        let request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n{cookie}\r\n");
        Self::new(address, request.into_bytes(), 200)
    }

    /// Sends a form with another text each time. Its one-time key is left out: the server gives each
    /// sending one of its own then.
    pub(crate) fn poster(base: &str, cookie: String, form: &Form) -> io::Result<Self> {
        let address = base.trim_start_matches("http://").to_owned();
        let head = format!(
            "POST {} HTTP/1.1\r\nHost: {address}\r\nOrigin: {base}\r\nCookie: {cookie}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: ",
            form.action
        );
        let kept = form.fields.iter().filter(|(name, _)| name != "key" && name != "text").cloned();
        let body = encode(&kept.collect::<Vec<_>>());
        let mut browser = Self::new(address, Vec::new(), 303)?;
        browser.form = Some((head, body));
        Ok(browser)
    }

    fn new(address: String, request: Vec<u8>, expected: u16) -> io::Result<Self> {
        let stream = connect(&address)?;
        let (buf, answer_bytes) = (Vec::new(), 0);
        Ok(Self { stream, address, request, expected, buf, answer_bytes, form: None, number: 0 })
    }

    /// Writes one post; false if it is told that it was not saved, or perhaps not.
    pub(crate) fn try_post(&mut self) -> io::Result<bool> {
        self.fill_in()?;
        let status = self.answer()?;
        if status == 503 { Ok(false) } else { self.judge(status).map(|()| true) }
    }

    /// Makes the form's next request.
    fn fill_in(&mut self) -> io::Result<()> {
        let Some((head, body)) = &self.form else { return Err(io::Error::other("no form")) };
        self.number += 1;
        let text = format!(
            "What every post of this benchmark says, a line of some sixty letters {}",
            self.number
        );
        let body = format!("{body}&{}", encode(&[("text".to_owned(), text)]));
        self.request = format!("{head}{}\r\n\r\n{body}", body.len()).into_bytes();
        Ok(())
    }

    /// Makes the request once.
    pub(crate) fn read(&mut self) -> io::Result<()> {
        let status = self.answer()?;
        self.judge(status)
    }

    fn judge(&self, status: u16) -> io::Result<()> {
        if status == self.expected {
            return Ok(());
        }
        let text = String::from_utf8_lossy(&self.buf);
        Err(invalid(&format!("expected {}, got: {text}", self.expected)))
    }

    /// Makes the request once; the answer's status. A connection that the server closed between two
    /// requests, as it may, is opened anew.
    fn answer(&mut self) -> io::Result<u16> {
        match self.exchange() {
            Err(error) if self.buf.is_empty() && error.kind() != io::ErrorKind::InvalidData => {
                self.stream = connect(&self.address)?;
                self.exchange()
            }
            outcome => outcome,
        }
    }

    fn exchange(&mut self) -> io::Result<u16> {
        self.buf.clear();
        self.stream.write_all(&self.request)?;
        let head_bytes = loop {
            if let Some(at) = self.buf.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
            if self.buf.len() > HEAD_BYTES_MAX {
                return Err(invalid("an endless head"));
            }
            self.more()?;
        };
        let head =
            String::from_utf8_lossy(self.buf.get(..head_bytes).unwrap_or_default()).into_owned();
        let status = head.split(' ').nth(1).and_then(|word| word.parse::<u16>().ok());
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
        });
        self.answer_bytes = length.unwrap_or(0);
        while self.buf.len() < head_bytes + self.answer_bytes {
            self.more()?;
        }
        status.ok_or_else(|| invalid("no status"))
    }

    fn more(&mut self) -> io::Result<()> {
        let mut part = [0; 16 * 1024];
        let len = self.stream.read(&mut part)?;
        if len == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.buf.extend_from_slice(part.get(..len).unwrap_or_default());
        Ok(())
    }
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(Duration::from_secs(20)))?;
    Ok(stream)
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
