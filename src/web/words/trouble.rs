//! What is wrong with a field, what became of a write, what an error's page says.

use super::words;

words! {
    // What became of a write, and of the text that came with it.
    nothing_saved: "Nothing was saved" / "Es wurde nichts gespeichert";
    not_posted_yet: "Not posted yet" / "Noch nicht veröffentlicht";
    not_saved_yet: "Not saved yet" / "Noch nicht gespeichert";
    text_kept:
        "Your text is kept below; nothing is lost and nothing was posted." /
        "Dein Text steht unten; nichts ist verloren, und nichts wurde veröffentlicht.";
    account_kept:
        "No account was made. What you typed is kept below, except the password." /
        "Es wurde kein Konto angelegt. Was du eingegeben hast, steht unten, nur das Passwort nicht.";
    not_signed_in: "You are not signed in." / "Du bist nicht angemeldet.";
    fields_kept:
        "Nothing was changed. What you typed is kept below, except passwords." /
        "Es wurde nichts geändert. Was du eingegeben hast, steht unten, nur Passwörter nicht.";
    nothing_changed: "Nothing was changed." / "Es wurde nichts geändert.";
    text_rides:
        "Your text is safe: sign in and it comes back. It was not posted." /
        "Dein Text ist sicher: Melde dich an, und er ist wieder da. Er wurde nicht veröffentlicht.";
    fields_ride:
        "What you typed is safe: sign in and it comes back. Nothing was changed." /
        "Was du eingegeben hast, ist sicher: Melde dich an, und es ist wieder da. Es wurde nichts geändert.";
    sign_in_again:
        "Sign in and try again. Nothing was changed." /
        "Melde dich an und versuch es noch einmal. Es wurde nichts geändert.";
    disks_full:
        "The machines’ disks are full, or cannot be written." /
        "Die Platten der Maschinen sind voll oder lassen sich nicht beschreiben.";
    pictures: "Pictures" / "Bilder";
    without_pictures: "Without pictures" / "Ohne Bilder";
    a_description: "A description" / "Eine Beschreibung";
    picture_lost:
        "A picture is not there any more. Choose it again." /
        "Ein Bild ist nicht mehr da. Wähle es noch einmal aus.";
    pictures_full(megabytes: u32):
        "Your pictures take {megabytes} MB, which is all there is. Delete posts with pictures first." /
        "Deine Bilder belegen {megabytes} MB, mehr gibt es nicht. Lösche zuerst Beiträge mit Bildern.";
    pictures_too_many(max: u32):
        "You have {max} pictures, which are all there may be. Delete posts with pictures first." /
        "Du hast {max} Bilder, mehr dürfen es nicht sein. Lösche zuerst Beiträge mit Bildern.";
    pictures_busy:
        "Others are sending pictures just now." /
        "Gerade senden andere Bilder.";
    choose_again:
        "Choose it again, or another one." /
        "Wähle es noch einmal aus, oder ein anderes.";
    picture_too_many_bytes:
        "A picture has more than 8 MB." /
        "Ein Bild hat mehr als 8 MB.";
    pictures_heavy:
        "Together more than 8 MB. Choose fewer or smaller pictures." /
        "Zusammen mehr als 8 MB. Wähle weniger oder kleinere Bilder.";
    picture_not_one:
        "A file is no picture in JPEG, PNG, WebP or GIF." /
        "Eine Datei ist kein Bild in JPEG, PNG, WebP oder GIF.";
    picture_too_large:
        "A picture has too many pixels for these machines." /
        "Ein Bild hat zu viele Pixel für diese Maschinen.";
    picture_damaged:
        "A picture is damaged or incomplete." /
        "Ein Bild ist beschädigt oder unvollständig.";
    pictures_hint:
        "Up to 4, together 8 MB. Where and with what they were taken is removed; of an animation the first picture is kept." /
        "Bis zu 4, zusammen 8 MB. Wo und womit sie aufgenommen sind, wird entfernt; von einer Animation bleibt das erste Bild.";
    pictures_alone(n: u32): ["{n} picture", "{n} pictures"] / ["{n} Bild", "{n} Bilder"];
    covered_pictures(n: u32):
        ["{n} sensitive picture", "{n} sensitive pictures"] /
        ["{n} heikles Bild", "{n} heikle Bilder"];
    cover_pictures: "Sensitive: shown once they are opened" / "Heikel: erst zu sehen, wenn man sie aufklappt";
    not_described: "Picture without a description" / "Bild ohne Beschreibung";
    more_pictures: "More pictures" / "Weitere Bilder";
    picture_number(n: u32): "Picture {n}" / "Bild {n}";
    picture_is_kept:
        "It is kept; you need not choose it again." /
        "Es ist aufgehoben; du brauchst es nicht noch einmal auszuwählen.";
    your_picture: "Picture beside your name" / "Bild neben deinem Namen";
    avatar_hint:
        "Up to 8 MB; the square in its middle is shown, to everybody. Where and with what it was taken is removed." /
        "Bis zu 8 MB; gezeigt wird das Quadrat in der Mitte, und zwar allen. Wo und womit es aufgenommen ist, wird entfernt.";
    remove_picture: "Remove the picture" / "Das Bild entfernen";
    what_it_shows:
        "What it shows, for those who don’t see it" /
        "Was es zeigt, für alle, die es nicht sehen";
    pictures_most(max: u32):
        "A post has up to {max} pictures." /
        "Ein Beitrag hat bis zu {max} Bilder.";
    try_again: "Try again" / "Noch einmal versuchen";
    try_again_in(span: &str): "Try again in {span}." / "Versuch es in {span} noch einmal.";
    cannot_post_twice:
        "Trying again can’t post twice." /
        "Auch beim zweiten Versuch wird nichts doppelt veröffentlicht.";
    not_known: "Not known yet" / "Noch nicht bekannt";
    not_known_if_saved:
        "We don’t know yet if it was saved." /
        "Wir wissen noch nicht, ob es gespeichert wurde.";
    check: "Check" / "Nachsehen";
    check_post:
        "Press Check. If it was saved it will not be posted twice." /
        "Drücke „Nachsehen“. Wenn es gespeichert wurde, wird es nicht zweimal veröffentlicht.";
    check_account:
        "Press Check. If it was saved it will not be made twice." /
        "Drücke „Nachsehen“. Wenn es gespeichert wurde, wird es nicht zweimal angelegt.";
    check_done:
        "Press Check. If it was saved it will not be done twice." /
        "Drücke „Nachsehen“. Wenn es gespeichert wurde, wird es nicht zweimal getan.";

    // Why a write was not done.
    not_from_here: "Not sent from here" / "Nicht von hier gesendet";
    form_from_elsewhere:
        "This form was not sent from this site." /
        "Dieses Formular wurde nicht von dieser Website gesendet.";
    not_believed: "So it was not believed." / "Darum wurde ihm nicht geglaubt.";
    old_form: "An old form" / "Ein altes Formular";
    form_not_valid: "This form is no longer valid." / "Dieses Formular gilt nicht mehr.";
    form_why_not_valid:
        "Perhaps you signed in or out since it was opened, or cookies are off." /
        "Vielleicht hast du dich seither an- oder abgemeldet, oder Cookies sind ausgeschaltet.";
    form_unreadable:
        "Your browser sent a form that makes no sense." /
        "Dein Browser hat ein Formular gesendet, das keinen Sinn ergibt.";
    form_makes_no_sense:
        "This form makes no sense to the machines." /
        "Die Maschinen können mit diesem Formular nichts anfangen.";
    form_used:
        "This form was already used for something else." /
        "Dieses Formular wurde schon für etwas anderes verwendet.";
    posted_already:
        "You already posted from this form, perhaps in another tab." /
        "Mit diesem Formular hast du schon etwas veröffentlicht, vielleicht in einem anderen Tab.";
    press_post_too:
        "This text has not been posted. Press Post to send it too." /
        "Dieser Text wurde nicht veröffentlicht. Drücke „Veröffentlichen“, um auch ihn zu senden.";
    form_too_old:
        "This form is too old to tell whether it was saved before." /
        "Dieses Formular ist zu alt, um zu sagen, ob es schon gespeichert wurde.";
    look_before_sending:
        "Look whether it was before you send it again." /
        "Sieh nach, ob es gespeichert ist, bevor du es noch einmal sendest.";
    no_machine_reached: "No machine can be reached." / "Keine Maschine ist erreichbar.";
    bad_login:
        "That name and password don’t match." /
        "Name und Passwort passen nicht zusammen.";
    signed_out: "You are signed out." / "Du bist abgemeldet.";
    no_such_thing: "There is no such thing." / "So etwas gibt es nicht.";
    deleted_meanwhile: "It was deleted meanwhile." / "Es wurde inzwischen gelöscht.";
    account_full: "Your account is full." / "Dein Konto ist voll.";
    delete_some:
        "Delete some posts, or ask the keeper." /
        "Lösche ein paar Beiträge, oder frag den Betreiber.";
    too_many: "Too many in a short time." / "Zu viele in kurzer Zeit.";
    machines_busy:
        "The machines are very busy." /
        "Die Maschinen haben gerade sehr viel zu tun.";
    machine_behind: "This machine is catching up." / "Diese Maschine holt noch auf.";
    only_reached(members: u8, reachable: u8):
        ["Only {reachable} of {members} machine can be reached.", "Only {reachable} of {members} machines can be reached."] /
        ["Nur {reachable} von {members} Maschine erreichbar.", "Nur {reachable} von {members} Maschinen erreichbar."];
    too_few_answered: "Too few machines answered." / "Zu wenige Maschinen haben geantwortet.";
    saved_when(needed: u8, what: &str):
        ["{what} is saved when {needed} agrees.", "{what} is saved when {needed} agree."] /
        ["{what} ist gespeichert, wenn {needed} zustimmt.", "{what} ist gespeichert, wenn {needed} zustimmen."];
    subject_post: "A post" / "Ein Beitrag";
    subject_account: "An account" / "Ein Konto";
    subject_sign_in: "A sign-in" / "Eine Anmeldung";
    subject_change: "A change" / "Eine Änderung";
    not_possible: "Not possible" / "Nicht möglich";
    cannot_be_done: "This can’t be done." / "Das geht nicht.";
    that_is_you: "That is you." / "Das bist du.";
    one_to_fix: "One thing to fix" / "Eine Sache stimmt noch nicht";
    two_to_fix: "Two things to fix" / "Zwei Sachen stimmen noch nicht";
    three_to_fix: "Three things to fix" / "Drei Sachen stimmen noch nicht";
    many_to_fix(n: usize): "{n} things to fix" / "{n} Sachen stimmen noch nicht";

    // Fields, and what is wrong with them.
    username: "Username" / "Benutzername";
    display_name: "Display name" / "Anzeigename";
    password: "Password" / "Passwort";
    new_password: "New password" / "Neues Passwort";
    about_you: "About you" / "Über dich";
    text: "Text" / "Text";
    a_username: "A username" / "Ein Benutzername";
    a_display_name: "A display name" / "Ein Anzeigename";
    a_password: "A password" / "Ein Passwort";
    your_bio: "What you say of yourself" / "Was du über dich sagst,";
    write_something: "Write something first." / "Schreib erst etwas.";
    enter_username: "Enter a username." / "Gib einen Benutzernamen ein.";
    enter_password: "Enter a password." / "Gib ein Passwort ein.";
    enter_something: "Enter something here." / "Gib hier etwas ein.";
    chars_too_many(over: u32):
        ["{over} character too many.", "{over} characters too many."] /
        ["{over} Zeichen zu viel.", "{over} Zeichen zu viel."];
    has_up_to(what: &str, max: usize): "{what} has up to {max}." / "{what} hat höchstens {max}.";
    has_at_least(what: &str, min: u32):
        "{what} has at least {min} characters." /
        "{what} hat mindestens {min} Zeichen.";
    begins_with_letter(what: &str):
        "{what} begins with a letter from a to z." /
        "{what} beginnt mit einem Buchstaben von a bis z.";
    cannot_be_used(what: &str): "{what} can’t be used." / "{what} geht hier nicht.";
    how_about(name: &str): "How about {name}?" / "Wie wäre es mit {name}?";
    name_reserved:
        "This name is kept for the system. Choose another." /
        "Dieser Name ist dem System vorbehalten. Nimm einen anderen.";
    name_taken:
        "This name is taken. Choose another." /
        "Dieser Name ist vergeben. Nimm einen anderen.";
    password_common:
        "This password is on every guessing list. Choose another." /
        "Dieses Passwort steht auf jeder Liste zum Erraten. Nimm ein anderes.";
    password_guessable:
        "This password is made of a name that others know. Choose another." /
        "Dieses Passwort besteht aus einem Namen, den andere kennen. Nimm ein anderes.";
    not_your_username: "This is not your username." / "Das ist nicht dein Benutzername.";
    not_your_password: "This is not your password." / "Das ist nicht dein Passwort.";
    have_most(max: u32):
        "You have {max} already, and that is the most." /
        "Du hast schon {max}, und mehr geht nicht.";

    // Characters as people call them.
    a_dot: "A dot" / "Ein Punkt";
    a_comma: "A comma" / "Ein Komma";
    a_space: "A space" / "Ein Leerzeichen";
    a_hyphen: "A hyphen" / "Ein Bindestrich";
    an_at: "An @" / "Ein @";
    a_slash: "A slash" / "Ein Schrägstrich";
    an_apostrophe: "An apostrophe" / "Ein Apostroph";
    a_quotation_mark: "A quotation mark" / "Ein Anführungszeichen";
    a_line_break: "A line break" / "Ein Zeilenumbruch";
    an_invisible: "An invisible character" / "Ein unsichtbares Zeichen";
    the_letter(c: char): "The letter “{c}”" / "Der Buchstabe „{c}“";
    the_character(c: char): "“{c}”" / "„{c}“";

    // Pages of errors: heading, and what happened.
    not_understood: "Not understood" / "Nicht verstanden";
    not_understood_text:
        "Your browser asked for something that makes no sense." /
        "Dein Browser hat nach etwas gefragt, das keinen Sinn ergibt.";
    not_allowed: "Not allowed" / "Nicht erlaubt";
    not_allowed_text:
        "This is not yours to see or to do. Nothing was changed." /
        "Das ist nicht für dich bestimmt. Es wurde nichts geändert.";
    not_found: "Not found" / "Nicht gefunden";
    not_found_text:
        "There is nothing at this address. Perhaps it was mistyped." /
        "Unter dieser Adresse ist nichts. Vielleicht ist es ein Tippfehler.";
    sign_in_to_see:
        "If only members see it, sign in to see it." /
        "Wenn es nur Mitglieder sehen, melde dich an, um es zu sehen.";
    not_a_page: "Not a page" / "Keine Seite";
    not_a_page_text:
        "This address takes forms and shows nothing. Nothing was changed." /
        "Diese Adresse nimmt Formulare an und zeigt nichts. Es wurde nichts geändert.";
    already_used: "Already used" / "Schon verwendet";
    already_used_text:
        "This form was used before. Nothing was changed." /
        "Dieses Formular wurde schon verwendet. Es wurde nichts geändert.";
    gone: "Gone" / "Gelöscht";
    gone_text:
        "This was deleted by whoever wrote it." /
        "Das hat gelöscht, wer es geschrieben hat.";
    too_long: "Too long" / "Zu lang";
    too_long_text:
        "What you sent is too long. Nothing was saved; go back and shorten it." /
        "Was du gesendet hast, ist zu lang. Es wurde nichts gespeichert; geh zurück und kürze es.";
    not_yet: "Not yet" / "Noch nicht";
    not_yet_text:
        "Something in the form needs another look. Nothing was changed." /
        "Etwas im Formular stimmt noch nicht. Es wurde nichts geändert.";
    too_fast: "Too fast" / "Zu schnell";
    too_fast_text:
        "Too many requests in a short time. Wait a moment, then try again." /
        "Zu viele Anfragen in kurzer Zeit. Warte kurz und versuch es noch einmal.";
    not_reachable: "Not reachable" / "Nicht erreichbar";
    not_reachable_text:
        "No machine that holds the posts can be reached just now. Nothing is lost. Try again in a few seconds." /
        "Gerade ist keine Maschine erreichbar, auf der die Beiträge liegen. Nichts ist verloren. Versuch es in ein paar Sekunden noch einmal.";
    broken: "Something broke" / "Etwas ist kaputtgegangen";
    broken_text:
        "This is our fault, not yours. If you were writing, go back: your browser still holds your text, and sending it again is safe." /
        "Das ist unser Fehler, nicht deiner. Wenn du gerade geschrieben hast, geh zurück: Dein Browser hat deinen Text noch, und du kannst ihn gefahrlos noch einmal senden.";
    page_too_large: "This page became too large to be sent." / "Diese Seite ist zu groß geworden, um sie zu senden.";
}
