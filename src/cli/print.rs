//! What is made from the table for readers and shells: the manual page, completions, CONFIGURE.md.

use std::io;

use clap_complete::aot::{Shell, generate};
use clap_mangen::Man;

use super::answer;
use super::args;
use super::error::CliError;

/// Prints the manual page: of the program, and a section for each command.
///
/// # Errors
/// When memory takes no more text, or standard output none.
pub(super) fn man() -> Result<(), CliError> {
    let text =
        page().map_err(|source| CliError::System { what: "make the manual page", source })?;
    answer(text.trim_end())
}

fn page() -> io::Result<String> {
    let mut command = args::command();
    command.build();
    let mut out = Vec::new();
    let man = Man::new(command.clone()).manual("Tern");
    man.render_title(&mut out)?;
    man.render_name_section(&mut out)?;
    man.render_synopsis_section(&mut out)?;
    man.render_description_section(&mut out)?;
    man.render_options_section(&mut out)?;
    for below in command.get_subcommands() {
        section(&mut out, below)?;
    }
    out.extend_from_slice(FILES.as_bytes());
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// A command, and those below it.
fn section(out: &mut Vec<u8>, command: &clap::Command) -> io::Result<()> {
    if command.get_name() == "help" {
        return Ok(());
    }
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    out.extend_from_slice(format!(".SH \"{}\"\n", name.to_uppercase()).as_bytes());
    let man = Man::new(command.clone());
    for (title, made) in [
        ("synopsis", rendered(|out| man.render_synopsis_section(out))?),
        ("description", rendered(|out| man.render_description_section(out))?),
        ("options", rendered(|out| man.render_options_section(out))?),
    ] {
        // The program's own sections have these names; here they are parts of a section.
        let own = format!(".SH {}\n", title.to_uppercase());
        out.extend_from_slice(made.replacen(&own, ".PP\n", 1).as_bytes());
    }
    command.get_subcommands().try_for_each(|below| section(out, below))
}

fn rendered(render: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) -> io::Result<String> {
    let mut out = Vec::new();
    render(&mut out)?;
    Ok(String::from_utf8_lossy(&out).into_owned())
}

/// What stands at the end of the manual page.
const FILES: &str = "\
.SH CONFIGURATION
Defaults, then the configuration file, then TERN_* variables, then flags; what comes later holds.
An option --some-name is some_name in the file and TERN_SOME_NAME in the environment.
.SH FILES
.TP
/etc/tern/tern.toml
The configuration file, unless --config or TERN_CONFIG names another.
.TP
\\&./db
The data directory, unless data says otherwise.
.SH \"EXIT STATUS\"
0 done, 1 failed while running, or for want of room on a disk, 2 wrong use or configuration,
3 data directory unusable or newer than this program, 4 not enough machines, 5 a backup made without
pictures that no machine has any more, 75 try again.
";

/// Prints completions for a shell.
///
/// # Errors
/// When standard output takes none.
pub(super) fn completions(shell: &str) -> Result<(), CliError> {
    let shell = match shell {
        "zsh" => Shell::Zsh,
        "fish" => Shell::Fish,
        _ => Shell::Bash,
    };
    let mut out = Vec::new();
    generate(shell, &mut args::command(), "tern", &mut out);
    answer(String::from_utf8_lossy(&out).trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r0146_manual_page_has_every_exit_code() {
        let page = page().unwrap();
        let (_, codes) = page.split_once("EXIT STATUS").unwrap();
        for code in [0, 1, 2, 3, 4, 5, 75] {
            let words = codes.split([',', '\n']).map(str::trim);
            assert!(words.into_iter().any(|word| word.starts_with(&format!("{code} "))), "{code}");
        }
    }
}
