//! What stands in a machine's place or way: a listener that never answers, and a relay that counts.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{Builder, JoinHandle};

/// Bytes that a relay takes at once.
const PIECE_BYTES: usize = 64 * 1024;

/// A listener and its thread, ended when dropped.
pub(crate) struct Listening {
    address: SocketAddr,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Listening {
    /// Accepts every connection at `address` and never says a word on it.
    pub(crate) fn silent(address: &str) -> io::Result<Self> {
        let mut held = Vec::new();
        Self::start(address, move |stream| held.push(stream))
    }

    /// Passes on what comes to a port of its own to `target` and back, and counts the bytes.
    pub(crate) fn relay(target: String, bytes: &Arc<AtomicU64>) -> io::Result<Self> {
        let bytes = Arc::clone(bytes);
        Self::start("127.0.0.1:0", move |stream| {
            // Where nobody listens, whoever came is hung up on.
            let _refused = pass_on(stream, &target, &bytes);
        })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> String {
        self.address.to_string()
    }

    fn start(address: &str, mut take: impl FnMut(TcpStream) + Send + 'static) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        let is_over = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&is_over);
        let thread = Builder::new().name("listening".to_owned()).spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if seen.load(Ordering::SeqCst) {
                    return;
                }
                take(stream);
            }
        })?;
        Ok(Self { address, is_over, thread: Some(thread) })
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread; if it has ended already nobody is there to be woken.
        let _woken = TcpStream::connect(self.address);
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

/// Both directions of one connection, each in a thread that ends with it.
fn pass_on(near: TcpStream, target: &str, bytes: &Arc<AtomicU64>) -> io::Result<()> {
    let far = TcpStream::connect(target)?;
    near.set_nodelay(true)?;
    far.set_nodelay(true)?;
    let (near_again, far_again) = (near.try_clone()?, far.try_clone()?);
    for (from, to) in [(near, far), (far_again, near_again)] {
        let bytes = Arc::clone(bytes);
        Builder::new().name("relay".to_owned()).spawn(move || {
            // However it ends, both sides are told that it has.
            let _broken = pump(&from, &to, &bytes);
            let _gone = from.shutdown(Shutdown::Both);
            let _gone = to.shutdown(Shutdown::Both);
        })?;
    }
    Ok(())
}

fn pump(mut from: &TcpStream, mut to: &TcpStream, bytes: &AtomicU64) -> io::Result<()> {
    let mut piece = vec![0; PIECE_BYTES];
    loop {
        let len = from.read(&mut piece)?;
        if len == 0 {
            return Ok(());
        }
        bytes.fetch_add(len as u64, Ordering::SeqCst);
        to.write_all(piece.get(..len).unwrap_or_default())?;
    }
}
