//! The town's words in sentences that were written once for every town (F17).

use renraku_wire::Words;

/// The words as sentences of this house write them. The longer of two that begin alike stands first.
const WRITTEN: [&str; 5] = ["支援対象者", "スタッフ", "担当者", "施設", "投稿"];

fn chosen<'a>(words: &'a Words, written: &str) -> &'a str {
    match written {
        "支援対象者" => &words.patient,
        "スタッフ" => &words.staff,
        "担当者" => &words.lead,
        "施設" => &words.facility,
        _ => &words.post,
    }
}

/// Whether a sentence names something for which towns have words of their own.
#[must_use]
pub fn has_words(sentence: &str) -> bool {
    WRITTEN.iter().any(|w| sentence.contains(w))
}

/// A sentence with the words that this town chose, where it names the person supported (支援対象者), the
/// place (施設), its staff (スタッフ), a post (投稿) or the team's lead (担当者). One pass: a chosen word is
/// never looked into again. Only for sentences of our own, not for what people wrote.
#[must_use]
pub fn worded(sentence: &str, words: &Words) -> String {
    let mut said = String::with_capacity(sentence.len());
    let mut rest = sentence;
    while let Some(first) = rest.chars().next() {
        if let Some(written) = WRITTEN.into_iter().find(|w| rest.starts_with(w)) {
            said.push_str(chosen(words, written));
            rest = &rest[written.len()..];
        } else {
            said.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use renraku_wire::Code;

    fn words() -> Words {
        let of = |s: &str| s.to_owned();
        Words {
            patient: of("患者"),
            facility: of("事業所"),
            staff: of("利用スタッフ"),
            post: of("記事"),
            lead: of("代表者"),
        }
    }

    #[test]
    fn each_thing_takes_the_towns_word_once() {
        assert_eq!(
            worded("施設のスタッフが支援対象者の投稿を担当者に", &words()),
            "事業所の利用スタッフが患者の記事を代表者に"
        );
        assert_eq!(worded("", &words()), "");
        let round = Words { facility: "施設".into(), post: "施設".into(), ..words() };
        assert_eq!(worded("施設と投稿", &round), "施設と施設");
    }

    #[test]
    fn what_a_locked_screen_shows_is_the_same_in_every_town() {
        for kind in renraku_wire::NoticeKind::ALL {
            assert!(!has_words(kind.line()), "pushes are not worded: {}", kind.line());
        }
    }

    #[test]
    fn refusals_speak_the_towns_language() {
        for code in Code::ALL {
            let said = worded(code.sentence(), &words()).replace("利用スタッフ", "");
            assert!(WRITTEN.iter().all(|w| !said.contains(w)), "{said}");
        }
        assert!(worded(Code::FacilitySuspended.sentence(), &words()).starts_with("この事業所"));
        assert!(worded(Code::TeamInvalid.sentence(), &words()).contains("代表者を1人以上"));
    }
}
