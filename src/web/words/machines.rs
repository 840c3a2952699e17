//! How the machines are.

use super::words;

words! {
    machine_numbered(number: &str): "machine {number}" / "Maschine {number}";
    in_step: "In step" / "Auf dem Stand";
    pictures_missing(n: u32):
        ["In step, but for {n} file of a picture", "In step, but for {n} files of pictures"] /
        ["Auf dem Stand, es fehlt {n} Bilddatei", "Auf dem Stand, es fehlen {n} Bilddateien"];
    catching_up: "Catching up" / "Holt auf";
    catching_up_by(n: u32):
        ["Catching up, {n} behind", "Catching up, {n} behind"] /
        ["Holt auf, {n} fehlt noch", "Holt auf, {n} fehlen noch"];
    down: "Down" / "Ausfall";
    down_since_time(time: &str): "Down since {time} UTC" / "Ausfall seit {time} UTC";
    down_since(when: &str): "Down since {when}" / "Ausfall seit {when}";
    refuses_votes(why: &str): "Refuses votes: {why}" / "Stimmt nicht ab: {why}";
    refuses_joining: "it has not met all machines yet" / "hat noch nicht alle Maschinen getroffen";
    refuses_changing:
        "the list of machines is being changed" /
        "die Liste der Maschinen wird gerade geändert";
    refuses_no_space: "disk full" / "Platte voll";
    refuses_disk: "disk cannot be written" / "Platte lässt sich nicht beschreiben";
    refuses_unmarked:
        "a damaged file cannot be marked" /
        "eine beschädigte Datei lässt sich nicht als solche kennzeichnen";
    refuses_behind: "what it holds has changed" / "was sie hat, ist inzwischen ein anderes";
    refuses_damaged(n: u32):
        ["Refuses votes on {n} damaged file", "Refuses votes on {n} damaged files"] /
        ["Stimmt bei {n} beschädigten Datei nicht ab", "Stimmt bei {n} beschädigten Dateien nicht ab"];

    // The same in the picture, where there is little room.
    note_in_step: "in step" / "auf dem Stand";
    note_catching_up: "catching up" / "holt auf";
    note_refuses: "refuses votes" / "stimmt nicht ab";
    note_down: "down" / "aus";
    note_just_down: "just down" / "gerade aus";
    note_down_since(since: &str): "down {since}" / "aus seit {since}";

    // What happened to a machine, after its name.
    came_up: "came up" / "ist wieder da";
    went_down: "went down" / "ist ausgefallen";
    caught_up: "caught up" / "hat aufgeholt";
    found_damage: "found a damaged file" / "hat eine beschädigte Datei gefunden";
    repaired: "repaired what was damaged" / "hat repariert, was beschädigt war";
    began_refusing:
        "refuses votes: disk full or read-only" /
        "stimmt nicht ab: Platte voll oder schreibgeschützt";
    votes_again: "votes again" / "stimmt wieder ab";
    was_added: "joined the machines" / "ist dazugekommen";
    was_removed: "left the machines" / "gehört nicht mehr dazu";
    was_replaced: "was replaced" / "wurde ersetzt";
    was_given_up:
        "was given up for lost, with what only it had" /
        "wurde verloren gegeben, mit allem, was nur sie hatte";
    changed_otherwise:
        "changed in a way that this version has no word for" /
        "hat sich verändert, und diese Version hat kein Wort dafür";

    all_is_well: "All is well." / "Alles ist gut.";
    saved_on_one:
        "Posts are saved on this machine alone." /
        "Beiträge werden nur auf dieser Maschine gespeichert.";
    saved_on(voters: usize, all: usize):
        "Posts are saved on {voters} of {all}." /
        "Beiträge werden auf {voters} von {all} gespeichert.";
    none_to_spare:
        "One more failure would stop posting." /
        "Fällt noch eine aus, lässt sich nichts mehr veröffentlichen.";
    more_may_fail(n: usize):
        ["One more may fail before posting stops.", "{n} more may fail before posting stops."] /
        ["Eine darf noch ausfallen, bevor sich nichts mehr veröffentlichen lässt.",
         "{n} dürfen noch ausfallen, bevor sich nichts mehr veröffentlichen lässt."];
    cannot_save: "Nothing can be saved just now." / "Gerade lässt sich nichts speichern.";
    reading_goes_on:
        "Reading goes on, and what you write comes back to you." /
        "Lesen geht weiter, und was du schreibst, bekommst du zurück.";
    too_few_up(up: usize, all: usize, needed: usize):
        "Only {up} of {all} machines can be reached; saving needs {needed}." /
        "Nur {up} von {all} Maschinen erreichbar; zum Speichern braucht es {needed}.";
    too_few_vote(voters: usize, all: usize, needed: usize):
        ["Only {voters} of {all} machines vote; saving needs {needed}.",
         "Only {voters} of {all} machines vote; saving needs {needed}."] /
        ["Nur {voters} von {all} Maschinen stimmt ab; zum Speichern braucht es {needed}.",
         "Nur {voters} von {all} Maschinen stimmen ab; zum Speichern braucht es {needed}."];
    not_agreed: "The machines do not agree yet." / "Die Maschinen sind sich noch nicht einig.";
    working_some_down(n: usize):
        ["Working, with one machine down.", "Working, with {n} machines down."] /
        ["Es läuft, aber eine Maschine ist ausgefallen.", "Es läuft, aber {n} Maschinen sind ausgefallen."];
    working_some_refuse(n: usize):
        ["Working; one machine refuses votes.", "Working; {n} machines refuse votes."] /
        ["Es läuft; eine Maschine stimmt nicht ab.", "Es läuft; {n} Maschinen stimmen nicht ab."];
    working_some_damaged(n: usize):
        ["Working; one machine has damaged files.", "Working; {n} machines have damaged files."] /
        ["Es läuft; eine Maschine hat beschädigte Dateien.", "Es läuft; {n} Maschinen haben beschädigte Dateien."];
    damaged_on_fewer: "What is damaged is on fewer." / "Was beschädigt ist, steht auf weniger.";
    working_some_behind(n: usize):
        ["Working; one machine is catching up.", "Working; {n} machines are catching up."] /
        ["Es läuft; eine Maschine holt auf.", "Es läuft; {n} Maschinen holen auf."];
    working_some_lines(n: usize):
        ["Working; a line between two machines is broken.", "Working; {n} lines between machines are broken."] /
        ["Es läuft; zwei Maschinen sind nicht mehr verbunden.", "Es läuft; {n} Verbindungen zwischen Maschinen sind unterbrochen."];
    brought_by_others(broken: &str):
        "{broken}; the others bring them what they save." /
        "{broken}; die anderen bringen ihnen, was sie speichern.";
    cannot_tell: "Can’t tell" / "Nicht zu sagen";
    cannot_tell_text:
        "No machine answers this web server, so how they are cannot be told. Nothing that was saved is lost." /
        "Keine Maschine antwortet diesem Webserver; darum lässt sich nicht sagen, wie es ihnen geht. Nichts, was gespeichert wurde, ist verloren.";

    // The picture in words: `Three machines: apple and birch up and in step; cedar down.`
    numbers: ("No", "One", "Two", "Three", "Four", "Five") / ("Keine", "Eine", "Zwei", "Drei", "Vier", "Fünf");
    machines_are(n: usize, count: &str, how: &str):
        ["{count} machine: {how}.", "{count} machines: {how}."] /
        ["{count} Maschine: {how}.", "{count} Maschinen: {how}."];
    and(first: &str, last: &str): "{first} and {last}" / "{first} und {last}";
    are_in_step(names: &str): "{names} up and in step" / "{names} in Betrieb und auf dem Stand";
    are_refusing(names: &str): "{names} up and refusing votes" / "{names} in Betrieb, ohne abzustimmen";
    are_catching_up(names: &str): "{names} up and catching up" / "{names} in Betrieb und beim Aufholen";
    is_down(name: &str): "{name} down" / "{name} ausgefallen";
    is_down_for(name: &str, span: &str): "{name} down for {span}" / "{name} seit {span} ausgefallen";

    reach_not(one: &str, other: &str):
        "{one} and {other} do not reach each other" /
        "{one} und {other} erreichen einander nicht";

    machine: "Machine" / "Maschine";
    state: "State" / "Zustand";
    behind: "Behind" / "Fehlt";
    disk: "Disk" / "Platte";
    version: "Version" / "Version";
    last_changes: "Last changes" / "Letzte Änderungen";
    look_again: "Look again" / "Noch einmal nachsehen";
}
