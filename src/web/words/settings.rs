//! Settings.

use super::words;

words! {
    settings: "Settings" / "Einstellungen";
    more_pages: "show all" / "alle zeigen";
    profile_tab: "Profile" / "Profil";
    password_tab: "Password" / "Passwort";
    devices_tab: "Devices" / "Geräte";
    language_tab: "Language" / "Sprache";
    leave_tab: "Leave" / "Austreten";

    display_name_hint:
        "What others see, up to 40 characters." /
        "So sehen dich die anderen, bis zu 40 Zeichen.";
    only_members_see: "Only members see my posts" / "Nur Mitglieder sehen meine Beiträge";
    posts_are_for:
        "Who sees your posts, unless you choose otherwise" /
        "Wer deine Beiträge sieht, wenn du nichts anderes wählst";
    posts_are_for_hint:
        "Each new post starts so, and apps that do not ask post so." /
        "So beginnt jeder neue Beitrag, und so schreiben Apps, die nicht fragen.";
    bio_hint: "Up to 200 characters." / "Bis zu 200 Zeichen.";
    not_changed_yet:
        "You are signed in. Nothing has been changed yet." /
        "Du bist angemeldet. Es wurde noch nichts geändert.";
    not_sent_yet:
        "You are signed in. Nothing has been sent yet." /
        "Du bist angemeldet. Es wurde noch nichts gesendet.";
    send_when_ready:
        "What you typed is below, as you left it. Send it when it is ready." /
        "Was du eingegeben hast, steht unten, wie du es verlassen hast. Sende es, wenn es fertig ist.";
    press_save:
        "What you typed is below, as you left it. Press Save when it is ready." /
        "Was du eingegeben hast, steht unten, wie du es verlassen hast. Drücke „Speichern“, wenn es fertig ist.";

    current_password: "Current password" / "Bisheriges Passwort";
    change_password: "Change password" / "Passwort ändern";
    signs_out_elsewhere:
        "This signs you out everywhere else." /
        "Damit wirst du überall sonst abgemeldet.";
    password_changed: "Password changed." / "Passwort geändert.";
    no_device_signed_out:
        "No other device was signed in." /
        "Kein anderes Gerät war angemeldet.";
    devices_signed_out(n: u32):
        ["One other device was signed out.", "{n} other devices were signed out."] /
        ["Ein anderes Gerät wurde abgemeldet.", "{n} andere Geräte wurden abgemeldet."];

    signed_in_since: "since" / "Anmeldung:";
    seen_from(address: &str): "from {address}" / "von {address}";
    this_device: "this one" / "dieses";
    only_this_device: "Only this one." / "Nur dieses.";
    sign_out_others: "Sign out everywhere else" / "Überall sonst abmelden";
    sign_out_here: "Sign out here" / "Hier abmelden";
    sign_out_there: "Sign out there" / "Dort abmelden";
    sign_out_device(browser: &str): "Sign out {browser}" / "{browser} abmelden";
    browser_on(browser: &str, system: &str): "{browser} on {system}" / "{browser} auf {system}";
    unknown_browser: "Unknown browser" / "Unbekannter Browser";

    language_intro:
        "The language of this site on this device. What members write stays as they wrote it." /
        "Die Sprache dieser Seiten auf diesem Gerät. Was Mitglieder schreiben, bleibt, wie sie es schrieben.";
    like_browser: "As my browser asks" / "Wie mein Browser es wünscht";

    keys: "Keys" / "Tasten";
    keys_intro:
        "With scripts on, these keys do the same as links and buttons. They rest while you are typing." /
        "Sind Skripte an, tun diese Tasten dasselbe wie Links und Knöpfe. Während du schreibst, ruhen sie.";
    keys_are_off:
        "These keys are off on this device." /
        "Auf diesem Gerät sind diese Tasten ausgeschaltet.";
    turn_keys_off: "Turn them off on this device" / "Auf diesem Gerät ausschalten";
    turn_keys_on: "Turn them on on this device" / "Auf diesem Gerät einschalten";
    key: "Key" / "Taste";
    key_does: "What it does" / "Was sie tut";
    key_next: "next post" / "nächster Beitrag";
    key_previous: "previous post" / "voriger Beitrag";
    key_open: "open the post" / "den Beitrag öffnen";
    key_reply: "reply" / "antworten";
    key_write: "write a post" / "einen Beitrag schreiben";
    key_fresh: "show new posts" / "neue Beiträge zeigen";
    key_send: "send what you are writing" / "abschicken, was du schreibst";
    key_list: "this list" / "diese Liste";
    enter_key: "Enter" / "Eingabe";
    ctrl_enter_key: "Ctrl+Enter" / "Strg+Eingabe";

    data_tab: "Your data" / "Deine Daten";
    data_intro(n: u32):
        ["Everything you wrote here is yours to take along: {n} post, your profile and whom you follow. Not in it: your password, your devices, and what others wrote.",
         "Everything you wrote here is yours to take along: {n} posts, your profile and whom you follow. Not in it: your password, your devices, and what others wrote."] /
        ["Alles, was du hier geschrieben hast, kannst du mitnehmen: {n} Beitrag, dein Profil und wem du folgst. Nicht dabei: dein Passwort, deine Geräte und was andere geschrieben haben.",
         "Alles, was du hier geschrieben hast, kannst du mitnehmen: {n} Beiträge, dein Profil und wem du folgst. Nicht dabei: dein Passwort, deine Geräte und was andere geschrieben haben."];
    download_posts: "Download your posts, to read and to print" / "Beiträge herunterladen, zum Lesen und Drucken";
    download_all: "Download everything, for programs" / "Alles herunterladen, für Programme";
    taken_along: "taken along on" / "mitgenommen am";

    leaving:
        "Your profile, your posts and your replies go from all machines, and nobody follows you any more. What others wrote to you stays theirs. Nobody can take your name." /
        "Dein Profil, deine Beiträge und deine Antworten verschwinden von allen Maschinen, und niemand folgt dir mehr. Was andere dir geschrieben haben, bleibt ihres. Niemand kann deinen Namen übernehmen.";
    leaving_final:
        "This cannot be undone. Type your username and password to go." /
        "Das lässt sich nicht rückgängig machen. Gib deinen Benutzernamen und dein Passwort ein, um zu gehen.";
    take_along_first: "Take your data along first" / "Erst deine Daten mitnehmen";
    delete_my_account: "Delete my account" / "Mein Konto löschen";
}
