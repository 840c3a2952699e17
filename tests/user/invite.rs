//! `tern invite …`.

use crate::cluster::harness::{Cluster, Options};

use super::{member, run};

#[test]
fn invitations_are_made_listed_and_revoked() {
    let cluster = Cluster::start(Options { backends: 1, ..Options::default() });
    let mut ada = member(&cluster, "ada");
    run(&cluster, &["invite", "new"]).check_refused(2, "tern user admin NAME");
    assert_eq!(run(&cluster, &["invite", "list"]).out, "no invitations\n");
    assert_eq!(run(&cluster, &["user", "admin", "ada"]).code, Some(0));
    assert_eq!(ada.login().status, 303);
    let answer = ada.act("/mod/settings", "/mod/settings", &[("signup", "invited"), ("words", "")]);
    assert_eq!(answer.status, 303, "{}", answer.body);

    run(&cluster, &["invite", "new", "--uses=101"]).check_refused(2, "1 to 100");
    run(&cluster, &["invite", "new", "--by=nobody"]).check_refused(2, "no member called nobody");
    let made = run(&cluster, &["invite", "new", "--uses=2", "--days=3", "--json"]).json();
    let (code, id) = (made["code"].as_str().unwrap(), made["id"].as_str().unwrap());
    assert_eq!((made["by"].as_str(), made["uses"].as_u64()), (Some("ada"), Some(2)));
    let other = run(&cluster, &["invite", "new"]);
    let other = other.told("code: ");

    // Of several keepers one who may.
    assert_eq!(run(&cluster, &["user", "add", "aaron", "--admin"]).code, Some(0));
    assert_eq!(run(&cluster, &["user", "suspend", "aaron", "--by=ada"]).code, Some(0));
    let third = run(&cluster, &["invite", "new", "--json"]).json();
    assert_eq!(third["by"], "ada", "{third}");
    run(&cluster, &["invite", "new", "--by=aaron"]).check_refused(2, "while they are suspended");
    let third = third["id"].as_str().unwrap();
    assert_eq!(run(&cluster, &["invite", "revoke", third]).code, Some(0));

    let joins = |name: &str, code: &str| {
        let mut person = cluster.person(name);
        let password = person.password();
        let filled = [("username", name), ("password", &password), ("code", code)];
        person.act("/join", "/join", &filled).status
    };
    assert_eq!((joins("ben", code), joins("cleo", "wrong-code-it-is-now")), (303, 422));
    let list = run(&cluster, &["invite", "list", "--json"]).json();
    let rows = list["invitations"].as_array().unwrap();
    let row = rows.iter().find(|row| row["id"] == id).expect("its row");
    assert_eq!((rows.len(), &row["used_by"]), (2, &serde_json::json!(["ben"])));
    assert!(!list.to_string().contains(code), "the code itself is told once");

    run(&cluster, &["invite", "revoke", "abcdefabcdef"]).check_refused(2, "no such invitation");
    assert_eq!(run(&cluster, &["invite", "revoke", id]).code, Some(0));
    assert_eq!(joins("dan", code), 422);
    assert_eq!(run(&cluster, &["invite", "revoke", other, "--json"]).json()["done"], "revoke");
    assert_eq!(run(&cluster, &["invite", "list"]).out, "no invitations\n");
}
