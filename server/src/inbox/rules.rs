//! Who may do what with a line. Pure.

use crate::db::Id;
use renraku_wire::Code;

/// What somebody does with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// Takes it on.
    Claim,
    /// Gives it back; a manager may for an absent colleague.
    GiveBack,
    /// Ticks it off; nobody needs to have claimed it before.
    Finish,
}

/// Where a line stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Who has it.
    pub claimed_by: Option<Id>,
    /// True once it was ticked off.
    pub done: bool,
}

/// Where the line stands afterwards. Doing the same twice changes nothing.
///
/// # Errors
/// [`Code::StateConflict`]: somebody else has it, nobody has it, or it was ticked off.
pub fn after(standing: Standing, act: Act, who: Id, manager: bool) -> Result<Standing, Code> {
    let mine = standing.claimed_by == Some(who);
    let free = standing.claimed_by.is_none();
    match act {
        Act::Finish if standing.done && mine => Ok(standing),
        _ if standing.done => Err(Code::StateConflict),
        Act::Claim if mine || free => Ok(Standing { claimed_by: Some(who), ..standing }),
        Act::Finish if mine || free => Ok(Standing { claimed_by: Some(who), done: true }),
        Act::GiveBack if mine || free || manager => Ok(Standing { claimed_by: None, ..standing }),
        Act::Claim | Act::GiveBack | Act::Finish => Err(Code::StateConflict),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_person_has_a_line_at_a_time() {
        let (a, b) = (Id::new(), Id::new());
        let fresh = Standing { claimed_by: None, done: false };
        let claimed = after(fresh, Act::Claim, a, false).unwrap();
        assert_eq!(claimed, Standing { claimed_by: Some(a), done: false });
        assert_eq!(after(claimed, Act::Claim, a, false), Ok(claimed));
        for act in [Act::Claim, Act::Finish, Act::GiveBack] {
            assert_eq!(after(claimed, act, b, false), Err(Code::StateConflict), "{act:?}");
        }
        assert_eq!(after(claimed, Act::GiveBack, a, false), Ok(fresh));
        assert_eq!(after(fresh, Act::GiveBack, a, false), Ok(fresh));
        assert_eq!(after(claimed, Act::GiveBack, b, true), Ok(fresh));
        assert_eq!(after(claimed, Act::Finish, b, true), Err(Code::StateConflict));
    }

    #[test]
    fn what_is_ticked_off_stays_so() {
        let (a, b) = (Id::new(), Id::new());
        let fresh = Standing { claimed_by: None, done: false };
        let done = after(fresh, Act::Finish, a, false).unwrap();
        assert_eq!(done, Standing { claimed_by: Some(a), done: true });
        assert_eq!(after(done, Act::Finish, a, false), Ok(done));
        for (act, who) in [(Act::Finish, b), (Act::Claim, a), (Act::GiveBack, a), (Act::Claim, b)] {
            assert_eq!(after(done, act, who, true), Err(Code::StateConflict), "{act:?}");
        }
    }
}
