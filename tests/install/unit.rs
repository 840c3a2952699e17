//! The units for one of several machines are that for a machine alone, with another command.

use std::path::Path;

fn unit(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/packaging").join(name);
    let text = std::fs::read_to_string(&path).unwrap();
    text.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn units_of_one_of_several_machines_are_that_of_one_alone_with_another_command() {
    let others = [
        ("backend", "what is kept", &["RuntimeDirectory=tern", "RuntimeDirectoryMode=0700"][..]),
        ("web", "the pages", &[]),
    ];
    for (command, words, left_out) in others {
        let mut expected = unit("tern.service");
        expected.retain(|line| !left_out.contains(&line.as_str()));
        for line in &mut expected {
            if line == "ExecStart=/usr/bin/tern serve" {
                *line = format!("ExecStart=/usr/bin/tern {command}");
            } else if line.starts_with("Description=") {
                *line = format!("{line}: {words}");
            }
        }
        assert_eq!(unit(&format!("tern-{command}.service")), expected, "tern-{command}.service");
    }
}

/// The journal of a machine said `runs at full priority`: hashing and looking for damage took as much of the
/// processor as answering people.
#[test]
fn r0210_units_let_what_is_not_urgent_give_way() {
    for name in ["tern.service", "tern-backend.service", "tern-web.service"] {
        let lines = unit(name);
        let taken = lines
            .iter()
            .position(|line| line.starts_with("SystemCallFilter=~@privileged @resources"));
        let given = |line: &String| {
            let calls = line.strip_prefix("SystemCallFilter=");
            calls.is_some_and(|calls| calls.split(' ').any(|call| call == "setpriority"))
        };
        assert!(lines[taken.unwrap()..].iter().any(given), "r0210 {name}");
    }
}
