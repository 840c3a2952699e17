//! The cluster's key, where `tern serve` and `tern run-cluster` keep it.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::cluster::local::machines;
use super::error::CliError;
use crate::store::OWN;
use crate::transport::KeyError;
use crate::transport::key::ClusterKey;

/// The key's file in the data directory.
pub(super) const FILE_NAME: &str = "cluster.key";

/// The path of the key in `data`; both are made if they are not there. Where a machine is, no key is
/// made: it would fit nothing, and hide that the right one is gone.
///
/// # Errors
/// When the directory or the key cannot be made, and when the key of what is in it is gone.
pub(super) fn ensure(data: &Path) -> Result<PathBuf, CliError> {
    make_directory(data)?;
    let path = data.join(FILE_NAME);
    if !path.exists() {
        if data.join("node.json").exists() || !machines(data).is_empty() {
            return Err(KeyError::Gone { path }.into());
        }
        ClusterKey::create(&path).map_err(|error| match error {
            KeyError::Io { source, .. } => unusable("make a key in", data, source),
            error => error.into(),
        })?;
        log::info!(path:% = path.display(); "cluster key made");
    }
    Ok(path)
}

/// Refuses a name under which a machine's own file would take the place of a new key, and a place among its own
/// files in `data`, where it would be taken for one of them.
///
/// # Errors
/// [`KeyError::OwnName`].
pub(super) fn check_name(path: &Path, data: &Path) -> Result<(), KeyError> {
    let is_own = |own: &&str| path.ends_with(own) || path.starts_with(data.join(own));
    if OWN.iter().any(is_own) {
        return Err(KeyError::OwnName { path: path.to_owned() });
    }
    Ok(())
}

/// Makes a directory that its owner alone may enter; one that is there stays as it is.
pub(super) fn make_directory(path: &Path) -> Result<(), CliError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|source| unusable("make", path, source))
}

fn unusable(what: &'static str, path: &Path, source: io::Error) -> CliError {
    CliError::Data { what, path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// It was the configuration that was blamed, as for a key that is kept elsewhere.
    #[test]
    fn r0253_directory_in_which_no_key_can_be_made_is_unusable() {
        let error = ensure(Path::new("/proc/self")).unwrap_err();
        assert!(error.to_string().contains("data directory /proc/self"), "{error}");
        assert_eq!(error.code(), 3, "{error}");
    }
}
