//! `src/INSTALL.md`: its blocks of commands, and what it shares with other files.

use std::path::Path;

pub(super) const DOCUMENT: &str = include_str!("../../src/INSTALL.md");
pub(super) const MACHINES: [&str; 3] = ["192.168.1.21", "192.168.1.22", "192.168.1.23"];

/// A block of commands that are typed in one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// The words behind `# on `.
    pub(super) place: &'static str,
    /// Each with the lines of its text, if it has one.
    pub(super) commands: Vec<String>,
}

/// All blocks, in order.
pub(super) fn blocks() -> Vec<Block> {
    let mut found = Vec::new();
    let mut rest = DOCUMENT;
    while let Some((_, after)) = rest.split_once("```sh\n") {
        let (block, after) = after.split_once("```").expect("a block that ends");
        found.push(read(block));
        rest = after;
    }
    found
}

fn read(block: &'static str) -> Block {
    let mut lines = block.lines();
    let place = lines.next().and_then(|line| line.strip_prefix("# on "));
    let place = place.unwrap_or_else(|| panic!("it does not say where:\n{block}"));
    let mut commands = Vec::new();
    while let Some(line) = lines.next() {
        let mut command = line.to_owned();
        if line.ends_with("<<'END'") {
            for text in lines.by_ref() {
                command.push('\n');
                command.push_str(text);
                if text == "END" {
                    break;
                }
            }
            assert!(command.ends_with("\nEND"), "a text without an end:\n{block}");
        }
        commands.push(command);
    }
    Block { place, commands }
}

/// The text that a command of the document writes into a file.
pub(super) fn text_for(file: &str) -> String {
    let head = format!("cat >{file} <<'END'\n");
    let commands = blocks().into_iter().flat_map(|block| block.commands);
    let mut texts = commands.filter_map(|command| {
        Some(command.strip_prefix(&head)?.strip_suffix("END").expect("an end").to_owned())
    });
    texts.next_back().unwrap_or_else(|| panic!("no command writes {file}"))
}

#[test]
fn proxies_of_the_page_are_those_of_the_package() {
    for (file, kept) in [
        ("/etc/nginx/conf.d/tern.conf", include_str!("../../src/packaging/nginx.conf")),
        ("/etc/caddy/Caddyfile", include_str!("../../src/packaging/Caddyfile")),
    ] {
        assert_eq!(text_for(file), kept, "{file}");
    }
}

#[test]
fn page_leads_to_pages_that_are_there_and_is_for_this_version() {
    let links: Vec<_> =
        DOCUMENT.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect();
    assert!(links.len() >= 3, "{links:?}");
    for link in links {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src").join(link);
        assert!(path.exists(), "{link}");
    }
    let version = env!("CARGO_PKG_VERSION");
    assert!(DOCUMENT.contains(&format!("For version {version};")), "the page is for {version}");
    assert!(DOCUMENT.contains(&format!("/tern_{version}_amd64.deb")), "the package of {version}");
}
