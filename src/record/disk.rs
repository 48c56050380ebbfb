//! What a disk has left, and what is said of one that refuses.

use std::io;
use std::path::Path;

/// The bytes that are free for us on the file system of a folder.
///
/// # Errors
/// Where the system does not tell.
#[cfg(unix)]
pub(super) fn free(folder: &Path) -> io::Result<u64> {
    let told = rustix::fs::statvfs(folder)?;
    Ok(told.f_bavail.saturating_mul(told.f_frsize))
}

/// The same, where it cannot be asked: the disk says itself when it is full.
#[cfg(not(unix))]
pub(super) fn free(_folder: &Path) -> io::Result<u64> {
    Ok(u64::MAX)
}

/// Why a write was refused, without a path.
pub(super) fn refusal(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "the disk is full".to_owned(),
        kind => format!("the disk does not take it: {kind}"),
    }
}

/// What is said of a disk with too little left; `None` where it has enough.
pub(super) fn shortage(free: u64, least: u64) -> Option<String> {
    (free < least).then(|| format!("the disk is full: it has {free} bytes left, and {least} are to stay free (min_free_bytes)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_tells_what_it_has_left_and_a_full_one_is_called_so() {
        let folder = tempfile::tempdir().unwrap();
        assert!(free(folder.path()).unwrap() > 0);
        assert!(free(&folder.path().join("none")).is_err());
        assert_eq!(refusal(&io::Error::from(io::ErrorKind::StorageFull)), "the disk is full");
        assert_eq!((shortage(10, 10), shortage(9, 10).is_some()), (None, true));
    }
}
