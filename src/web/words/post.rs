//! Posts and lists of them, threads, profiles, lists of people.

use super::words;

words! {
    welcome: "Welcome" / "Willkommen";
    notice_board:
        ("The notice board of ", ": short posts, newest first, and it ends. Everyone may read; members write.") /
        ("Das Schwarze Brett von ", ": kurze Beiträge, die neuesten zuerst, und es hat ein Ende. Alle dürfen lesen; Mitglieder schreiben.");
    see_everyone: "See what everyone is saying" / "Lies, was alle schreiben";
    account_gone: "Your account is gone." / "Dein Konto ist gelöscht.";
    posts_gone:
        "Your posts are gone with it. An hour later they are off the disks; backups keep them for as long as the keeper keeps those." /
        "Deine Beiträge sind es auch. Nach einer Stunde sind sie von den Platten; Sicherungen behalten sie, solange der Betreiber diese aufhebt.";

    people_you_follow: "people you follow" / "Leute, denen du folgst";
    people_to_follow: "People to follow" / "Leute, denen du folgen könntest";
    home_empty:
        "Posts by people you follow appear here, and your own. Nothing yet." /
        "Hier stehen die Beiträge derer, denen du folgst, und deine eigenen. Noch ist nichts da.";
    members_only_posts:
        "Only members see these posts. Sign in to read them." /
        "Diese Beiträge sehen nur Mitglieder. Melde dich an, um sie zu lesen.";
    for_members_alone:
        "Only members see these posts." /
        "Diese Beiträge sehen nur Mitglieder.";
    nothing_posted: "Nothing posted yet." / "Noch keine Beiträge.";
    older_posts: "Older posts" / "Ältere Beiträge";
    that_is_everything: "That’s everything." / "Das ist alles.";
    back_to_beginning: "Back to the beginning" / "Zurück zum Anfang";

    write_post: "Write a post" / "Beitrag schreiben";
    whats_happening: "What’s happening?" / "Was gibt’s Neues?";
    post: "Post" / "Veröffentlichen";
    up_to_chars(max: usize): "up to {max} characters" / "bis zu {max} Zeichen";
    chars_left(n: u64):
        ["{n} character left", "{n} characters left"] / ["noch {n} Zeichen", "noch {n} Zeichen"];
    chars_over(n: u64):
        ["{n} character too many", "{n} characters too many"] /
        ["{n} Zeichen zu viel", "{n} Zeichen zu viel"];
    new_posts(n: u64):
        ["{n} new post", "{n} new posts"] / ["{n} neuer Beitrag", "{n} neue Beiträge"];
    who_may_read: "Who may read it" / "Wer es lesen darf";
    for_everyone: "Everyone" / "Alle";
    for_everyone_quietly:
        "Everyone, but in no public list" /
        "Alle, aber in keiner öffentlichen Liste";
    for_followers: "Whoever follows me" / "Wer mir folgt";
    for_named: "Only people named here" / "Nur wer hier genannt ist";
    // Beside a post's time.
    is_quiet: "In no public list" / "In keiner öffentlichen Liste";
    is_for_followers: "Followers only" / "Nur für die, die folgen";
    is_for_named: "Only those named" / "Nur für Genannte";
    name_somebody:
        "This is for people named in it, and names nobody. Name them with @, or choose who else may read it." /
        "Das ist für die, die darin genannt sind, und nennt niemanden. Nenne sie mit @, oder wähle, wer es sonst lesen darf.";
    none_is_called(names: &str): "Nobody here is called {names}." / "Hier heißt niemand {names}.";
    or_last: "or" / "oder";
    your_text: "Your text" / "Dein Text";
    your_reply: "Your reply" / "Deine Antwort";
    reply: "Reply" / "Antworten";
    replies(n: u32): ["{n} reply", "{n} replies"] / ["{n} Antwort", "{n} Antworten"];
    reply_to: "to" / "an";
    back_to_thread: "Back to the thread" / "Zurück zum Gespräch";
    read_home: "Read Home meanwhile" / "Solange auf der Startseite lesen";

    post_by(name: &str): "Post by {name}" / "Beitrag von {name}";
    what_it_answers: "What it answers" / "Worauf er antwortet";
    further_up: "Further up" / "Weiter oben";
    deleted_post: "A deleted post" / "Ein gelöschter Beitrag";
    replies_heading: "Replies" / "Antworten";
    more_replies: "Show more replies" / "Weitere Antworten zeigen";
    first_replies: "Back to the first replies" / "Zurück zu den ersten Antworten";
    sign_in_to_reply: "Sign in to reply" / "Anmelden, um zu antworten";
    delete_this_post: "Delete this post?" / "Diesen Beitrag löschen?";
    deleting_post:
        "The text goes from all machines. Replies by others stay." /
        "Der Text verschwindet von allen Maschinen. Antworten anderer bleiben.";
    keep_it: "Keep it" / "Behalten";

    edit_profile: "Edit profile" / "Profil bearbeiten";
    joined: "Joined" / "Dabei seit";
    posts(n: u32): ["{n} post", "{n} posts"] / ["{n} Beitrag", "{n} Beiträge"];
    followers(n: u32):
        ["{n} follower", "{n} followers"] / ["{n} Mitglied folgt", "{n} Mitglieder folgen"];
    following(n: u32):
        ["{n} following", "{n} following"] / ["folgt {n} Mitglied", "folgt {n} Mitgliedern"];
    followers_heading: "Followers" / "Wer folgt";
    following_heading: "Following" / "Wem gefolgt wird";
    no_one_yet: "No one yet." / "Noch niemand.";
    anybody_follows:
        "Any member can follow you and then read what you write for your followers. Whom you remove from them can follow you anew; whom you block cannot." /
        "Jedes Mitglied kann dir folgen und liest dann, was du für die schreibst, die dir folgen. Wen du aus ihnen entfernst, kann dir neu folgen; wen du sperrst, kann es nicht.";
    remove_follower: "Remove" / "Entfernen";
    remove_follower_whom(name: &str):
        "Remove {name} from your followers" /
        "{name} aus denen entfernen, die dir folgen";
    more_people: "More people" / "Weitere Mitglieder";
    follow: "Follow" / "Folgen";
    unfollow: "Unfollow" / "Nicht mehr folgen";
    follow_whom(name: &str): "Follow {name}" / "{name} folgen";
    unfollow_whom(name: &str): "Unfollow {name}" / "{name} nicht mehr folgen";
    has_left(name: &str): "{name} has left" / "{name} ist nicht mehr dabei";
    has_left_text:
        "Their account and their posts are gone." /
        "Das Konto und die Beiträge sind gelöscht.";
    nobody_called(name: &str):
        "Nobody here is called @{name}. Perhaps it was mistyped." /
        "Hier heißt niemand @{name}. Vielleicht ist es ein Tippfehler.";
}
