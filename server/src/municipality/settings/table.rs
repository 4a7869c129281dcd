//! Each row of the policy once. A test sees to it that none is missing.

use super::row::{Kind, Row, Section};
use renraku_wire::limits;

const fn row(at: &'static str, label: &'static str, hint: &'static str, kind: Kind) -> Row {
    Row { at, label, hint, kind }
}

const fn switch(at: &'static str, label: &'static str, hint: &'static str) -> Row {
    row(at, label, hint, Kind::Switch)
}

const fn number(
    at: &'static str,
    label: &'static str,
    hint: &'static str,
    (least, most, unit): (u32, u32, &'static str),
) -> Row {
    row(at, label, hint, Kind::Number { least, most, unit })
}

#[expect(clippy::cast_possible_truncation, reason = "a limit of the contract, known here")]
const PHOTO_MOST: u32 = limits::PHOTO_BYTES as u32;
#[expect(clippy::cast_possible_truncation, reason = "a limit of the contract, known here")]
const VIDEO_MOST: u32 = (limits::VIDEO_MILLIS / 1_000) as u32;
#[expect(clippy::cast_possible_truncation, reason = "a limit of the contract, known here")]
const FILM_MOST: u32 = limits::VIDEO_BYTES as u32;
#[expect(clippy::cast_possible_truncation, reason = "a limit of the contract, known here")]
const CHARS_MOST: u32 = limits::POST_CHARS as u32;

/// Said of a row that is kept for a part that is not built yet.
const LATER: &str = "今は記録されるだけで、動作は変わりません。";

/// Every row, as the page groups them.
pub const SECTIONS: &[Section] = &[
    Section {
        id: "words",
        title: "画面とメールの言葉",
        rows: &[
            row(
                "/words/patient",
                "支援を受ける人の呼び方",
                "例：支援対象者、患者。「利用者」だけでは職員と区別がつかないので使えません。",
                Kind::Word,
            ),
            row(
                "/words/facility",
                "参加する医療機関・介護事業所などの呼び方",
                "例：施設、事業所",
                Kind::Word,
            ),
            row("/words/staff", "そこで働く人の呼び方", "例：スタッフ、支援者", Kind::Word),
            row("/words/post", "送り合う文章の呼び方", "例：投稿、記事、メッセージ", Kind::Word),
            row("/words/lead", "支援チームのまとめ役の呼び方", "例：担当者、代表者", Kind::Word),
        ],
    },
    Section {
        id: "contact",
        title: "問い合わせ先",
        rows: &[
            row("/contact/office", "窓口の名前", "", Kind::Line { needed: true }),
            row("/contact/section", "担当の課・係（任意）", "", Kind::Line { needed: false }),
            row(
                "/contact/telephone",
                "電話",
                "内線は「内線」と書いて続けます。",
                Kind::Telephone { needed: true },
            ),
            row("/contact/fax", "FAX（任意）", "", Kind::Telephone { needed: false }),
            row("/contact/mail", "メールアドレス", "", Kind::Mail),
            row("/contact/hours", "受付の曜日と時間", "", Kind::Line { needed: true }),
            row(
                "/contact/document",
                "案内の版・発行日（任意）",
                "すべての公開ページの下に出ます。例：第2版 2026年4月1日",
                Kind::Line { needed: false },
            ),
        ],
    },
    Section {
        id: "people",
        title: "登録と支援チーム",
        rows: &[
            row(
                "/patient_registrar",
                "支援対象者を登録する人",
                "",
                Kind::Choice(&[
                    ("secretariat", "事務局だけ"),
                    ("obtainer", "同意を得た人（事務局もできます）"),
                    ("obtainer_office_confirms", "同意を得た人（事務局の確認はまだありません）"),
                ]),
            ),
            row(
                "/eligibility/residency",
                "登録できる人の住まい",
                LATER,
                Kind::Choice(&[
                    ("resident", "この自治体に住む人だけ"),
                    ("resident_or_reason", "この自治体に住む人。ほかは理由を記録して登録"),
                    ("anywhere", "どこに住む人でもよい"),
                ]),
            ),
            row(
                "/eligibility/min_age",
                "登録できる年齢の下限",
                "空欄にすると、下限はありません。",
                Kind::Limit { least: 1, most: 120, unit: "歳" },
            ),
            switch("/eligibility/age_exception", "下限より若い人も、理由を記録して登録できる", LATER),
            switch("/team_edit/by_members", "支援チームの人が、チームに人を加えたり外したりできる", LATER),
            switch("/team_edit/with_registration", "登録する人が、登録と一緒に支援チームを決める", LATER),
            switch("/team_edit/by_join_request", "チームの外から加入を申請し、チームの人が承認できる", LATER),
            switch("/duplicate_handling/at_entry", "二重登録の疑いを、登録する人の画面に出す", LATER),
            switch("/duplicate_handling/by_office", "二重登録の疑いを、事務局の一覧に出す", LATER),
            switch(
                "/office_sees_all_patients",
                "事務局は、すべての支援対象者の記録を見られる",
                "見るたびに記録が残ります。",
            ),
            switch("/stop_procedure/form", "共有をやめるときは、事務局に中止届を出す", LATER),
            switch("/stop_procedure/death_notice", "亡くなったときは、事務局に連絡する", LATER),
        ],
    },
    Section {
        id: "consent",
        title: "同意",
        rows: &[
            row(
                "/consent/explainers",
                "説明して同意を得られる職種",
                "一つも選ばないと、すべての職種ができます。",
                Kind::Several { of: crate::portal::language::PROFESSIONS, some: false },
            ),
            switch("/consent/office_explains", "事務局も説明して同意を得られる", ""),
            row(
                "/consent/givers",
                "同意できる人",
                "一つ以上選んでください。",
                Kind::Several { of: crate::portal::language::GIVERS, some: true },
            ),
            row(
                "/consent/original_kept_by",
                "同意書の原本を保管する人",
                LATER,
                Kind::Choice(&[("explainer", "説明した人"), ("patient", "本人"), ("facility", "施設")]),
            ),
            row(
                "/consent/delivery",
                "同意書の写しの届け方",
                "一つ以上選んでください。",
                Kind::Several {
                    of: &[
                        ("upload", "同意を得た人が画面から送る"),
                        ("fax", "FAX（事務局が登録）"),
                        ("mail", "メール（事務局が登録）"),
                        ("post", "郵送（事務局が登録）"),
                        ("hand", "持参（事務局が登録）"),
                    ],
                    some: true,
                },
            ),
            row(
                "/consent/forms",
                "受け付ける同意書の様式",
                "一つ以上選んでください。",
                Kind::Several { of: crate::portal::language::FORMS, some: true },
            ),
            row(
                "/consent/scope",
                "同意がおよぶ範囲",
                LATER,
                Kind::Choice(&[
                    ("comprehensive", "支援にかかわるすべての施設と人（包括同意）"),
                    ("named_facilities", "同意書に名前のある施設だけ"),
                ]),
            ),
            row(
                "/consent/scope_items",
                "共有する項目",
                "同意書のとおりに、1行に一つずつ。今は記録されるだけで、動作は変わりません。",
                Kind::Lines,
            ),
            row(
                "/consent/scope_version",
                "共有する項目の版",
                "同意書に印刷した版。項目を変えたら、版も変えてください。今は記録されるだけで、動作は変わりません。",
                Kind::Line { needed: true },
            ),
        ],
    },
    Section {
        id: "facilities",
        title: "施設とスタッフ",
        rows: &[
            switch("/outside_facility", "自治体の外の施設も申請できる", "承認は事務局がします。"),
            switch(
                "/trial_mode",
                "試行期間にする",
                "ポータルでの利用申請を受け付けません。事務局は紙の申請を登録できます。ポータルには試行期間中と表示されます。",
            ),
            switch("/public_facility_map", "希望する施設をポータルの地図に出す", ""),
            number(
                "/approval_mail_days",
                "承認のメールが届くまでの日数の目安",
                "ポータルでこの日数を案内します。",
                (1, 30, "日"),
            ),
            switch("/forwarding_mail", "お知らせを施設のアドレスに転送できる", ""),
            switch("/unique_mail", "同じメールアドレスを二人に使わない", ""),
            switch(
                "/suspend_without_consent",
                "事務局は、本人の了解なしにIDを一時停止できる",
                "理由の記録と本人への通知が残ります。",
            ),
            switch("/yearly_training", "情報セキュリティの研修を年1回求める", ""),
            number(
                "/training_first_days",
                "初めての研修を受けるまでの期間",
                "IDを付与した日から数えます。期限の7日前から本人に知らせます。",
                (0, 365, "日"),
            ),
            switch(
                "/incident_through_facility",
                "事故の報告は施設を通じて事務局に届ける",
                "選ばないと、事務局に直接届きます。",
            ),
            switch("/council_reports", "運営の状況を協議の会議に報告する", LATER),
            row(
                "/wide_area_agreements",
                "広域利用の協定",
                "1行に一つ、「自治体名, 開始日, 終了日」の順。終了日がなければ省きます。例：架空市, 2026-04-01",
                Kind::Agreements,
            ),
        ],
    },
    Section {
        id: "posts",
        title: "投稿",
        rows: &[
            switch(
                "/urgent_flag",
                "「緊急（重要）」の印を使う",
                "使わないときも、急ぎは電話でという案内が出ます。",
            ),
            number(
                "/device/post_chars_guidance",
                "文章の長さの目安",
                "0にすると、目安を出しません。超えても送れます。",
                (0, CHARS_MOST, "文字"),
            ),
            switch("/thumbs_ack", "👍（確認しました）を使う", ""),
            switch("/read_history/author", "書いた人が、だれが読んだかを見られる", ""),
            switch("/read_history/lead", "担当者が、だれが読んだかを見られる", ""),
            number("/device/video_seconds", "動画の長さの上限", "", (1, VIDEO_MOST, "秒")),
            number(
                "/device/photo_bytes",
                "写真の大きさの目安",
                "700000で約0.7MB。",
                (100_000, PHOTO_MOST, "バイト"),
            ),
            number(
                "/device/photo_quality",
                "写真の画質",
                "大きいほどきれいです。大きさの目安を超えるときは、自動で下がります。",
                (50, 95, "（100が最高）"),
            ),
            number(
                "/device/video_bytes",
                "動画の大きさの目安",
                "32000000で約32MB。長い動画は、この大きさに収まる画質になります。",
                (4_000_000, FILM_MOST, "バイト"),
            ),
            number("/device/video_rate", "動画のなめらかさ", "", (10, 30, "枚/秒")),
        ],
    },
    Section {
        id: "security",
        title: "証明書とサインイン",
        rows: &[
            row(
                "/extra_certificate",
                "2台目からの証明書取得用Noを発行する人",
                "",
                Kind::Choice(&[
                    ("self_service", "サインインした本人（施設管理者に知らせます）"),
                    ("facility_manager", "施設管理者"),
                    ("secretariat", "事務局"),
                ]),
            ),
            number("/ticket_days", "証明書取得用Noの有効期間", "", (1, 60, "日")),
            number("/certificate_days", "電子証明書の有効期間", "", (30, 1_095, "日")),
            number("/renewal_days", "期限の何日前から更新できるか", "", (7, 90, "日")),
            number(
                "/renewal_overlap_days",
                "更新後も古い電子証明書を使える期間",
                "新しい電子証明書を使い始めてから数えます。",
                (1, 30, "日"),
            ),
            number(
                "/session_idle_minutes",
                "操作がないときにサインアウトするまで（ブラウザー）",
                "アプリは、電波のない訪問先でも使えるように、画面をロックするだけです。",
                (5, 240, "分"),
            ),
            number("/session_hours", "必ずサインアウトするまで", "", (1, 24, "時間")),
            number("/lock_after", "続けて間違えるとロックする回数", "", (3, 10, "回")),
            number("/lock_minutes", "ロックする時間", "", (1, 1_440, "分")),
            number("/device/offline_lease_hours", "通信できない端末で読める時間", "", (1, 168, "時間")),
            number("/device/offline_days", "端末に残す投稿の期間", "0は残さない", (0, 90, "日")),
            number("/device/offline_patients", "端末に残す支援対象者の人数", "0は残さない", (0, 500, "人")),
            number("/device/relock_seconds", "アプリを離れてから画面をロックするまで", "", (10, 900, "秒")),
        ],
    },
];

/// Every row, in order.
pub fn rows() -> impl Iterator<Item = &'static Row> {
    SECTIONS.iter().flat_map(|section| section.rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::MunicipalityPolicy;
    use serde_json::Value;
    use std::collections::BTreeSet;

    fn leaves(value: &Value, at: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(k, v)| leaves(v, &format!("{at}/{k}"), found)),
            _ => {
                found.insert(at.to_owned());
            }
        }
    }

    #[test]
    fn every_field_of_the_policy_has_its_row_once() {
        let mut fields = BTreeSet::new();
        leaves(&serde_json::to_value(MunicipalityPolicy::default()).unwrap(), "", &mut fields);
        let table: Vec<String> = rows().map(|r| r.at.to_owned()).collect();
        assert_eq!(table.iter().cloned().collect::<BTreeSet<_>>(), fields);
        assert_eq!(table.len(), fields.len(), "a row stands twice");
    }

    #[test]
    fn every_offered_word_is_one_of_the_policy() {
        let policy = serde_json::to_value(MunicipalityPolicy::default()).unwrap();
        for row in rows() {
            let offered: Vec<Value> = match &row.kind {
                Kind::Choice(of) => of.iter().map(|(word, _)| Value::from(*word)).collect(),
                Kind::Several { of, .. } => of.iter().map(|(word, _)| Value::from(vec![*word])).collect(),
                _ => continue,
            };
            for word in offered {
                let mut with = policy.clone();
                *with.pointer_mut(row.at).unwrap() = word.clone();
                let read: MunicipalityPolicy = serde_json::from_value(with.clone()).unwrap();
                assert_eq!(serde_json::to_value(read).unwrap(), with, "{} {word}", row.at);
            }
        }
    }
}
