//! What screens call the kinds, states, steps and duties of reports.

use crate::db::sql::word;
use renraku_wire::{IncidentKind, IncidentState, IncidentStep, LegalDuty};

pub(super) const KINDS: &[IncidentKind] = &[
    IncidentKind::LostDevice,
    IncidentKind::CredentialLeak,
    IncidentKind::WrongRecipient,
    IncidentKind::UnauthorisedAccess,
    IncidentKind::Virus,
    IncidentKind::SystemTrouble,
    IncidentKind::Other,
];

pub(super) const DUTIES: &[(&str, &str)] = &[
    ("none", "法令の報告は要らない"),
    ("leak", "要る（速報 3〜5日以内、確報 30日以内）"),
    ("malicious_leak", "要る・不正の目的（速報 3〜5日以内、確報 60日以内）"),
];

pub(super) const fn state(state: IncidentState, manager: bool) -> &'static str {
    match state {
        IncidentState::Reported if manager => "管理者の確認待ち（あなたの番です）",
        IncidentState::Reported => "管理者の確認待ち",
        IncidentState::Forwarded => "事務局の受付待ち",
        IncidentState::Received => "事務局が対応中",
        IncidentState::Closed => "完了",
        IncidentState::Unknown => "不明",
    }
}

/// What a step is called in the timeline, and on its form: heading, button, label of the text.
pub(super) const fn step(step: IncidentStep) -> (&'static str, &'static str, &'static str) {
    match step {
        IncidentStep::Report => ("報告", "報告する", "何があったか"),
        IncidentStep::Forward => ("事務局へ送る", "事務局へ送る", "管理者としての確認（状況・とった対応）"),
        IncidentStep::Receive => ("受け付け", "受け付ける", "事務局から（任意）"),
        IncidentStep::Assess => ("法令の報告の判断", "判断を記録する", "判断の理由"),
        IncidentStep::PromptReport => ("速報", "速報をしたと記録する", "いつ、どこへ、何を報告したか"),
        IncidentStep::FinalReport => ("確報", "確報をしたと記録する", "いつ、どこへ、何を報告したか"),
        IncidentStep::Close => ("完了（再発防止）", "完了する", "再発防止のためにすること"),
        IncidentStep::Note | IncidentStep::Unknown => ("追記", "追記する", "わかったこと・変わったこと"),
    }
}

pub(super) fn duty(of: LegalDuty) -> &'static str {
    let word = word(&of);
    DUTIES.iter().find(|(value, _)| *value == word).map_or("", |(_, label)| label)
}

/// What happened, as screens say it.
#[must_use]
pub(super) const fn kind(kind: IncidentKind) -> &'static str {
    match kind {
        IncidentKind::LostDevice => "端末の紛失・盗難",
        IncidentKind::CredentialLeak => "ID・パスワードの漏えい",
        IncidentKind::WrongRecipient => "人や宛先の取り違え",
        IncidentKind::UnauthorisedAccess => "不正な利用",
        IncidentKind::Virus => "ウイルス",
        IncidentKind::SystemTrouble => "システムの不調",
        IncidentKind::Other => "その他",
    }
}
