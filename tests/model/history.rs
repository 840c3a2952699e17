//! What clients may see of one user's file: a list that only grows at its end, each act in it once.

use stateright::semantics::{ConsistencyTester, LinearizabilityTester, SequentialSpec};

/// One act of a client; a repetition of a request is the same act.
pub(crate) type Act = u8;

/// The list, as one machine alone would keep it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct List(Vec<Act>);

/// What a client asks.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Ask {
    /// Put this at the end, unless it stands somewhere already.
    Append(Act),
    /// Tell the list.
    Read,
}

/// What a client is told.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum Told {
    /// It stands at this place.
    At(usize),
    /// The list.
    Is(Vec<Act>),
}

impl SequentialSpec for List {
    type Op = Ask;
    type Ret = Told;

    fn invoke(&mut self, ask: &Ask) -> Told {
        match ask {
            Ask::Append(act) => {
                let at = self.0.iter().position(|other| other == act);
                Told::At(at.unwrap_or_else(|| {
                    self.0.push(*act);
                    self.0.len() - 1
                }))
            }
            Ask::Read => Told::Is(self.0.clone()),
        }
    }
}

/// What all clients asked and were told, each client being one act.
pub(crate) type History = LinearizabilityTester<Act, List>;

#[test]
fn history_read_must_show_what_was_answered_before() {
    let told = |list: &[Act]| {
        let mut history = History::default();
        history.on_invoke(1, Ask::Append(1)).unwrap().on_return(1, Told::At(0)).unwrap();
        history.on_invoke(2, Ask::Read).unwrap().on_return(2, Told::Is(list.to_vec())).unwrap();
        history.is_consistent()
    };
    assert!(told(&[1]));
    assert!(!told(&[]));
}
