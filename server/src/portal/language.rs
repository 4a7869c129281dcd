//! The words and times of the screens, in Japanese. Words that a town chooses come from its policy.

use crate::clock;
use renraku_wire::{
    ConsentForm, ConsentGiver, FacilityKind, FacilityStage, FacilityState, Gender, IntakeChannel, Platform,
    Profession, Role, StaffState, Words,
};

/// Professions in the order of lists.
pub const PROFESSIONS: &[(&str, &str)] = &[
    ("physician", "医師"),
    ("dentist", "歯科医師"),
    ("pharmacist", "薬剤師"),
    ("nurse", "看護師"),
    ("public_health_nurse", "保健師"),
    ("care_manager", "ケアマネジャー"),
    ("helper", "介護職・ヘルパー"),
    ("therapist", "理学・作業療法士・言語聴覚士"),
    ("dietitian", "管理栄養士"),
    ("social_worker", "社会福祉士・相談員"),
    ("clerk", "事務職"),
    ("other", "その他"),
];

/// Kinds of facilities that may apply.
pub const KINDS: &[(&str, &str)] = &[
    ("clinic", "病院・診療所"),
    ("dental", "歯科"),
    ("pharmacy", "薬局"),
    ("home_nursing", "訪問看護"),
    ("care_management", "居宅介護支援"),
    ("home_care", "訪問介護・通所介護など"),
    ("community_support_center", "地域包括支援センター"),
    ("other", "その他"),
];

/// 要介護状態区分 with their codes; none for not known.
pub const CARE_LEVELS: &[(&str, &str)] = &[
    ("", "未確認・申請中"),
    ("01", "非該当"),
    ("06", "事業対象者"),
    ("12", "要支援1"),
    ("13", "要支援2"),
    ("11", "経過的要介護"),
    ("21", "要介護1"),
    ("22", "要介護2"),
    ("23", "要介護3"),
    ("24", "要介護4"),
    ("25", "要介護5"),
];

/// Genders as forms offer them.
pub const GENDERS: &[(&str, &str)] =
    &[("female", "女"), ("male", "男"), ("other", "その他"), ("unknown", "不明")];

/// Who gives a consent.
pub const GIVERS: &[(&str, &str)] = &[("patient", "本人"), ("family", "家族"), ("guardian", "後見人")];

/// Whose form a consent is.
pub const FORMS: &[(&str, &str)] =
    &[("municipal", "自治体の同意書"), ("own_clause", "契約書・同意書の中の条項")];

/// How an application on paper came.
pub const CHANNELS: &[(&str, &str)] = &[("fax", "FAX"), ("post", "郵送"), ("hand", "窓口・手渡し")];

/// How an application came.
#[must_use]
pub const fn channel(c: IntakeChannel) -> &'static str {
    match c {
        IntakeChannel::Portal => "申請フォーム",
        IntakeChannel::Fax => "FAX",
        IntakeChannel::Post => "郵送",
        IntakeChannel::Hand => "窓口・手渡し",
        IntakeChannel::Unknown => "不明",
    }
}

/// How far a facility is.
#[must_use]
pub const fn stage(s: FacilityStage) -> &'static str {
    match s {
        FacilityStage::Applied => "承認待ち",
        FacilityStage::Returned => "訂正待ち（差戻し）",
        FacilityStage::Rejected => "却下",
        FacilityStage::Approved => "承認済み（証明書はまだありません）",
        FacilityStage::Equipped => "証明書導入済み（サインインはまだです）",
        FacilityStage::Operating => "利用中",
        FacilityStage::Changing => "利用中（変更の確認待ち）",
        FacilityStage::Suspended => "利用停止",
        FacilityStage::Closed => "廃止",
        FacilityStage::Unknown => "不明",
    }
}

/// A profession.
#[must_use]
pub const fn profession(p: Profession) -> &'static str {
    match p {
        Profession::Physician => "医師",
        Profession::Dentist => "歯科医師",
        Profession::Pharmacist => "薬剤師",
        Profession::Nurse => "看護師",
        Profession::PublicHealthNurse => "保健師",
        Profession::CareManager => "ケアマネジャー",
        Profession::Helper => "介護職・ヘルパー",
        Profession::Therapist => "療法士",
        Profession::Dietitian => "管理栄養士",
        Profession::SocialWorker => "相談員",
        Profession::Clerk => "事務職",
        Profession::Other => "その他",
    }
}

/// A gender.
#[must_use]
pub const fn gender(g: Gender) -> &'static str {
    match g {
        Gender::Male => "男",
        Gender::Female => "女",
        Gender::Other => "その他",
        Gender::Unknown => "不明",
    }
}

/// A facility's kind.
#[must_use]
pub const fn kind(k: FacilityKind) -> &'static str {
    match k {
        FacilityKind::Clinic => "病院・診療所",
        FacilityKind::Dental => "歯科",
        FacilityKind::Pharmacy => "薬局",
        FacilityKind::HomeNursing => "訪問看護",
        FacilityKind::CareManagement => "居宅介護支援",
        FacilityKind::HomeCare => "訪問介護・通所介護など",
        FacilityKind::CommunitySupportCenter => "地域包括支援センター",
        FacilityKind::Secretariat => "事務局",
        FacilityKind::Other => "その他",
    }
}

/// Where a facility stands.
#[must_use]
pub const fn state(s: FacilityState) -> &'static str {
    match s {
        FacilityState::Applied => "承認待ち",
        FacilityState::Returned => "訂正待ち（差戻し）",
        FacilityState::Rejected => "却下",
        FacilityState::Approved => "利用中",
        FacilityState::Suspended => "利用停止",
        FacilityState::Closed => "廃止",
        FacilityState::Unknown => "不明",
    }
}

/// Where an account stands.
#[must_use]
pub const fn staff_state(s: StaffState) -> &'static str {
    match s {
        StaffState::Granted => "初回変更待ち",
        StaffState::Active => "利用中",
        StaffState::Suspended => "一時停止",
        StaffState::Left => "退職",
        StaffState::Unknown => "不明",
    }
}

/// A role.
#[must_use]
pub const fn role(r: Role) -> &'static str {
    match r {
        Role::FacilityManager => "管理者",
        Role::Secretariat => "事務局",
        Role::Member | Role::Unknown => "一般",
    }
}

/// A device's kind.
#[must_use]
pub const fn platform(p: Platform) -> &'static str {
    match p {
        Platform::Browser => "パソコンなど（ブラウザー）",
        Platform::Ios => "iPhone・iPad（アプリ）",
        Platform::Android => "Android（アプリ）",
        Platform::Unknown => "その他",
    }
}

/// 要介護状態区分 by its code.
#[must_use]
pub fn care_level(code: &str) -> &'static str {
    CARE_LEVELS.iter().find(|(c, _)| *c == code && !c.is_empty()).map_or("", |(_, label)| label)
}

/// The giver of a consent by its word.
#[must_use]
pub fn giver(word: &str) -> Option<ConsentGiver> {
    match word {
        "patient" => Some(ConsentGiver::Patient),
        "family" => Some(ConsentGiver::Family),
        "guardian" => Some(ConsentGiver::Guardian),
        _ => None,
    }
}

/// The form of a consent by its word.
#[must_use]
pub fn form(word: &str) -> Option<ConsentForm> {
    match word {
        "municipal" => Some(ConsentForm::Municipal),
        "own_clause" => Some(ConsentForm::OwnClause),
        _ => None,
    }
}

/// `11月21日（土）14:05`, with the year when it is not this one.
#[must_use]
pub fn when(millis: i64) -> String {
    let (at, now) = (clock::japan(millis), clock::japan(clock::now()));
    let year = if at.year() == now.year() { String::new() } else { format!("{}年", at.year()) };
    let day = ["月", "火", "水", "木", "金", "土", "日"]
        [usize::try_from(at.weekday().to_monday_zero_offset()).unwrap_or(0)];
    format!("{year}{}月{}日（{day}）{}:{:02}", at.month(), at.day(), at.hour(), at.minute())
}

/// `2026年11月21日`.
#[must_use]
pub fn day(millis: i64) -> String {
    let at = clock::japan(millis);
    format!("{}年{}月{}日", at.year(), at.month(), at.day())
}

/// `1940年5月1日` of `1940-05-01`; the text itself when it is no day.
#[must_use]
pub fn birthday(text: &str) -> String {
    text.parse::<jiff::civil::Date>()
        .map_or_else(|_| text.to_owned(), |d| format!("{}年{}月{}日", d.year(), d.month(), d.day()))
}

/// An instant for `<time datetime>`.
#[must_use]
pub fn machine(millis: i64) -> String {
    clock::japan(millis).strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}

/// What to do about a field that was refused.
#[must_use]
pub fn field(field: &str, words: &Words) -> String {
    match field {
        "name" => "名前を入力してください（200文字まで、1行）。".to_owned(),
        "kana" => "フリガナを入力してください。".to_owned(),
        "gender" => "性別を選んでください。".to_owned(),
        "birth_date" => {
            format!("生年月日を確認してください。{}として登録できる年齢にも条件があります。", words.patient)
        }
        "address" => "所在地・住所を入力してください（200文字まで）。".to_owned(),
        "telephone" => "電話番号を入力してください。".to_owned(),
        "care_level" => "要介護状態区分を一覧から選んでください。".to_owned(),
        "kind" => format!("{}の種類を一覧から選んでください。", words.facility),
        "manager_name" => "管理者の氏名を入力してください。".to_owned(),
        "manager_mail" | "mail" | "forwarding_mail" => {
            "メールアドレスを確認してください。例：tanaka@example.jp".to_owned()
        }
        "login_id" => {
            "ユーザーIDは、半角の小文字の英字・数字・「.」「-」「_」で3〜32文字にしてください。".to_owned()
        }
        "profession" => "職種を一覧から選んでください。".to_owned(),
        "role" => "役割を一覧から選んでください。自分の役割は変えられません。".to_owned(),
        "left_on" => "最終日を確認してください。今日までの日付を入力してください。".to_owned(),
        "successor" => "引き継ぐ人を一覧から選んでください。".to_owned(),
        "agreed" => "本人または勤め先の了解を得てから、確認欄に印を付けてください。".to_owned(),
        "giver" => "同意した人を選んでください。".to_owned(),
        "giver_name" => "家族・後見人が同意したときは、その人の氏名を入力してください。".to_owned(),
        "form" => "同意書の様式を選んでください。".to_owned(),
        "obtained_on" => "同意を得た日を確認してください。今日までの日付を入力してください。".to_owned(),
        "document" => "同意書のファイル（PDF・JPEG・PNG）を選んでください。".to_owned(),
        "body" => format!("{}の文章を入力してください（2,000文字まで）。", words.post),
        "urgent" => "「緊急（重要）」の印は使えません。急ぎの用件は電話で伝えてください。".to_owned(),
        "acknowledged" => "👍は使えません。".to_owned(),
        "body_site" => "体の部位を一覧から選んでください。".to_owned(),
        "description" => "写真の説明は200文字までにしてください。".to_owned(),
        "device_name" => "端末の名前を入力してください。例：受付のパソコン".to_owned(),
        "reason" => "理由を入力してください。".to_owned(),
        "channel" => "受け取った方法を選んでください。".to_owned(),
        "received_on" => "受け取った日を確認してください。今日までの日付を入力してください。".to_owned(),
        "scan" => "申請書のファイル（PDF・JPEG・PNG）を選んでください。".to_owned(),
        "opening" => "受付の曜日・時間は200文字まで、1行で入力してください。".to_owned(),
        "latitude" => "緯度を確認してください。例：35.915（20から46まで）".to_owned(),
        "longitude" => "経度を確認してください。例：137.982（122から154まで）".to_owned(),
        "staff_id" => "管理者になる人を選んでください。".to_owned(),
        "facility" => format!("{}を一覧から選んでください。", words.facility),
        _ => "入力内容を確認して、もう一度送信してください。".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::db::sql::from_word;

    #[test]
    fn every_offered_value_is_one_of_the_contract() {
        for (word, label) in PROFESSIONS {
            let known: Profession = from_word(word).unwrap();
            assert!(known != Profession::Other || *word == "other", "{label}");
        }
        for (word, label) in KINDS {
            let known: FacilityKind = from_word(word).unwrap();
            assert!(known != FacilityKind::Other || *word == "other");
            assert_eq!(kind(known), *label);
        }
        for (word, label) in GENDERS {
            assert_eq!(gender(from_word(word).unwrap()), *label);
        }
        assert!(GIVERS.iter().all(|(word, _)| giver(word).is_some()));
        assert!(FORMS.iter().all(|(word, _)| form(word).is_some()));
        assert_eq!(care_level("23"), "要介護3");
        assert_eq!(care_level(""), "");
    }

    #[test]
    fn times_are_those_of_japan() {
        assert_eq!(when(946_684_799_000), "2000年1月1日（土）8:59");
        assert_eq!(machine(946_684_799_000), "2000-01-01T08:59:59+09:00");
        assert_eq!(birthday("1940-05-01"), "1940年5月1日");
        assert_eq!(birthday("?"), "?");
        assert_eq!(day(946_684_799_000), "2000年1月1日");
    }
}
