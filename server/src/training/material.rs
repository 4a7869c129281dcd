//! The built-in material: the duties of everybody who works with the system (F51, F58, F68), in our own
//! words. A change of a rule is a new version.

use renraku_wire::{TrainingSection, Words};

/// Version of the built-in material.
pub const VERSION: &str = "2026-1";

/// The material, in the town's own words.
#[must_use]
pub fn sections(words: &Words) -> Vec<TrainingSection> {
    let (patient, facility, post) = (&words.patient, &words.facility, &words.post);
    let section =
        |title: &str, rules: &[String]| TrainingSection { title: title.to_owned(), rules: rules.to_vec() };
    vec![
        section(
            "IDとパスワード",
            &[
                "ユーザーIDは一人に一つです。同僚とも共用しません。".to_owned(),
                "パスワードは誰にも教えず、紙に書いて端末に貼りません。ほかのサービスと同じものを使いません。".to_owned(),
                "席を離れるときや端末を次の人に渡すときは、必ずサインアウトするか画面をロックします。".to_owned(),
                format!("知られたかもしれないと思ったら、すぐにパスワードを変え、{facility}の管理者に知らせます。"),
            ],
        ),
        section(
            "端末の管理",
            &[
                "電子証明書の入った端末だけを使い、端末そのものにもロックをかけます。".to_owned(),
                "ウイルス対策を有効にし、OSとアプリをいつも最新にします。知らないアプリや添付ファイルは開きません。".to_owned(),
                "公衆の無線LANには、緊急のとき以外つなぎません。".to_owned(),
                "端末を手放す・捨てるときは、先に電子証明書を失効させ、データを消してから渡します。".to_owned(),
            ],
        ),
        section(
            "持ち歩くとき",
            &[
                "端末は体から離さず、車や自転車のかごに置いたままにしません。".to_owned(),
                "画面は家族や通りがかりの人に見えない向きで使います。".to_owned(),
                format!("なくしたら、見つかるのを待たずに、すぐ{facility}の管理者と事務局に電話します。失効すれば、その端末からは開けません。"),
            ],
        ),
        section(
            "画面と写真",
            &[
                "画面の撮影（スクリーンショット）や、別のカメラでの撮影はしません。".to_owned(),
                "写真や動画はアプリの中のカメラで撮ります。端末のアルバムやほかのアプリに残しません。".to_owned(),
                "印刷した紙は鍵のかかる場所に置き、要らなくなったら細断します。".to_owned(),
            ],
        ),
        section(
            "伝え方",
            &[
                "急ぐことは電話で伝えます。書いただけでは、すぐに読まれるとは限りません。".to_owned(),
                format!("{post}の前に、{patient}の名前と宛先をもう一度確かめます。"),
                "受診や服薬の判断は医師に任せ、見たこと・したことを書きます。".to_owned(),
                "お知らせのメールに気づきにくい人は、1日1回はサインインして確かめます。".to_owned(),
            ],
        ),
        section(
            "おかしいと思ったら",
            &[
                "紛失、ID・パスワードの漏えい、誤送信、不正な利用、ウイルス、システムの不調は、その場で「事故の報告」から知らせます。".to_owned(),
                "自分だけで直そうとせず、端末の電源を切ったりデータを消したりする前に、指示を待ちます。".to_owned(),
            ],
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_material_speaks_the_towns_words() {
        let words = crate::policy::preset("izumo").unwrap().words;
        let text: String =
            sections(&words).iter().flat_map(|s| [&s.title].into_iter().chain(&s.rules)).cloned().collect();
        for topic in ["パスワード", "ウイルス", "失効", "スクリーンショット", "電話", "持ち歩く"]
        {
            assert!(text.contains(topic), "{topic}");
        }
        assert!(text.contains("事業所の管理者") && text.contains("メッセージの前に、患者の"));
    }
}
