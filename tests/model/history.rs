//! What clients may see of one user's file: a list that only grows at its end, each act in it once,
//! until the account is ended.

use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};

/// One act of a client, counted from 0; a repetition of a request is the same act.
pub(crate) type Act = u8;

/// The list, as one machine alone would keep it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct List {
    acts: Vec<Act>,
    is_ended: bool,
}

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Ask {
    /// Put this at the end, unless it stands somewhere already.
    Append(Act),
    /// The same, and end the account with it.
    End(Act),
    /// Tell the list.
    Read,
}

/// What a client is told.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Told {
    /// It stands at this place.
    At(usize),
    /// The list; nothing once the account is ended.
    Is(Vec<Act>),
    /// The account is ended.
    Gone,
}

impl SequentialSpec for List {
    type Op = Ask;
    type Ret = Told;

    fn invoke(&mut self, ask: &Ask) -> Told {
        match ask {
            Ask::Append(act) | Ask::End(act) => {
                if let Some(at) = self.acts.iter().position(|other| other == act) {
                    return Told::At(at);
                }
                if self.is_ended {
                    return Told::Gone;
                }
                self.acts.push(*act);
                self.is_ended = matches!(ask, Ask::End(_));
                Told::At(self.acts.len() - 1)
            }
            Ask::Read if self.is_ended => Told::Is(Vec::new()),
            Ask::Read => Told::Is(self.acts.clone()),
        }
    }
}

/// What all clients asked and were told, each client being one act.
pub(crate) type History = LinearizabilityTester<Act, List>;

/// A client asks, unless it has asked already and does so again.
pub(crate) fn asked(history: &mut History, act: Act, ask: &Ask, is_again: bool) {
    if !is_again {
        history.on_invoke(act, ask.clone()).unwrap();
    }
}

/// A client is told. Whether all that was told until now can be explained.
pub(crate) fn told(history: &mut History, act: Act, told: Told) -> bool {
    history.on_return(act, told).unwrap();
    history.is_consistent()
}

#[test]
fn history_read_must_show_what_was_answered_before() {
    let is_fine = |list: &[Act]| {
        let mut history = History::default();
        asked(&mut history, 1, &Ask::Append(1), false);
        assert!(told(&mut history, 1, Told::At(0)));
        asked(&mut history, 2, &Ask::Read, false);
        told(&mut history, 2, Told::Is(list.to_vec()))
    };
    assert!(is_fine(&[1]));
    assert!(!is_fine(&[]));
}
