//! What people do with posts: like, repost, bookmark, pin, edit, fold, mute their threads.

use super::words;

words! {
    like: "Like" / "Gefällt mir";
    liked: "Liked" / "Gefällt dir";
    repost: "Repost" / "Teilen";
    reposted: "Reposted" / "Geteilt";
    bookmark: "Bookmark" / "Merken";
    bookmarked: "Bookmarked" / "Gemerkt";
    pin: "Pin" / "Anheften";
    pinned: "Pinned" / "Angeheftet";
    mute_thread: "Mute thread" / "Unterhaltung stummschalten";
    thread_muted: "Thread muted" / "Unterhaltung stumm";
    edit: "Edit" / "Bearbeiten";
    unmark_post(what: &str, name: &str):
        "{what}, take back: post by {name}" /
        "{what}, zurücknehmen: Beitrag von {name}";
    take_back: "Take it back" / "Zurücknehmen";

    // Behind a name.
    reposted_this: "reposted" / "hat das geteilt";
    // Before names; what follows them.
    liked_by: "Liked by" / "Gefällt";
    before_last: "and" / "und";
    and_more(n: u32): ["and {n} more", "and {n} more"] / ["und {n} weiterem Mitglied", "und {n} weiteren"];

    bookmarks: "Bookmarks" / "Lesezeichen";
    only_you_see: "only you see these" / "nur du siehst sie";
    nothing_bookmarked:
        "Nothing bookmarked yet. Open a post to bookmark it." /
        "Noch nichts gemerkt. Öffne einen Beitrag, um ihn dir zu merken.";

    content_note: "Content note" / "Inhaltshinweis";
    a_content_note: "A content note" / "Ein Inhaltshinweis";
    content_note_hint(max: usize):
        "Folds your post behind it, pictures as well; up to {max} characters." /
        "Klappt deinen Beitrag samt Bildern hinter diesen Worten ein; bis zu {max} Zeichen.";

    edited: "Edited" / "Bearbeitet";
    edit_this_post: "Edit this post" / "Diesen Beitrag bearbeiten";
    leave_as_is: "Leave it as it is" / "So lassen, wie er ist";
    press_save_edited:
        "It is below, as you left it. Press Save when it is ready." /
        "Er steht unten, wie du ihn verlassen hast. Drücke „Speichern“, wenn er fertig ist.";
    edited_most(max: u32):
        "A post can be edited {max} times, and this one was." /
        "Ein Beitrag lässt sich {max}-mal bearbeiten, und so oft wurde es dieser schon.";
    what_post_said: "What this post said" / "Was dieser Beitrag gesagt hat";
    // Behind a name.
    changed_it:
        "changed it. Here is each text, oldest first." /
        "hat ihn geändert. Hier steht jeder Text, der älteste zuerst.";
    back_to_post: "Back to the post" / "Zurück zum Beitrag";

    not_before_upgrade:
        "Not before the upgrade is finished." /
        "Erst wenn die Aktualisierung abgeschlossen ist.";
    not_known_to_all:
        "Some machines do not know this yet." /
        "Einige Maschinen kennen das noch nicht.";
}
