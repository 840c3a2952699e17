//! Letting an app in.

use super::words;

words! {
    allow_app(app: &str): "Let {app} in?" / "{app} zulassen?";
    app_wants(app: &str, name: &str):
        "{app} wants to act in your name, @{name}. It would be able to:" /
        "{app} möchte in deinem Namen handeln, @{name}. Dann kann die App:";
    app_no_password:
        "It does not learn your password. You can end this at any time in the settings, under Devices." /
        "Dein Passwort erfährt die App nicht. In den Einstellungen unter „Geräte“ kannst du das jederzeit beenden.";
    allow: "Allow" / "Erlauben";
    deny: "Deny" / "Ablehnen";
    unknown_app: "Not known here" / "Hier nicht bekannt";
    unknown_app_text:
        "The app that sent you here has not introduced itself, or wants you sent to an address that it did not name. Nothing was allowed. Begin again in the app." /
        "Die App, die dich hierher geschickt hat, hat sich nicht vorgestellt oder will dich an eine Adresse schicken, die sie nicht genannt hat. Nichts wurde erlaubt. Fang in der App noch einmal an.";
    app_cannot_be_let_in: "This app cannot be let in" / "Diese App kann nicht zugelassen werden";
    app_asks_in_vain(app: &str, why: &str):
        "{app} sent you here with a request that makes no sense: {why}. Nothing was allowed. Whoever makes the app can put that right." /
        "{app} hat dich mit einer Anfrage hierher geschickt, die keinen Sinn ergibt: {why}. Nichts wurde erlaubt. Das kann nur ändern, wer die App macht.";
    app_asks_no_code:
        "it asks for something other than a code (response_type)" /
        "sie möchte etwas anderes als einen Code (response_type)";
    app_asks_unknown_scopes:
        "it wants to do what is unknown here, or what it did not say when it introduced itself (scope)" /
        "sie möchte etwas tun, das es hier nicht gibt oder das sie bei ihrer Vorstellung nicht gesagt hat (scope)";
    app_asks_by_unknown_challenge:
        "its challenge is not of the kind S256 (code_challenge_method)" /
        "ihre Prüfaufgabe ist nicht von der Art S256 (code_challenge_method)";
    app_page(page: &str): "It says that its page is {page}." / "Als ihre Seite nennt sie {page}.";
    app_wants_you_at(place: &str):
        "The link leads away from here, to {place}" / "Der Link führt von hier weg, zu {place}";
    back_to_app: "To the app" / "Zur App";
    app_code: "Your code" / "Dein Code";
    copy_app_code(app: &str): "Copy this code into {app}." / "Kopiere diesen Code in {app}.";
    app_code_once:
        "It works once, within ten minutes. Give it to nobody." /
        "Er gilt einmal und zehn Minuten lang. Gib ihn niemandem.";
    app_may: "This app may:" / "Diese App darf:";
    may_read:
        "read all that you can read here, also what only you see, such as bookmarks and notifications" /
        "alles lesen, was du hier lesen kannst, auch was nur du siehst, etwa Lesezeichen und Mitteilungen";
    may_write:
        "post, reply, like, repost and delete in your name, follow, mute and block people, and change your profile" /
        "in deinem Namen veröffentlichen, antworten, Beiträge mögen, teilen und löschen, Leuten folgen, sie ausblenden und sperren und dein Profil ändern";
    may_follow:
        "follow, mute and block people in your name" /
        "in deinem Namen Leuten folgen, sie ausblenden und sperren";
    may_push:
        "ask to be told of news (this site sends none)" /
        "um Benachrichtigungen bitten (diese Seite verschickt keine)";
    may_profile: "see your name and your profile" / "deinen Namen und dein Profil sehen";
    may_see(what: &str): "see: {what}" / "sehen: {what}";
    may_change(what: &str): "change: {what}" / "ändern: {what}";
    scope_accounts: "members’ profiles" / "Profile der Mitglieder";
    scope_own_profile: "your profile" / "dein Profil";
    scope_blocks: "whom you block" / "wen du sperrst";
    scope_bookmarks: "your bookmarks" / "deine Lesezeichen";
    scope_conversations: "your conversations" / "deine Unterhaltungen";
    scope_favourites: "what you like" / "was du magst";
    scope_filters: "your filters" / "deine Filter";
    scope_follows: "whom you follow" / "wem du folgst";
    scope_lists: "your lists" / "deine Listen";
    scope_media: "your pictures" / "deine Bilder";
    scope_mutes: "whom and what you mute" / "wen du ausgeblendet und was du stummgeschaltet hast";
    scope_notifications: "your notifications" / "deine Mitteilungen";
    scope_reports: "what you report" / "was du meldest";
    scope_search: "what a search finds" / "was eine Suche findet";
    scope_statuses: "posts" / "Beiträge";
}
