//! The Debian package, made of the program under test as `make dist` makes it of the released one. Where
//! cargo-deb was not installed, or nobody may make namespaces, it is left out and says so.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::cluster::harness::PROGRAM;
use crate::install::machine::{Machine, why_not};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn run(command: &mut Command) -> String {
    let out = command.output().unwrap();
    assert!(out.status.success(), "{command:?}: {out:?}");
    String::from_utf8(out.stdout).unwrap()
}

/// The package, made once.
static PACKAGE: LazyLock<Option<PathBuf>> = LazyLock::new(|| {
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    let version = makefile.lines().find_map(|line| line.strip_prefix("CARGO_DEB = ")).unwrap();
    let tool = root().join(format!("target/tools/{version}/bin/cargo-deb"));
    if !tool.is_file() {
        println!("left out: {version} is not installed; `make cargo-deb` installs it");
        return None;
    }
    if PROGRAM != root().join("target/debug/tern").to_str().unwrap() {
        println!("left out: a package is made of target/debug/tern, and not of {PROGRAM}");
        return None;
    }
    run(Command::new(root().join("src/packaging/dist.sh")).arg(tool).arg("debug"));
    let found = std::fs::read_dir(root().join("target/dist-debug")).unwrap();
    let found: Vec<_> = found.map(|entry| entry.unwrap().path()).collect();
    assert_eq!(found.len(), 1, "{found:?}");
    found.into_iter().next()
});

/// What `dpkg-deb` says of the package.
fn asked(question: &str, package: &Path) -> String {
    run(Command::new("dpkg-deb").arg(question).arg(package))
}

#[test]
fn package_holds_what_it_should() {
    let Some(package) = &*PACKAGE else { return };
    let name = package.file_name().unwrap().to_str().unwrap();
    assert!(name.starts_with(concat!("tern_", env!("CARGO_PKG_VERSION"), "_")), "{name}");
    let listed = asked("--contents", package);
    let mut modes = Vec::new();
    for line in listed.lines() {
        let mut words = line.split_whitespace();
        let (mode, owner, path) = (words.next(), words.next(), words.nth(3));
        assert_eq!(owner, Some("0/0"), "{line}");
        modes.push((path.unwrap_or_default(), mode.unwrap_or_default()));
    }
    let check = |path: &str, expected: &str| {
        let found = modes.iter().find(|(found, _)| *found == path);
        assert_eq!(found.map(|(_, mode)| *mode), Some(expected), "{path} in {listed}");
    };
    check("./usr/bin/tern", "-rwxr-xr-x");
    check("./etc/tern/tern.toml", "-rw-r-----");
    for unit in ["tern", "tern-backend", "tern-web"] {
        check(&format!("./usr/lib/systemd/system/{unit}.service"), "-rw-r--r--");
    }
    for path in [
        "./usr/share/man/man1/tern.1.gz",
        "./usr/share/bash-completion/completions/tern",
        "./usr/share/zsh/vendor-completions/_tern",
        "./usr/share/fish/vendor_completions.d/tern.fish",
        "./usr/share/doc/tern/copyright",
        "./usr/share/doc/tern/NOTICES",
        "./usr/share/doc/tern/README.md",
        "./usr/share/doc/tern/INSTALL.md",
        "./usr/share/doc/tern/RUN.md",
        "./usr/share/doc/tern/CONFIGURE.md",
        "./usr/share/doc/tern/FORMAT.md",
        "./usr/share/doc/tern/examples/nginx.conf",
        "./usr/share/doc/tern/examples/Caddyfile",
    ] {
        check(path, "-rw-r--r--");
    }
    // Made, owned and kept by the scripts: what dpkg knows of, it may remove.
    assert!(modes.iter().all(|(path, _)| !path.starts_with("./var")), "{listed}");
}

#[test]
fn package_says_what_it_needs_and_whose_licences_it_bears() {
    let Some(package) = &*PACKAGE else { return };
    let control = asked("--field", package);
    for line in
        ["Package: tern", concat!("Version: ", env!("CARGO_PKG_VERSION")), "Depends: passwd"]
    {
        assert!(control.lines().any(|found| found == line), "{line}: {control}");
    }
    let inside = |path: &str| {
        let tar = "dpkg-deb --fsys-tarfile \"$0\" | tar -xO \"$1\"";
        run(Command::new("sh").args(["-c", tar]).arg(package).arg(path))
    };
    let notices = inside("./usr/share/doc/tern/NOTICES");
    let linked = run(Command::new("cargo")
        .args(["tree", "--locked", "--edges", "normal,no-proc-macro", "--prefix", "none"])
        .args(["--format", "{p}", "--depth", "1"])
        .current_dir(root()));
    for line in linked.lines().skip(1) {
        let own = line.split(" (").next().unwrap();
        let text = notices.split(&format!("======== {own}: ")).nth(1).expect(own);
        let text = text.split("======== ").next().unwrap();
        assert!(text.to_lowercase().contains("copyright"), "{own}: {text}");
    }
}

#[test]
fn installing_starts_nothing_and_a_purge_deletes_no_post() {
    let Some(package) = &*PACKAGE else { return };
    if let Some(why) = why_not() {
        println!("left out: {why}");
        return;
    }
    let machine = Machine::start(Path::new("/")).unwrap();
    std::fs::copy(package, machine.path("/tern.deb")).unwrap();
    let about = |path: &str| machine.done(&format!("stat --format='%U %G %a' {path}"));

    // Nothing of this is about the list of all manual pages, which dpkg would make anew each time.
    machine.done("rm --force /var/lib/man-db/auto-update");
    machine.done("dpkg --install /tern.deb");
    assert_eq!(about("/var/lib/tern").trim(), "tern tern 700");
    assert_eq!(about("/etc/tern/tern.toml").trim(), "root tern 640");
    assert_eq!(about("/etc/tern").trim(), "root root 755");
    let account = machine.done("getent passwd tern");
    assert!(account.trim().ends_with(":/var/lib/tern:/usr/sbin/nologin"), "{account}");
    // What the unit starts is content with the file, and has not run.
    machine.done("setpriv --reuid=tern --regid=tern --clear-groups tern config check serve");
    assert_eq!(machine.done("ls -A /var/lib/tern"), "");
    assert_eq!(machine.done("find /etc/systemd -name 'tern*'"), "");

    // What a keeper does to it is left alone by an upgrade, and by doing all of it again.
    machine.done("echo 'community = \"Fen Lane\"' >>/etc/tern/tern.toml");
    machine.done("chmod 600 /etc/tern/tern.toml; chown root:root /etc/tern/tern.toml");
    machine.done("chmod 750 /var/lib/tern; echo kept >/var/lib/tern/users");
    machine.done("systemctl enable tern-backend");
    let configure = "/var/lib/dpkg/info/tern.postinst configure 0.1.0";
    for again in ["dpkg --install /tern.deb", configure, configure] {
        machine.done(again);
        assert_eq!(about("/etc/tern/tern.toml").trim(), "root root 600", "{again}");
        assert_eq!(about("/var/lib/tern").trim(), "tern tern 750", "{again}");
        machine.done("grep 'Fen Lane' /etc/tern/tern.toml; grep kept /var/lib/tern/users");
    }
    let links = "find /etc/systemd -name 'tern*' -printf '%f '";
    assert_eq!(machine.done(links), "tern-backend.service ");

    machine.done("dpkg --remove tern");
    assert_eq!(machine.done(links), "", "links to units that are gone");
    machine.done("test ! -e /usr/bin/tern; grep 'Fen Lane' /etc/tern/tern.toml");
    machine.done("dpkg --install /tern.deb; echo key >/etc/tern/cluster.key");
    let told = machine.done("dpkg --purge tern");
    for kept in ["/var/lib/tern", "/etc/tern/cluster.key"] {
        assert!(told.contains(&format!("{kept} stays")), "{told}");
    }
    machine.done("test ! -e /etc/tern/tern.toml; grep key /etc/tern/cluster.key");
    assert_eq!(machine.done("cat /var/lib/tern/users"), "kept\n");
    machine.done("getent passwd tern");
}

#[test]
fn r0199_disk_that_is_mounted_before_the_package_comes_is_the_account_s() {
    if let Some(why) = why_not() {
        println!("left out: {why}");
        return;
    }
    let machine = Machine::start(Path::new("/")).unwrap();
    let script = root().join("src/packaging/debian/postinst");
    std::fs::copy(script, machine.path("/postinst")).unwrap();
    let about = |path: &str| machine.done(&format!("stat --format='%U %G %a' {path}"));

    machine.done("install -d -m 700 /var/lib/tern /var/lib/tern/lost+found");
    machine.done("chmod 755 /var/lib/tern; sh /postinst configure");
    assert_eq!(about("/var/lib/tern").trim(), "tern tern 700");
    assert_eq!(about("/var/lib/tern/lost+found").trim(), "root root 700");

    // One that holds something is as somebody wants it.
    machine.done("install -d -o root -g root -m 750 /var/lib/tern; touch /var/lib/tern/notes");
    machine.done("sh /postinst configure");
    assert_eq!(about("/var/lib/tern").trim(), "root root 750");
}
