//! `tern backup verify`.

use std::io::{self, BufReader, Read};

use super::{Amount, BackupCommandError, Place, flawed, open};
use crate::backup::{Found, read};
use crate::cli::error::{CliError, chain};
use crate::cli::{answer, harmless};
use crate::wire::message::FEATURES;

/// What the command tells, as JSON.
#[derive(serde::Serialize)]
struct Told {
    ok: bool,
    /// When and of what it was made, where that could be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    about: Option<crate::backup::About>,
    users: u64,
    /// Files of pictures, small ones included.
    pictures: u64,
    /// Files of pictures that no machine had when it was made.
    pictures_missing: u64,
    bytes: u64,
    /// What is wrong, the first of it.
    wrong: Vec<String>,
    wrong_count: u64,
}

/// Runs the command.
///
/// # Errors
/// [`CliError`]: also when it is done and the backup is not whole.
pub(super) fn run(file: &Place, json: bool) -> Result<(), CliError> {
    let name = file.shown();
    let found = match file {
        Place::Standard => read(&mut io::stdin().lock(), &mut |_, _| Ok(())),
        Place::File(path) => {
            let mut from: Box<dyn Read> = Box::new(BufReader::new(open(path)?));
            read(&mut from, &mut |_, _| Ok(()))
        }
    };
    if json {
        answer(&spelt(&told(&found)))?;
    }
    let found =
        found.map_err(|source| BackupCommandError::Unusable { file: name.clone(), source })?;
    if let Some(first) = found.flaws.first() {
        if !json {
            let flaws: Vec<_> = found.flaws.iter().map(ToString::to_string).collect();
            answer(&flaws.join("\n"))?;
        }
        return Err(flawed(&name, first, found.flaw_count).into());
    }
    if !json {
        let Found { about, pictures_missing, .. } = &found;
        // What a file says of itself is a stranger's word.
        let (made, program) = (harmless(&about.made_at), harmless(&about.program));
        let amount = Amount::of(&found);
        answer(&format!("{name} is whole: {amount}, made {made} by {program}"))?;
        if *pictures_missing > 0 {
            answer(&format!(
                "{pictures_missing} files of pictures are not in it: no machine had them when it was made"
            ))?;
        }
        if about.features > FEATURES {
            answer("it cannot be restored by this version of the program: take a newer one")?;
        }
    }
    Ok(())
}

fn told(found: &Result<Found, crate::backup::BackupError>) -> Told {
    match found {
        Ok(found) => Told {
            ok: found.flaw_count == 0,
            about: Some(found.about.clone()),
            users: found.users,
            pictures: found.pictures,
            pictures_missing: found.pictures_missing,
            bytes: found.bytes,
            wrong: found.flaws.iter().map(ToString::to_string).collect(),
            wrong_count: found.flaw_count,
        },
        Err(error) => Told {
            ok: false,
            about: None,
            users: 0,
            pictures: 0,
            pictures_missing: 0,
            bytes: 0,
            wrong: vec![chain(error)],
            wrong_count: 1,
        },
    }
}

#[expect(clippy::expect_used, reason = "strings and numbers in structs have a JSON")]
fn spelt(told: &Told) -> String {
    serde_json::to_string(told).expect("this type has a JSON")
}
