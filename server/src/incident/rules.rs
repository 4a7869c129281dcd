//! A report's states, who may take which step, and the law's clocks. Pure.

use crate::notice::reminder::DAY;
use crate::policy::MunicipalityPolicy;
use renraku_wire::{Code, IncidentKind, IncidentState, IncidentStep, LegalDuty};

/// Days within which the prompt report is due, from the instant the leak was noticed: the law says
/// promptly, its guide about 3 to 5 days.
pub const PROMPT_DAYS: i64 = 5;
/// Days within which the final report is due.
pub const FINAL_DAYS: i64 = 30;
/// Days within which the final report is due where there was malice.
pub const MALICE_DAYS: i64 = 60;

/// What somebody is to a report. Whoever is nothing to it does not learn that it exists.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seats {
    /// Reported it.
    pub reporter: bool,
    /// Manages the facility it was reported in.
    pub manager: bool,
    /// Is of the office.
    pub office: bool,
}

/// Where a report stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// State.
    pub state: IncidentState,
    /// What the law asks for.
    pub duty: LegalDuty,
    /// When the prompt report was made.
    pub prompt_reported_at: Option<i64>,
    /// When the final report was made.
    pub final_reported_at: Option<i64>,
}

/// Every step that somebody may send, in the order of screens.
pub const STEPS: &[IncidentStep] = &[
    IncidentStep::Forward,
    IncidentStep::Receive,
    IncidentStep::Assess,
    IncidentStep::PromptReport,
    IncidentStep::FinalReport,
    IncidentStep::Close,
    IncidentStep::Note,
];

/// Where a report begins: with the facility's manager, where the town's way leads through the facility and
/// there is a manager other than the reporter; else it goes to the office at once.
#[must_use]
pub fn first(kind: IncidentKind, policy: &MunicipalityPolicy, manager_waits: bool) -> Standing {
    let through = policy.incident_through_facility && manager_waits;
    Standing {
        state: if through { IncidentState::Reported } else { IncidentState::Forwarded },
        duty: presumed(kind),
        prompt_reported_at: None,
        final_reported_at: None,
    }
}

/// What the law asks for until the office has judged: the careful answer.
#[must_use]
pub const fn presumed(kind: IncidentKind) -> LegalDuty {
    match kind {
        IncidentKind::LostDevice | IncidentKind::CredentialLeak | IncidentKind::WrongRecipient => {
            LegalDuty::Leak
        }
        IncidentKind::UnauthorisedAccess | IncidentKind::Virus => LegalDuty::MaliciousLeak,
        IncidentKind::SystemTrouble | IncidentKind::Other => LegalDuty::None,
    }
}

/// Where the report stands after a step.
///
/// # Errors
/// [`Code::RoleInsufficient`] for a step of somebody else's; [`Code::StateConflict`] for one that does not
/// fit where the report stands; [`Code::FieldInvalid`] for a duty where none belongs, or none where one
/// does, and for a step that nobody sends.
pub fn after(
    now_at: Standing,
    seats: Seats,
    step: IncidentStep,
    duty: Option<LegalDuty>,
    now: i64,
) -> Result<Standing, Code> {
    use IncidentState::{Closed, Forwarded, Received, Reported};
    let allowed = match step {
        IncidentStep::Note => seats.reporter || seats.manager || seats.office,
        IncidentStep::Forward => seats.manager,
        IncidentStep::Receive
        | IncidentStep::Assess
        | IncidentStep::PromptReport
        | IncidentStep::FinalReport
        | IncidentStep::Close => seats.office,
        IncidentStep::Report | IncidentStep::Unknown => return Err(Code::FieldInvalid),
    };
    if !allowed {
        return Err(Code::RoleInsufficient);
    }
    let duty_fits = match step {
        IncidentStep::Assess => duty.is_some_and(|d| d != LegalDuty::Unknown),
        IncidentStep::Receive => duty != Some(LegalDuty::Unknown),
        _ => duty.is_none(),
    };
    if !duty_fits {
        return Err(Code::FieldInvalid);
    }
    let bound = now_at.duty != LegalDuty::None;
    let (prompt, last) = (now_at.prompt_reported_at, now_at.final_reported_at);
    match (step, now_at.state) {
        (IncidentStep::Note, Reported | Forwarded | Received) => Ok(now_at),
        (IncidentStep::Forward, Reported) => Ok(Standing { state: Forwarded, ..now_at }),
        // The office may take a report that nobody forwards: its facility may be suspended or without a manager.
        (IncidentStep::Receive, Reported | Forwarded) => {
            Ok(Standing { state: Received, duty: duty.unwrap_or(now_at.duty), ..now_at })
        }
        (IncidentStep::Assess, Forwarded | Received) => {
            Ok(Standing { duty: duty.unwrap_or(now_at.duty), ..now_at })
        }
        (IncidentStep::PromptReport, Received) if bound && prompt.is_none() => {
            Ok(Standing { prompt_reported_at: Some(now), ..now_at })
        }
        (IncidentStep::FinalReport, Received) if bound && prompt.is_some() && last.is_none() => {
            Ok(Standing { final_reported_at: Some(now), ..now_at })
        }
        (IncidentStep::Close, Received) if !bound || last.is_some() => {
            Ok(Standing { state: Closed, ..now_at })
        }
        _ => Err(Code::StateConflict),
    }
}

/// The steps that somebody may take now.
#[must_use]
pub fn steps(now_at: Standing, seats: Seats) -> Vec<IncidentStep> {
    let duty = |step| (step == IncidentStep::Assess).then_some(LegalDuty::Leak);
    STEPS.iter().copied().filter(|step| after(now_at, seats, *step, duty(*step), 0).is_ok()).collect()
}

/// When the prompt and the final report to the authority are due; none where none is, or it was made.
#[must_use]
pub fn due(noticed_at: i64, standing: Standing) -> (Option<i64>, Option<i64>) {
    let last = match standing.duty {
        LegalDuty::None | LegalDuty::Unknown => return (None, None),
        LegalDuty::Leak => FINAL_DAYS,
        LegalDuty::MaliciousLeak => MALICE_DAYS,
    };
    if standing.state == IncidentState::Closed {
        return (None, None);
    }
    let of = |made: Option<i64>, days: i64| made.is_none().then_some(noticed_at + days * DAY);
    (of(standing.prompt_reported_at, PROMPT_DAYS), of(standing.final_reported_at, last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use IncidentStep::{Assess, Close, FinalReport, Forward, Note, PromptReport, Receive, Report};

    const REPORTER: Seats = Seats { reporter: true, manager: false, office: false };
    const MANAGER: Seats = Seats { reporter: false, manager: true, office: false };
    const OFFICE: Seats = Seats { reporter: false, manager: false, office: true };

    fn fresh(kind: IncidentKind) -> Standing {
        first(kind, &MunicipalityPolicy::default(), true)
    }

    fn walk(mut at: Standing, steps: &[(Seats, IncidentStep)]) -> Result<Standing, (IncidentStep, Code)> {
        for (seats, step) in steps {
            let duty = (*step == Assess).then_some(LegalDuty::None);
            at = after(at, *seats, *step, duty, 9).map_err(|code| (*step, code))?;
        }
        Ok(at)
    }

    #[test]
    fn a_report_begins_where_the_town_says() {
        let policy = MunicipalityPolicy::default();
        let direct = MunicipalityPolicy { incident_through_facility: false, ..policy.clone() };
        let kind = IncidentKind::Virus;
        assert_eq!(first(kind, &policy, true).state, IncidentState::Reported);
        assert_eq!(first(kind, &policy, false).state, IncidentState::Forwarded);
        assert_eq!(first(kind, &direct, true).state, IncidentState::Forwarded);
    }

    #[test]
    fn the_whole_way_of_a_leak() {
        let way = [
            (MANAGER, Forward),
            (OFFICE, Receive),
            (REPORTER, Note),
            (OFFICE, PromptReport),
            (OFFICE, FinalReport),
            (OFFICE, Close),
        ];
        let end = walk(fresh(IncidentKind::LostDevice), &way).unwrap();
        assert_eq!(end.state, IncidentState::Closed);
        for step in [Note, Forward, Receive, PromptReport, Close] {
            for seats in [REPORTER, MANAGER, OFFICE] {
                assert!(walk(end, &[(seats, step)]).is_err(), "{step:?} after the end");
            }
        }
        assert_eq!(steps(end, OFFICE), []);
    }

    #[test]
    fn the_end_waits_for_the_reports_that_the_law_asks_for() {
        let way = [(MANAGER, Forward), (OFFICE, Receive)];
        let received = walk(fresh(IncidentKind::LostDevice), &way).unwrap();
        assert_eq!(walk(received, &[(OFFICE, Close)]), Err((Close, Code::StateConflict)));
        assert_eq!(walk(received, &[(OFFICE, FinalReport)]), Err((FinalReport, Code::StateConflict)));
        let twice = [(OFFICE, PromptReport), (OFFICE, PromptReport)];
        assert_eq!(walk(received, &twice), Err((PromptReport, Code::StateConflict)));
        assert!(walk(received, &[(OFFICE, Assess), (OFFICE, Close)]).is_ok());
        let trouble = walk(fresh(IncidentKind::SystemTrouble), &way).unwrap();
        assert!(walk(trouble, &[(OFFICE, Close)]).is_ok());
        assert_eq!(walk(trouble, &[(OFFICE, PromptReport)]), Err((PromptReport, Code::StateConflict)));
    }

    #[test]
    fn nobody_takes_anothers_step_or_one_out_of_turn() {
        let at = fresh(IncidentKind::Other);
        for (seats, step) in [
            (REPORTER, Forward),
            (OFFICE, Forward),
            (REPORTER, Receive),
            (MANAGER, Receive),
            (MANAGER, Close),
            (Seats::default(), Note),
        ] {
            assert_eq!(walk(at, &[(seats, step)]), Err((step, Code::RoleInsufficient)), "{seats:?}");
        }
        assert_eq!(walk(at, &[(OFFICE, Close)]), Err((Close, Code::StateConflict)));
        // Nobody forwards it: its manager may be suspended. The office takes it, and the manager is too late.
        assert!(walk(at, &[(OFFICE, Receive), (OFFICE, Close)]).is_ok());
        assert_eq!(walk(at, &[(OFFICE, Receive), (MANAGER, Forward)]), Err((Forward, Code::StateConflict)));
        let twice = [(MANAGER, Forward), (MANAGER, Forward)];
        assert_eq!(walk(at, &twice), Err((Forward, Code::StateConflict)));
        assert_eq!(walk(at, &[(OFFICE, Report)]), Err((Report, Code::FieldInvalid)));
        assert_eq!(steps(at, REPORTER), [Note]);
        assert_eq!(steps(at, MANAGER), [Forward, Note]);
    }

    #[test]
    fn a_duty_belongs_to_two_steps() {
        let at = walk(fresh(IncidentKind::Other), &[(MANAGER, Forward)]).unwrap();
        let leak = Some(LegalDuty::Leak);
        assert_eq!(after(at, OFFICE, Receive, leak, 9).unwrap().duty, LegalDuty::Leak);
        assert_eq!(after(at, OFFICE, Receive, None, 9).unwrap().duty, LegalDuty::None);
        assert_eq!(after(at, OFFICE, Assess, None, 9), Err(Code::FieldInvalid));
        assert_eq!(after(at, OFFICE, Note, leak, 9), Err(Code::FieldInvalid));
        assert_eq!(after(at, OFFICE, Assess, Some(LegalDuty::Unknown), 9), Err(Code::FieldInvalid));
    }

    #[test]
    fn the_laws_clocks_run_from_when_it_was_noticed() {
        let leak = fresh(IncidentKind::WrongRecipient);
        assert_eq!(due(100, leak), (Some(100 + 5 * DAY), Some(100 + 30 * DAY)));
        let malice = fresh(IncidentKind::UnauthorisedAccess);
        assert_eq!(due(100, malice).1, Some(100 + 60 * DAY));
        let told = Standing { prompt_reported_at: Some(7), ..leak };
        assert_eq!(due(100, told), (None, Some(100 + 30 * DAY)));
        assert_eq!(due(100, fresh(IncidentKind::Other)), (None, None));
        assert_eq!(due(100, Standing { state: IncidentState::Closed, ..leak }), (None, None));
    }
}
