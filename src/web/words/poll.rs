//! Polls: asking something, answering it, and how that stands.

use super::words;

words! {
    poll: "Poll" / "Umfrage";
    without_poll: "Without a poll" / "Ohne Umfrage";
    option_number(n: u32): ["Option {n}", "Option {n}"] / ["Möglichkeit {n}", "Möglichkeit {n}"];
    poll_hint: "From two to four options; how many chose what is seen by all." / "Zwei bis vier Möglichkeiten; wie viele was gewählt haben, sehen alle.";
    poll_takes_votes: "Votes are taken for" / "Abstimmen kann man";
    hours_long(n: u32): ["{n} hour", "{n} hours"] / ["{n} Stunde", "{n} Stunden"];
    days_long(n: u32): ["{n} day", "{n} days"] / ["{n} Tag", "{n} Tage"];
    several_at_once: "Several can be chosen" / "Mehrere können gewählt werden";
    vote: "Vote" / "Abstimmen";
    votes(n: u32): ["{n} vote", "{n} votes"] / ["{n} Stimme", "{n} Stimmen"];
    voters(n: u32): ["{n} person voted", "{n} people voted"] / ["1 Person hat abgestimmt", "{n} Personen haben abgestimmt"];
    poll_alone: "a poll" / "eine Umfrage";
    your_choice: "your choice" / "deine Wahl";
    poll_ends: "Ends" / "Ende:";
    poll_ended: "Ended" / "Beendet";
    choose_several: "Choose one or several" / "Wähle eine oder mehrere Möglichkeiten";
    choose_one: "Choose one" / "Wähle eine Möglichkeit";
    results_later: "Results are shown when it has ended." / "Das Ergebnis steht hier, sobald die Umfrage beendet ist.";

    // What is wrong with a poll, or with a vote.
    an_option: "An option" / "Eine Möglichkeit";
    poll_options_least(min: u32): ["A poll needs at least {min} option.", "A poll needs at least {min} options."] / ["Eine Umfrage braucht mindestens {min} Möglichkeit.", "Eine Umfrage braucht mindestens {min} Möglichkeiten."];
    poll_options_most(max: u32): ["A poll has at most {max} option.", "A poll has at most {max} options."] / ["Eine Umfrage hat höchstens {max} Möglichkeit.", "Eine Umfrage hat höchstens {max} Möglichkeiten."];
    polls_most(max: u32): ["You can have {max} poll; delete an old one first.", "You can have {max} polls; delete an old one first."] / ["Du kannst {max} Umfrage haben; lösche erst eine alte.", "Du kannst {max} Umfragen haben; lösche erst eine alte."];
    option_empty: "Each option says something." / "Jede Möglichkeit sagt etwas.";
    options_same: "Two options say the same." / "Zwei Möglichkeiten sagen dasselbe.";
    poll_lasts: "A poll lasts from five minutes to a month." / "Eine Umfrage dauert von fünf Minuten bis zu einem Monat.";
    choose_something: "Choose something first." / "Wähle erst etwas.";
    no_such_option: "One of these cannot be chosen here." / "Eines davon steht hier nicht zur Wahl.";
    voted_before: "You have voted here before; a vote stands." / "Du hast hier schon abgestimmt; das gilt.";
    poll_is_over: "The poll has ended." / "Die Umfrage ist beendet.";
    own_poll: "You cannot vote in your own poll." / "In deiner eigenen Umfrage kannst du nicht abstimmen.";
    votes_most(max: u32): ["You have voted in {max} poll, which is the most.", "You have voted in {max} polls, which is the most."] / ["Du hast in {max} Umfrage abgestimmt, mehr geht nicht.", "Du hast in {max} Umfragen abgestimmt, mehr geht nicht."];
}
