//! What stands around every page, and what is said on many.

use super::words;

words! {
    error: "Error" / "Fehler";
    skip: "Skip to content" / "Zum Inhalt springen";
    main_navigation: "Main" / "Hauptmenü";
    machines_up(all: usize, up: usize):
        ["{up} of {all} machine", "{up} of {all} machines"] /
        ["{up} von {all} Maschine", "{up} von {all} Maschinen"];
    copy:
        ("This is ", "’s copy of ", ". Newer posts may be missing.") /
        ("Das ist der Stand von ", " um ", ". Neuere Beiträge können fehlen.");

    home: "Home" / "Start";
    everyone: "Everyone" / "Alle";
    you: "You" / "Du";
    join: "Join" / "Mitmachen";
    sign_in: "Sign in" / "Anmelden";
    sign_out: "Sign out" / "Abmelden";
    machines: "Machines" / "Maschinen";

    save: "Save" / "Speichern";
    saved: "Saved." / "Gespeichert.";
    done: "Done." / "Erledigt.";
    delete: "Delete" / "Löschen";
    deleted: "Deleted." / "Gelöscht.";
    cannot_be_undone: "This cannot be undone." / "Das lässt sich nicht rückgängig machen.";
    go_home: "Go home" / "Zur Startseite";
    go_back: "Go back" / "Zurück";
    request_number(id: &str): "Request {id}" / "Anfrage {id}";

    posted: "Posted." / "Veröffentlicht.";
    kept_on_all(of: u8, on: u8):
        ["Kept on {on} of {of} machine.", "Kept on {on} of {of} machines."] /
        ["Auf {on} von {of} Maschine gespeichert.", "Auf {on} von {of} Maschinen gespeichert."];
    kept_on_two(on: u8, of: u8):
        "Kept on {on} of {of}; the third will catch up." /
        "Auf {on} von {of} gespeichert; die dritte holt es nach.";
    kept_but_last(on: u8, of: u8):
        "Kept on {on} of {of}; the last will catch up." /
        "Auf {on} von {of} gespeichert; die letzte holt es nach.";
    kept_but_others(on: u8, of: u8):
        "Kept on {on} of {of}; the others will catch up." /
        "Auf {on} von {of} gespeichert; die anderen holen es nach.";
}
