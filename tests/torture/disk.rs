//! Where a machine keeps its data: a file system of its own in an image file if we may mount one, so
//! that its disk can run full, turn read-only, and lose what it had not written when power fails.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::fs::statvfs;

/// Bytes of an image; sparse, so that only what is written costs anything.
const IMAGE_BYTES: u64 = 192 * 1024 * 1024;
/// How often an image is copied until two copies agree.
const COPIES_MAX: usize = 8;

/// A machine's disk; unmounted when dropped.
pub(crate) struct Disk {
    home: PathBuf,
    /// Which image is mounted: the number of power cuts so far.
    life: u32,
    has_image: bool,
}

/// Why no images are used, if they are not.
pub(super) fn why_no_images(directory: &Path) -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("not root".to_owned());
    }
    let probe = directory.join("probe");
    Disk::with_image(&probe).err()
}

impl Disk {
    /// A plain directory.
    pub(super) fn plain(home: &Path) -> Self {
        fs::create_dir_all(home.join("0")).unwrap();
        Self { home: home.to_owned(), life: 0, has_image: false }
    }

    /// A fresh file system in an image.
    pub(super) fn with_image(home: &Path) -> Result<Self, String> {
        fs::create_dir_all(home).map_err(|error| error.to_string())?;
        let disk = Self { home: home.to_owned(), life: 0, has_image: true };
        let file = File::create(disk.image()).and_then(|file| file.set_len(IMAGE_BYTES));
        file.map_err(|error| error.to_string())?;
        let image = disk.image().display().to_string();
        run("mkfs.ext4", &["-q", "-F", "-m", "0", &image])?;
        disk.mount()?;
        Ok(disk)
    }

    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.point().join("db")
    }

    /// Whether it is a file system of its own.
    pub(crate) fn has_image(&self) -> bool {
        self.has_image
    }

    fn point(&self) -> PathBuf {
        self.home.join(self.life.to_string())
    }

    fn image(&self) -> PathBuf {
        self.home.join(format!("{}.img", self.life))
    }

    fn mount(&self) -> Result<(), String> {
        fs::create_dir_all(self.point()).map_err(|error| error.to_string())?;
        let (image, point) = (self.image(), self.point());
        run("mount", &["-o", "loop", &image.display().to_string(), &point.display().to_string()])
    }

    /// Power fails: goes on from what had reached the image, which loses whatever the kernel still
    /// kept. Nobody may be using it. The old one is unmounted, which writes what is not wanted any
    /// more, and is never looked at again.
    pub(super) fn cut_power(&mut self) -> Result<(), String> {
        let old = (self.point(), self.image());
        let kept = settled_copy(&old.1)?;
        run("umount", &["-l", &old.0.display().to_string()])?;
        self.life += 1;
        fs::rename(kept, self.image()).map_err(|error| error.to_string())?;
        self.mount()?;
        fs::remove_file(old.1).map_err(|error| error.to_string())
    }

    /// Takes all room but a little of a page.
    pub(crate) fn fill(&self) -> std::io::Result<()> {
        let mut filler = File::create(self.point().join("filler"))?;
        let room = statvfs(self.point())?;
        let most = (room.f_bavail * room.f_frsize).saturating_sub(256 * 1024);
        rustix::fs::fallocate(&filler, rustix::fs::FallocateFlags::empty(), 0, most)?;
        let mut at = most;
        loop {
            // Written at the end, a block at a time, until there is no more.
            use std::io::{Seek, SeekFrom};
            filler.seek(SeekFrom::Start(at))?;
            if filler.write_all(&[1; 4096]).and_then(|()| filler.sync_data()).is_err() {
                return Ok(());
            }
            at += 4096;
        }
    }

    /// Gives the room back, for good: power may fail next.
    pub(crate) fn free(&self) -> std::io::Result<()> {
        fs::remove_file(self.point().join("filler"))?;
        Ok(rustix::fs::syncfs(File::open(self.point())?)?)
    }

    /// Makes it read-only, or writable again.
    pub(super) fn remount(&self, how: &str) -> Result<(), String> {
        let point = self.point().display().to_string();
        run("mount", &["-o", &format!("remount,{how}"), &point])
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.has_image {
            // Not mounted if making it had failed.
            let _not_mounted = run("umount", &["-l", &self.point().display().to_string()]);
        }
    }
}

/// A copy of an image that the kernel did not write to while it was read: two in a row are equal.
fn settled_copy(image: &Path) -> Result<PathBuf, String> {
    let copy = image.with_extension("kept");
    let (from, to) = (image.display().to_string(), copy.display().to_string());
    for _ in 0..COPIES_MAX {
        run("cp", &["--reflink=never", "--sparse=always", &from, &to])?;
        if run("cmp", &["-s", &from, &to]).is_ok() {
            return Ok(copy);
        }
    }
    Err(format!("{from} is being written all the time"))
}

fn run(program: &str, args: &[&str]) -> Result<(), String> {
    let output = Command::new(program).args(args).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let why = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(format!("{program} {}: {} {why}", args.join(" "), output.status))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The control of all power cuts: they take what was not flushed, and that alone.
    #[test]
    fn power_cut_takes_what_was_not_flushed() {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        if let Some(why) = why_no_images(directory.path()) {
            println!("left out: power cuts ({why})");
            return;
        }
        let mut disk = Disk::with_image(&directory.path().join("disk")).unwrap();
        fs::create_dir(disk.data()).unwrap();
        let kept = File::create(disk.data().join("kept")).unwrap();
        (&kept).write_all(b"flushed").unwrap();
        kept.sync_all().unwrap();
        rustix::fs::syncfs(&kept).unwrap();
        (&kept).write_all(b" and not").unwrap();
        fs::write(disk.data().join("gone"), b"not flushed").unwrap();
        drop(kept);
        disk.cut_power().unwrap();
        assert_eq!(fs::read(disk.data().join("kept")).unwrap(), b"flushed");
        assert!(!disk.data().join("gone").exists(), "written and never flushed");
    }
}
