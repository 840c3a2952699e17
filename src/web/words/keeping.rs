//! How a community is kept: muting and blocking, joining by invitation or a keeper's word, reports, and
//! what keepers do.

use super::words;

words! {
    mute: "Mute" / "Ausblenden";
    unmute: "Unmute" / "Wieder einblenden";
    block: "Block" / "Sperren";
    unblock: "Unblock" / "Nicht mehr sperren";
    mute_whom(name: &str): "Mute {name}" / "{name} ausblenden";
    unmute_whom(name: &str): "Unmute {name}" / "{name} wieder einblenden";
    block_whom(name: &str): "Block {name}" / "{name} sperren";
    unblock_whom(name: &str): "Unblock {name}" / "{name} nicht mehr sperren";
    you_muted(name: &str): "You have muted {name}." / "Du hast {name} ausgeblendet.";
    you_blocked(name: &str): "You have blocked {name}." / "Du hast {name} gesperrt.";
    blocked_you(name: &str): "{name} has blocked you." / "{name} hat dich gesperrt.";
    neither_sees:
        "Neither of you sees the other’s posts." /
        "Ihr seht beide nicht, was der andere schreibt.";
    posts_not_shown:
        "Their posts are not shown to you." /
        "Diese Beiträge werden dir nicht gezeigt.";
    post_not_shown: "A post that is not shown to you" / "Ein Beitrag, der dir nicht gezeigt wird";
    people_tab: "Muted" / "Ausgeblendet";
    people_intro:
        "You see nothing of those you mute. Whom you block sees nothing of you either, and can neither follow nor answer you." /
        "Von Ausgeblendeten siehst du nichts. Gesperrte sehen auch von dir nichts und können dir weder folgen noch antworten.";
    no_one: "No one." / "Niemand.";
    kept_apart:
        "You and they are kept apart by a block." /
        "Zwischen euch steht eine Sperre.";

    closed: "Closed" / "Geschlossen";
    invited_by_keeper:
        "New members are invited by the keeper." /
        "Neue Mitglieder lädt der Betreiber ein.";
    read_everyone: "Read what everyone is saying" / "Lesen, was alle schreiben";
    approved_intro:
        "A keeper lets new members in: you can sign in at once, and write once they did." /
        "Neue Mitglieder nimmt ein Betreiber auf: Anmelden kannst du dich sofort, schreiben ab dann.";
    code: "Invitation code" / "Einladungscode";
    code_hint: "As you were given it." / "So, wie du ihn bekommen hast.";
    a_code: "A code" / "Ein Code";
    enter_code: "Enter the code of your invitation." / "Gib den Code deiner Einladung ein.";
    no_such_code:
        "There is no such code. Look whether it was mistyped." /
        "Diesen Code gibt es nicht. Sieh nach, ob du dich vertippt hast.";
    code_used:
        "As many as may have joined with this code. Ask for another." /
        "Mit diesem Code sind schon alle dabei, für die er gilt. Bitte um einen anderen.";
    code_past:
        "The time of this code is over. Ask for another." /
        "Dieser Code ist abgelaufen. Bitte um einen anderen.";
    you_wait: "You are waiting" / "Du wartest";
    wait_for_keeper:
        "A keeper has yet to let you in. Come back later." /
        "Ein Betreiber muss dich noch aufnehmen. Komm später wieder.";
    not_let_in: "Not let in" / "Nicht aufgenommen";
    keeper_said_no: "The keeper has not let you in." / "Der Betreiber hat dich nicht aufgenommen.";
    suspended: "Suspended" / "Stillgelegt";
    suspended_until(time: &str):
        "You are suspended until {time}." /
        "Du bist bis {time} stillgelegt.";
    suspended_until_lifted:
        "You are suspended until the keeper lifts it." /
        "Du bist stillgelegt, bis ein Betreiber es aufhebt.";
    is_suspended(name: &str): "{name} is suspended." / "{name} ist stillgelegt.";
    until_time(time: &str): "Until {time}." / "Bis {time}.";
    the_reason(reason: &str): "The reason: {reason}" / "Der Grund: {reason}";
    keeper_cannot_leave: "A keeper can’t leave." / "Betreiber können nicht austreten.";
    ask_operator:
        "Ask whoever runs the machines to make you a plain member first." /
        "Bitte zuerst die, die die Maschinen betreiben, dich wieder zum einfachen Mitglied zu machen.";

    invitations_tab: "Invitations" / "Einladungen";
    invitation_made: "An invitation was made." / "Eine Einladung ist gemacht.";
    its_code:
        ("Its code is ", ". It is shown only now: give it, or ", ", to whom you invite.") /
        ("Ihr Code ist ", ". Er wird nur jetzt gezeigt: Gib ihn, oder ", ", denen, die du einlädst.");
    this_link: "this link" / "diesen Link";
    make_invitation: "Make an invitation" / "Einladung machen";
    uses_label: "How many may join with it" / "Für wie viele sie gilt";
    days_label: "It stands for" / "Gültig für";
    a_day: "a day" / "einen Tag";
    a_week: "a week" / "eine Woche";
    thirty_days: "30 days" / "30 Tage";
    ninety_days: "90 days" / "90 Tage";
    your_invitations: "Your invitations" / "Deine Einladungen";
    made: "Made" / "Gemacht:";
    used_of(used: usize, uses: u32): "{used} of {uses} used" / "{used} von {uses} benutzt";
    stands_until: "until" / "gilt bis";
    over_since: "over since" / "abgelaufen:";
    end_it: "End it" / "Beenden";

    report: "Report" / "Melden";
    report_post: "Report this post" / "Diesen Beitrag melden";
    report_intro(user: &str):
        "The keepers are told who you are and what you say of this post by @{user}; its author is not." /
        "Die Betreiber erfahren, wer du bist und was du zu diesem Beitrag von @{user} sagst; wer ihn schrieb, nicht.";
    report_hint: "What is wrong with it, up to 200 characters." / "Was daran nicht stimmt, bis zu 200 Zeichen.";
    leave_it: "Leave it" / "Lassen";
    reported: "Reported." / "Gemeldet.";
    keeper_will_look: "A keeper will look." / "Ein Betreiber sieht es sich an.";
    reason: "Reason" / "Grund";
    a_reason: "A reason" / "Ein Grund";
    say_why: "Say why." / "Sag, warum.";
    hidden_by_keeper: "Hidden by the keeper" / "Vom Betreiber verborgen";

    moderation: "Moderation" / "Verwaltung";
    moderate: "Moderate" / "Verwalten";
    reports_tab: "Reports" / "Meldungen";
    joining_tab: "Joining" / "Aufnahme";
    members_tab: "Members" / "Mitglieder";
    log_tab: "Log" / "Protokoll";
    nothing_waiting: "Nothing waiting." / "Nichts wartet.";
    people_wait(n: u32):
        ["One person waits to be let in.", "{n} people wait to be let in."] /
        ["Eine Person wartet auf Aufnahme.", "{n} Personen warten auf Aufnahme."];
    gone_post_by:
        ("A post by ", " that does not stand any more.") /
        ("Ein Beitrag von ", ", den es nicht mehr gibt.");
    more_reports: "More" / "Mehr";
    name_label: "Name" / "Name";
    look_for: "Search" / "Suchen";
    a_keeper: "keeper" / "Betreiber";
    joined_when: "joined" / "dabei seit";
    invited_by(user: &str): "invited by @{user}" / "eingeladen von @{user}";
    waits_to_be_let_in: "waits to be let in" / "wartet auf Aufnahme";
    was_not_let_in: "not let in." / "nicht aufgenommen.";
    under_suspension: "suspended." / "stillgelegt.";
    under_suspension_until(time: &str): "suspended until {time}." / "stillgelegt bis {time}.";
    nothing_done: "Nothing was done yet." / "Noch ist nichts geschehen.";
    what_keepers_did: "What the keepers did" / "Was die Betreiber getan haben";
    older_acts: "Older" / "Älteres";
    undo: "Undo" / "Rückgängig";
    do_it: "Do it" / "Tun";

    who_may_join: "Who may join" / "Wer mitmachen darf";
    everybody: "everybody" / "alle";
    whoever_invited: "whoever has an invitation" / "wer eine Einladung hat";
    whom_keeper_lets: "whom a keeper lets in" / "wen ein Betreiber aufnimmt";
    nobody: "nobody" / "niemand";
    members_invite:
        "All members may invite, not only keepers" /
        "Alle Mitglieder dürfen einladen, nicht nur Betreiber";
    words_for_strangers: "Words for strangers" / "Worte für Gäste";
    these_words: "This" / "Das";
    words_hint:
        "What you say to them on the first page, up to 1000 characters." /
        "Was du ihnen auf der ersten Seite sagst, bis zu 1000 Zeichen.";
    shows_posts: "Strangers see the newest posts there" / "Gäste sehen dort die neuesten Beiträge";
    shows_log: "Members may read what keepers did" / "Mitglieder dürfen lesen, was Betreiber getan haben";

    for_how_long: "For" / "Für";
    an_hour: "an hour" / "eine Stunde";
    six_hours: "6 hours" / "6 Stunden";
    three_days: "3 days" / "3 Tage";
    until_lifted: "until it is lifted" / "bis es aufgehoben wird";
    keepers_password:
        "Needed if you signed in more than ten minutes ago." /
        "Nötig, wenn du dich vor mehr als zehn Minuten angemeldet hast.";
    told_why: "They are told, up to 200 characters." / "Wird den Betroffenen gesagt, bis zu 200 Zeichen.";

    hide_link: "Hide the post" / "Beitrag verbergen";
    hide_title: "Hide this post?" / "Diesen Beitrag verbergen?";
    hide_text(user: &str):
        "Nobody but @{user} sees what it says. It can be shown again." /
        "Nur @{user} sieht dann noch, was darin steht. Er lässt sich wieder zeigen.";
    hide_button: "Hide it" / "Verbergen";
    show_link: "Show the post" / "Beitrag zeigen";
    show_title: "Show this post again?" / "Diesen Beitrag wieder zeigen?";
    show_text(user: &str):
        "Everybody sees again what @{user} wrote." /
        "Alle sehen wieder, was @{user} schrieb.";
    show_button: "Show it" / "Zeigen";
    close_link: "Close the reports" / "Meldungen abschließen";
    close_title: "Close these reports?" / "Diese Meldungen abschließen?";
    close_text(user: &str):
        "What was reported of this post by @{user} so far needs nothing more." /
        "Was bisher zu diesem Beitrag von @{user} gemeldet wurde, braucht nichts weiter.";
    close_button: "Close them" / "Abschließen";
    reopen_link: "Look again" / "Noch einmal ansehen";
    reopen_title: "Look at these reports again?" / "Diese Meldungen noch einmal ansehen?";
    reopen_text(user: &str):
        "What was reported of this post by @{user} stands in the list again." /
        "Was zu diesem Beitrag von @{user} gemeldet wurde, steht wieder in der Liste.";
    suspend_link: "Suspend the member" / "Mitglied stilllegen";
    suspend_title: "Suspend this member?" / "Dieses Mitglied stilllegen?";
    suspend_text(user: &str):
        "@{user} can write nothing while it lasts, and their posts stand in no list. It can be lifted." /
        "@{user} kann so lange nichts schreiben, und die Beiträge stehen in keiner Liste. Es lässt sich aufheben.";
    cannot_suspend_yourself: "You cannot suspend yourself." / "Du kannst dich nicht selbst stilllegen.";
    suspend_button: "Suspend" / "Stilllegen";
    lift_link: "Lift the suspension" / "Stilllegung aufheben";
    lift_title: "Lift this suspension?" / "Diese Stilllegung aufheben?";
    lift_text(user: &str):
        "@{user} can write again, and their posts are seen again." /
        "@{user} kann wieder schreiben und wird wieder gelesen.";
    lift_button: "Lift it" / "Aufheben";
    admit_link: "Let in" / "Aufnehmen";
    admit_title: "Let them in?" / "Aufnehmen?";
    admit_text(user: &str): "@{user} becomes a member." / "@{user} wird Mitglied.";
    refuse_link: "Don’t let in" / "Nicht aufnehmen";
    refuse_title: "Not let them in?" / "Nicht aufnehmen?";
    refuse_text(user: &str):
        "@{user} is told so. It can be changed later." /
        "@{user} erfährt es. Es lässt sich später ändern.";
    undecide_link: "Take it back" / "Zurücknehmen";
    undecide_title: "Take this back?" / "Das zurücknehmen?";
    undecide_text(user: &str):
        "@{user} waits to be let in again." /
        "@{user} wartet wieder auf Aufnahme.";

    did_set: "changed how the community is kept." / "hat geändert, wie die Gemeinschaft geführt wird.";
    setting_is_on: "yes" / "ja";
    setting_is_off: "no" / "nein";
    no_words: "none" / "keine";
    did_hide: ("hid a post by ", ".") / ("hat einen Beitrag von ", " verborgen.");
    did_show: ("showed a post by ", " again.") / ("hat einen Beitrag von ", " wieder gezeigt.");
    did_close:
        ("closed the reports of a post by ", ".") /
        ("hat die Meldungen zu einem Beitrag von ", " abgeschlossen.");
    did_reopen:
        ("opened the reports of a post by ", " again.") /
        ("hat die Meldungen zu einem Beitrag von ", " wieder geöffnet.");
    did_suspend: ("suspended ", ".") / ("hat ", " stillgelegt.");
    did_suspend_open:
        ("suspended ", " until it is lifted.") /
        ("hat ", " stillgelegt, bis es aufgehoben wird.");
    did_lift: ("lifted the suspension of ", ".") / ("hat die Stilllegung von ", " aufgehoben.");
    did_admit: ("let ", " in.") / ("hat ", " aufgenommen.");
    did_refuse: ("did not let ", " in.") / ("hat ", " nicht aufgenommen.");
    did_undecide:
        ("took back what was decided about ", ".") /
        ("hat zurückgenommen, was über ", " entschieden war.");
    until_when(time: &str): "until {time}" / "bis {time}";
}
