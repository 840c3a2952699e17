//! The cluster key: one secret in one file, and the keys derived from it.
//!
//! ```text
//! cluster key (file: 64 digits) ─┬─ "peer" ──▶ handshakes between backends
//!                                ├─ "operator" ▶ handshakes of `tern cluster …`
//!                                ├─ "cluster" ▶ the cluster's id, no secret
//!                                └─ "web" ───▶ web key (file: web: and 64 digits)
//!                                               ├─ "link" ──▶ handshakes of web servers
//!                                               └─ "forms" ─▶ forms' tokens
//! ```
//! A web server's file may hold the web key alone: such a machine cannot pose as a voting peer,
//! nor as the operator. None of these types can be printed.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use rustix::fs::OFlags;
use sha2::Sha256;

use super::secure::Role;
use crate::id::Hash128;
use crate::limits::KEY_FILE_BYTES_MAX;

/// Bytes of every key.
const KEY_BYTES: usize = 32;
/// What stands before the digits of a web server's key.
const WEB_MARK: &str = "web:";
/// The only mode in which a key file is made.
const MODE: u32 = 0o600;
/// Permission bits that give a key away: those of group and others.
const MODE_OPEN: u32 = 0o077;

/// 32 secret bytes.
#[derive(Clone)]
struct Secret([u8; KEY_BYTES]);

impl Secret {
    /// Another secret, from which this one cannot be found. HMAC-SHA256 as a pseudo-random function
    /// of the label. Source: RFC 5869, section 2.3, with one block of output.
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length (RFC 2104)")]
    fn derive(&self, label: &str) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes any key");
        mac.update(b"tern 1 ");
        mac.update(label.as_bytes());
        Self(mac.finalize().into_bytes().into())
    }
}

/// What all machines of a cluster share.
#[derive(Clone)]
pub struct ClusterKey(Secret);

impl ClusterKey {
    /// Reads the key from its file.
    ///
    /// # Errors
    /// [`KeyError`]: also when the file holds a web server's key alone.
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        match read_file(path)? {
            Content::Cluster(secret) => Ok(Self(secret)),
            Content::Web(_) => Err(KeyError::WebOnly { path: path.to_owned() }),
        }
    }

    /// Makes a key and its file, on disk when this returns.
    ///
    /// # Errors
    /// [`KeyError`]: also when there is a file already, which stays as it is.
    pub fn create(path: &Path) -> Result<Self, KeyError> {
        let mut bytes = [0; KEY_BYTES];
        getrandom::fill(&mut bytes).map_err(|source| KeyError::Random { source })?;
        let secret = Secret(bytes);
        create_file(path, "", &secret)?;
        Ok(Self(secret))
    }

    /// Writes a file that holds the web key alone, for machines that are to run a web server only.
    ///
    /// # Errors
    /// [`KeyError`]: also when there is a file already, which stays as it is.
    pub fn create_web_file(&self, path: &Path) -> Result<(), KeyError> {
        create_file(path, WEB_MARK, &self.web())
    }

    fn web(&self) -> Secret {
        self.0.derive("web")
    }
}

/// The keys of this process, derived from what its file holds.
#[derive(Clone)]
pub struct Keys {
    /// From a cluster key only.
    cluster: Option<OfCluster>,
    link: Secret,
    forms: Secret,
}

#[derive(Clone)]
struct OfCluster {
    peer: Secret,
    operator: Secret,
    id: Hash128,
}

impl Keys {
    /// Reads a cluster key's or a web server's file.
    ///
    /// # Errors
    /// [`KeyError`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        Ok(Self::of(read_file(path)?))
    }

    /// The keys of what a key file would hold; none where that is no key.
    pub fn of_text(text: &str) -> Option<Self> {
        parse(text.as_bytes()).map(Self::of)
    }

    fn of(content: Content) -> Self {
        match content {
            Content::Cluster(secret) => Self::from(&ClusterKey(secret)),
            Content::Web(web) => Self::of_web(&web),
        }
    }

    fn of_web(web: &Secret) -> Self {
        Self { cluster: None, link: web.derive("link"), forms: web.derive("forms") }
    }

    /// The key of forms' tokens: the same on every web server of the cluster, and after a restart.
    pub fn form_key(&self) -> [u8; KEY_BYTES] {
        self.forms.0
    }

    /// Which cluster: no secret. Absent where only the web key is known.
    pub fn cluster_id(&self) -> Option<Hash128> {
        self.cluster.as_ref().map(|cluster| cluster.id)
    }

    /// Whether this process may act as a backend.
    pub fn is_peer(&self) -> bool {
        self.cluster.is_some()
    }

    /// What both sides of a handshake must know.
    pub(super) fn psk(&self, role: Role) -> Option<&[u8; KEY_BYTES]> {
        match role {
            Role::Peer => self.cluster.as_ref().map(|cluster| &cluster.peer.0),
            Role::Web => Some(&self.link.0),
            Role::Operator => self.cluster.as_ref().map(|cluster| &cluster.operator.0),
        }
    }
}

impl From<&ClusterKey> for Keys {
    fn from(key: &ClusterKey) -> Self {
        let [id @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = key.0.derive("cluster").0;
        let (peer, operator) = (key.0.derive("peer"), key.0.derive("operator"));
        let cluster = OfCluster { peer, operator, id: Hash128(id) };
        Self { cluster: Some(cluster), ..Self::of_web(&key.web()) }
    }
}

/// Why there is no key, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// No such file.
    #[error(
        "no cluster key at {path}: copy it from the first machine; \
         `tern serve` and `tern run-cluster` make one"
    )]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The key of a machine's directory is no longer in it.
    #[error(
        "no cluster key at {path}, and the directory was set up with one: put back the file that was \
         there; nothing was changed"
    )]
    Gone {
        /// Where it should be.
        path: PathBuf,
    },
    /// A directory or a device.
    #[error("{path} is no file: name the key's own file")]
    NotFile {
        /// Which.
        path: PathBuf,
    },
    /// A new key would be written over, or stand in the way.
    #[error("{path}: a machine's directory has that place for itself: choose another for the key")]
    OwnName {
        /// Which.
        path: PathBuf,
    },
    /// Others than its owner may read or write it.
    #[error("others may use the key file {path} (mode {mode:03o}): run chmod 600 {path}")]
    Open {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// What it holds is no key.
    #[error(
        "{path} holds no key: expected 64 digits 0-9 a-f on one line (or web: and 64 digits); \
         copy it again from the first machine"
    )]
    Malformed {
        /// Which.
        path: PathBuf,
    },
    /// It holds a web server's key where a backend needs the cluster's.
    #[error(
        "{path} holds the key of a web server alone, and a backend needs the cluster key: \
         copy it from another backend"
    )]
    WebOnly {
        /// Which.
        path: PathBuf,
    },
    /// A key is never written over another.
    #[error("there is a key file {path} already: keep it, or move it away first")]
    Exists {
        /// Which.
        path: PathBuf,
    },
    /// The system failed an operation.
    #[error("cannot {op} the key file {path}")]
    Io {
        /// What was tried: a verb.
        op: &'static str,
        /// Which.
        path: PathBuf,
        /// In the system's words.
        source: io::Error,
    },
    /// The system has no random bytes.
    #[error("cannot make a key: the system gives no random bytes")]
    Random {
        /// In the system's words.
        source: getrandom::Error,
    },
}

enum Content {
    Cluster(Secret),
    Web(Secret),
}

fn read_file(path: &Path) -> Result<Content, KeyError> {
    let io = |op| move |source| KeyError::Io { op, path: path.to_owned(), source };
    // Nobody waits for whoever might come and write a pipe; a pipe without one is empty.
    let not_waiting = OFlags::NONBLOCK.bits().cast_signed();
    let file = OpenOptions::new().read(true).custom_flags(not_waiting).open(path);
    let file = file.map_err(|source| match source.kind() {
        io::ErrorKind::NotFound => KeyError::Missing { path: path.to_owned() },
        _ => io("open")(source),
    })?;
    // Asked of the open file, not of the path: the two cannot be exchanged in between.
    let found = file.metadata().map_err(io("look at"))?;
    // A pipe is as good as a file: that is how a shell hands over what a command says.
    if !found.is_file() && !found.file_type().is_fifo() {
        return Err(KeyError::NotFile { path: path.to_owned() });
    }
    rustix::fs::fcntl_setfl(&file, OFlags::empty()).map_err(|e| io("read")(e.into()))?;
    let mode = found.mode() & 0o777;
    if mode & MODE_OPEN != 0 {
        return Err(KeyError::Open { path: path.to_owned(), mode });
    }
    let mut bytes = Vec::with_capacity(KEY_FILE_BYTES_MAX);
    file.take(KEY_FILE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(io("read"))?;
    parse(&bytes).ok_or_else(|| KeyError::Malformed { path: path.to_owned() })
}

/// Space around the digits is forgiven: it comes from copying.
fn parse(bytes: &[u8]) -> Option<Content> {
    if bytes.len() > KEY_FILE_BYTES_MAX {
        return None;
    }
    let bytes = bytes.trim_ascii();
    match bytes.strip_prefix(WEB_MARK.as_bytes()) {
        Some(digits) => parse_hex(digits).map(Content::Web),
        None => parse_hex(bytes).map(Content::Cluster),
    }
}

fn parse_hex(digits: &[u8]) -> Option<Secret> {
    let mut key = [0; KEY_BYTES];
    if digits.len() != 2 * KEY_BYTES {
        return None;
    }
    for (to, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        for &digit in pair {
            let value = match digit {
                b'0'..=b'9' => digit - b'0',
                b'a'..=b'f' => digit - b'a' + 10,
                _ => return None,
            };
            *to = *to << 4 | value;
        }
    }
    Some(Secret(key))
}

fn write_line(mut file: &File, mark: &str, secret: &Secret) -> io::Result<()> {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    let digits = secret.0.iter().flat_map(|byte| [byte >> 4, byte & 0xf]);
    let mut line = mark.as_bytes().to_vec();
    line.extend(digits.filter_map(|digit| DIGITS.get(usize::from(digit))));
    line.push(b'\n');
    file.write_all(&line)?;
    file.sync_all()
}

fn create_file(path: &Path, mark: &str, secret: &Secret) -> Result<(), KeyError> {
    let io = |op| move |source| KeyError::Io { op, path: path.to_owned(), source };
    let file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(path).map_err(
        |source| match source.kind() {
            io::ErrorKind::AlreadyExists => KeyError::Exists { path: path.to_owned() },
            _ => io("make")(source),
        },
    )?;
    if let Err(source) = write_line(&file, mark, secret) {
        // Half a key would be refused at every start and keep a whole one from being made.
        if let Err(error) = std::fs::remove_file(path) {
            log::error!(path:% = path.display(), error:%; "half a key file is left");
        }
        return Err(io("write")(source));
    }
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    File::open(directory).and_then(|dir| dir.sync_all()).map_err(io("flush the directory of"))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn file(content: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cluster.key");
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (dir, path)
    }

    fn check_refused(content: &str, mode: u32, expected: &str) {
        let (_dir, path) = file(content, mode);
        let error = Keys::read(&path).err().expect("refused").to_string();
        assert!(error.contains(expected), "{content:?}: {error}");
        assert!(error.contains(path.to_str().unwrap()), "{content:?}: {error}");
        assert!(!error.contains("0123"), "{content:?}: {error}");
    }

    const DIGITS: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    #[test]
    fn key_created_reads_back_in_private_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("cluster.key");
        let made = Keys::from(&ClusterKey::create(&path).unwrap());
        let read = Keys::read(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::read(&path).unwrap().len(), 65);
        assert!(read.is_peer());
        assert_eq!(made.psk(Role::Peer), read.psk(Role::Peer));
        assert_eq!(made.cluster_id(), read.cluster_id());
        assert!(matches!(ClusterKey::create(&path), Err(KeyError::Exists { .. })));
        assert_eq!(Keys::read(&path).unwrap().form_key(), made.form_key());
    }

    #[test]
    fn key_file_bad_refused_with_cure() {
        check_refused(DIGITS, 0o640, "(mode 640): run chmod 600");
        check_refused(DIGITS, 0o604, "chmod 600");
        check_refused(DIGITS, 0o620, "chmod 600");
        check_refused("", 0o600, "holds no key");
        check_refused(&DIGITS[1..], 0o600, "holds no key");
        check_refused(&format!("{DIGITS}0"), 0o600, "holds no key");
        check_refused(&format!("{DIGITS}{}x", " ".repeat(4096)), 0o600, "holds no key");
        check_refused(&DIGITS.to_uppercase(), 0o600, "holds no key");
        check_refused(&DIGITS.replace('7', "g"), 0o600, "holds no key");
        check_refused(&format!("web:{}", &DIGITS[2..]), 0o600, "holds no key");
        check_refused(&format!("peer:{DIGITS}"), 0o600, "holds no key");
        check_refused(&format!("\0{DIGITS}"), 0o600, "holds no key");
    }

    #[test]
    fn key_file_missing_says_where_to_get_it() {
        let error = Keys::read(Path::new("/nonexistent/key")).err().unwrap();
        assert_eq!(
            error.to_string(),
            "no cluster key at /nonexistent/key: copy it from the first machine; \
             `tern serve` and `tern run-cluster` make one"
        );
    }

    #[test]
    fn key_file_that_is_none_is_told_before_its_mode() {
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o777)).unwrap();
        for path in [dir.path(), Path::new("/dev/null")] {
            let error = Keys::read(path).err().expect("refused").to_string();
            assert_eq!(error, format!("{} is no file: name the key's own file", path.display()));
        }
    }

    /// Reads a key elsewhere, and gives up waiting for it.
    fn check_read(path: &Path, is_key: bool) {
        let (told, heard) = std::sync::mpsc::channel();
        let path = path.to_owned();
        let reader = path.clone();
        std::thread::Builder::new()
            .spawn(move || told.send(Keys::read(&reader).map(drop).map_err(|e| e.to_string())))
            .unwrap();
        let read = heard.recv_timeout(std::time::Duration::from_secs(5));
        assert_eq!(read.expect("waits for no writer").is_ok(), is_key, "{}", path.display());
    }

    #[test]
    fn r0192_key_comes_through_a_pipe_and_nobody_is_waited_for_who_would_write_it() {
        use std::os::fd::AsRawFd;

        use rustix::fs::{CWD, FileType, Mode, mknodat};
        let dir = tempfile::tempdir().unwrap();
        let named = dir.path().join("cluster.key");
        mknodat(CWD, &named, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
        check_read(&named, false);
        let (ours, mut writer) = io::pipe().unwrap();
        let path = PathBuf::from(format!("/proc/self/fd/{}", ours.as_raw_fd()));
        let late = std::thread::Builder::new();
        let late = late.spawn(move || {
            std::thread::sleep(std::time::Duration::from_millis(100));
            writer.write_all(DIGITS.as_bytes()).unwrap();
        });
        check_read(&path, true);
        late.unwrap().join().unwrap();
    }

    #[test]
    fn key_file_copied_with_spaces_reads() {
        for text in [DIGITS.to_owned(), format!("{DIGITS}\n"), format!("  {DIGITS}\r\n\n")] {
            let (_dir, path) = file(&text, 0o400);
            assert!(ClusterKey::read(&path).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn web_file_gives_web_keys_alone() {
        let (dir, path) = file(DIGITS, 0o600);
        let cluster = ClusterKey::read(&path).unwrap();
        let web_path = dir.path().join("web.key");
        cluster.create_web_file(&web_path).unwrap();
        let (all, web) = (Keys::from(&cluster), Keys::read(&web_path).unwrap());
        assert_eq!(web.psk(Role::Web), all.psk(Role::Web));
        assert_eq!(web.form_key(), all.form_key());
        assert_eq!((web.psk(Role::Peer), web.cluster_id(), web.is_peer()), (None, None, false));
        assert_eq!(web.psk(Role::Operator), None);
        assert!(matches!(ClusterKey::read(&web_path), Err(KeyError::WebOnly { .. })));
    }

    #[test]
    fn s43_keys_derived_all_differ_and_stay() {
        let (_dir, path) = file(DIGITS, 0o600);
        let keys = Keys::read(&path).unwrap();
        let id = keys.cluster_id().unwrap();
        let peer = *keys.psk(Role::Peer).unwrap();
        let operator = *keys.psk(Role::Operator).unwrap();
        let all = [peer, operator, *keys.psk(Role::Web).unwrap(), keys.form_key()];
        let unique: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(unique.len(), all.len());
        assert!(!all.iter().any(|key| key.starts_with(&id.0)));
        // HMAC-SHA256 of "tern 1 cluster" by another program: machines of two versions must agree.
        assert_eq!(id.to_string(), "5cb02a38fdff14f7de3096945648cf8d");
    }
}
