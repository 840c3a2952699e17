//! What the gate says by itself, before any page is asked for.

use super::words;

words! {
    // What became of what was typed, and what to do now.
    gate_back:
        "Nothing was saved. Your browser still holds what you typed: go back to it." /
        "Es wurde nichts gespeichert. Dein Browser hat noch, was du eingegeben hast: Geh dorthin zurück.";
    gate_sign_in:
        "Nothing was saved. Sign in in another window, then go back and send it again; your browser keeps what you typed." /
        "Es wurde nichts gespeichert. Melde dich in einem anderen Fenster an, geh dann zurück und sende es noch einmal; dein Browser hat noch, was du eingegeben hast.";
    gate_again:
        "Nothing was saved. Go back and try again; your browser keeps what you typed." /
        "Es wurde nichts gespeichert. Geh zurück und versuch es noch einmal; dein Browser hat noch, was du eingegeben hast.";
    gate_soon:
        "Nothing was saved. Try again in a few seconds; if you were writing, go back first, your browser keeps what you typed." /
        "Es wurde nichts gespeichert. Versuch es in ein paar Sekunden noch einmal; wenn du gerade geschrieben hast, geh erst zurück, dein Browser hat noch, was du eingegeben hast.";
    gate_unknown:
        "Go back and send it again: if it was saved, it will not be saved twice." /
        "Geh zurück und sende es noch einmal: Wenn es gespeichert wurde, wird es nicht zweimal gespeichert.";
    gate_clear_cookies:
        "Nothing was saved. Clear this site’s cookies in your browser and try again." /
        "Es wurde nichts gespeichert. Lösche die Cookies dieser Website in deinem Browser und versuch es noch einmal.";
    gate_shorten:
        "Nothing was saved. Your browser still holds what you typed: go back and shorten it, or choose fewer or smaller pictures." /
        "Es wurde nichts gespeichert. Dein Browser hat noch, was du eingegeben hast: Geh zurück und kürze es, oder wähle weniger oder kleinere Bilder.";
    gate_right_address:
        "Nothing was saved. Use the address that you were given, or ask the keeper for it." /
        "Es wurde nichts gespeichert. Nimm die Adresse, die man dir gegeben hat, oder frag den Betreiber danach.";
    gate_few_seconds: "Try again in a few seconds." / "Versuch es in ein paar Sekunden noch einmal.";
    gate_tell_keeper:
        "Try again. If it happens again, tell the keeper the number below." /
        "Versuch es noch einmal. Wenn es wieder geschieht, nenne dem Betreiber die Nummer unten.";

    // What happened.
    not_valid_request:
        "Your browser sent something that is no valid request." /
        "Dein Browser hat etwas gesendet, das keine gültige Anfrage ist.";
    too_slow: "Too slow" / "Zu langsam";
    browser_too_slow:
        "Your browser took too long to send its request." /
        "Dein Browser hat zu lange gebraucht, um seine Anfrage zu senden.";
    address_too_long: "That address is too long." / "Diese Adresse ist zu lang.";
    too_much: "Too much" / "Zu viel";
    headers_too_large:
        "Your browser sent too much with its request, perhaps old cookies." /
        "Dein Browser hat mit seiner Anfrage zu viel gesendet, vielleicht alte Cookies.";
    body_too_large:
        "What you sent is too long for this site." /
        "Was du gesendet hast, ist zu lang für diese Website.";
    no_such_method:
        "This site has no such way to ask." /
        "Auf diese Weise kann man hier nicht fragen.";
    no_such_version:
        "This site speaks HTTP/1.0 and HTTP/1.1 here." /
        "Diese Website spricht hier HTTP/1.0 und HTTP/1.1.";
    no_such_expectation:
        "Your browser expects what this site cannot do." /
        "Dein Browser erwartet etwas, das diese Website nicht kann.";
    not_this_site: "Not this site" / "Nicht diese Website";
    wrong_address:
        "The address that you used is not the one of this site." /
        "Die Adresse, die du verwendet hast, ist nicht die dieser Website.";
    very_busy: "Very busy" / "Sehr viel los";
    too_many_connections:
        "Too many connections are open at this moment." /
        "Gerade sind zu viele Verbindungen offen.";
    site_very_busy:
        "This site is very busy at this moment." /
        "Hier ist gerade sehr viel los.";
    gate_not_known:
        "We don’t know yet if it was saved" /
        "Wir wissen noch nicht, ob es gespeichert wurde";
    no_answer_in_time: "No answer came in time." / "Es kam rechtzeitig keine Antwort.";
    page_not_ready: "The page was not ready in time." / "Die Seite wurde nicht rechtzeitig fertig.";
    went_wrong: "Something went wrong" / "Etwas ist schiefgegangen";
    page_not_made:
        "The page could not be made. That is our fault, not yours." /
        "Die Seite ließ sich nicht herstellen. Das ist unser Fehler, nicht deiner.";
}
