//! Joining and signing in.

use super::words;

words! {
    join_community(community: &str): "Join {community}" / "Bei {community} mitmachen";
    username_hint:
        "2–24 letters a–z, digits, _ . You can’t change it later." /
        "2–24 Buchstaben a–z, Ziffern, _ . Er lässt sich später nicht ändern.";
    join_name_hint:
        "What others see. Leave it empty to use your username." /
        "So sehen dich die anderen. Lass es leer, um deinen Benutzernamen zu verwenden.";
    new_password_hint:
        "8 characters or more. A few random words work well." /
        "Mindestens 8 Zeichen. Ein paar zufällige Wörter eignen sich gut.";
    create_account: "Create account" / "Konto anlegen";
    create_an_account: "Create an account" / "Ein Konto anlegen";
    have_account: "I have an account" / "Ich habe schon ein Konto";
    become_keeper: "Become the keeper" / "Betreiber werden";
    first_keeper_intro(community: &str):
        "Nobody keeps {community} yet. This makes an account that does: it says who may join, and looks after what is reported." /
        "Noch betreibt niemand {community}. Hier entsteht ein Konto, das es tut: Es bestimmt, wer mitmachen darf, und kümmert sich um Gemeldetes.";
    first_keeper_has:
        "If you have an account here, give its username and password. The link works once." /
        "Hast du hier schon ein Konto, dann gib dessen Benutzernamen und Passwort an. Der Link gilt einmal.";
    choose_password: "Choose a new password" / "Neues Passwort wählen";
    new_password_of(name: &str): "For @{name}. The link works once." / "Für @{name}. Der Link gilt einmal.";
    dead_link: "This link opens nothing" / "Dieser Link öffnet nichts";
    dead_link_why:
        "It was used, it is too old, or it is not whole. Ask the keeper for another." /
        "Er wurde schon benutzt, ist zu alt oder nicht vollständig. Frag den Betreiber nach einem neuen.";
    lost_password:
        "Lost your password? Ask the keeper." /
        "Passwort vergessen? Frag den Betreiber.";
    show_password: "Show password" / "Passwort anzeigen";
    hide_password: "Hide password" / "Passwort verbergen";
    text_not_posted:
        "You are signed in. Your text has not been posted." /
        "Du bist angemeldet. Dein Text wurde nicht veröffentlicht.";
    press_post:
        "It is below, as you left it. Press Post when it is ready." /
        "Er steht unten, wie du ihn verlassen hast. Drücke „Veröffentlichen“, wenn er fertig ist.";
}
