//! Passwords: random ones, and which are too easy (R-AUTH3).

use crate::db::Id;
use crate::secret::OperatorSecret;
use renraku_wire::{Code, limits};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

/// Letters and digits that nobody mixes up on paper or on the telephone.
const CLEAR: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// A random password of twelve clear characters, 59 bits.
#[must_use]
pub fn random() -> String {
    random_text(12)
}

/// A random text of `length` clear characters.
#[must_use]
pub fn random_text(length: usize) -> String {
    (0..length).map(|_| char::from(CLEAR[rand::random_range(0..CLEAR.len())])).collect()
}

/// The password that belongs to a request for one: asked again under the same id it is the same, so that of
/// two answers either one is right. As many bits as [`random`], from the operator's secret.
#[must_use]
pub fn asked_for(secret: &OperatorSecret, town: Id, what: &str, id: Id) -> Zeroizing<String> {
    let bits = secret.derive(&[b"password", town.0.as_bytes(), what.as_bytes(), id.0.as_bytes()]);
    let places = CLEAR.len();
    let clear = |pair: &[u8]| char::from(CLEAR[usize::from(u16::from_be_bytes([pair[0], pair[1]])) % places]);
    Zeroizing::new(bits.chunks_exact(2).take(12).map(clear).collect())
}

/// What is known of the owner of a password, and must not be in it.
#[derive(Debug, Default)]
pub struct Owner<'a> {
    /// Individual user id.
    pub login_id: &'a str,
    /// Name.
    pub name: &'a str,
    /// Facility, town, its name in addresses, mail addresses: whatever a colleague would try.
    pub about: &'a [&'a str],
}

impl Owner<'_> {
    /// The words that a colleague would try, whole and in their parts, in small letters.
    fn words(&self) -> Vec<String> {
        let mut words: Vec<String> = Vec::new();
        for text in [self.login_id, self.name].iter().chain(self.about) {
            let text = text.nfkc().collect::<String>().to_lowercase();
            let parts = text.split(|c: char| !c.is_alphanumeric()).map(str::to_owned);
            let long = |w: &String| w.chars().count() >= if w.is_ascii() { 3 } else { 2 };
            words.extend(std::iter::once(text.clone()).chain(parts).filter(long));
        }
        words.sort_unstable();
        words.dedup();
        words
    }
}

/// Guesses that a password must outlast, as `zxcvbn` estimates them. Eight characters by chance outlast
/// them (about 10^8), a word with a year does not (below 10^6). At the rate that is left to a guesser (see
/// `rules`) they take more than a thousand years.
const LEAST_GUESSES: u64 = 20_000_000;

/// Refuses a password that is too short, too long, or easily guessed: by its owner's id, name, facility,
/// town or mail address, by a date, a keyboard pattern, a word of a list of leaked passwords, or a word
/// that people in Japanese care would choose (R-AUTH3 c).
///
/// # Errors
/// [`Code::PasswordWeak`].
pub fn check(password: &str, owner: &Owner<'_>) -> Result<(), Code> {
    let length = password.chars().count();
    if !(limits::PASSWORD_CHARS..=limits::PASSWORD_CHARS_MAX).contains(&length) {
        return Err(Code::PasswordWeak);
    }
    // Full-width letters and digits are typed as easily as narrow ones and guessed as easily.
    let plain: String = password.nfkc().collect::<String>().to_lowercase();
    let words = owner.words();
    // The own id and name never, however long the rest; other words are weighed.
    let own = Owner { about: &[], ..*owner }.words();
    if own.iter().any(|w| plain.contains(w.as_str())) {
        return Err(Code::PasswordWeak);
    }
    let mut inputs: Vec<&str> = words.iter().map(String::as_str).collect();
    inputs.extend(COMMON);
    if guesses(&plain, &inputs) < LEAST_GUESSES { Err(Code::PasswordWeak) } else { Ok(()) }
}

fn guesses(plain: &str, inputs: &[&str]) -> u64 {
    let estimated = zxcvbn::zxcvbn(plain, inputs).guesses();
    // A date read the Japanese way (昭和, 平成, 令和 by letter, or plain eight digits) is one of some
    // 36,500 days: what is left without the digits must carry the rest.
    let digits = plain.chars().filter(char::is_ascii_digit).count();
    let rest: String = plain.chars().filter(|c| !c.is_ascii_digit()).collect();
    if digits >= 4 && rest.chars().count() <= 4 {
        return estimated
            .min(36_500 * 20_u64.saturating_pow(u32::try_from(rest.chars().count()).unwrap_or(4)));
    }
    estimated
}

/// Words that people in Japanese care choose, in Roman letters and in kana, which the lists of leaked
/// passwords behind `zxcvbn` lack or rank too low.
const COMMON: &[&str] = &[
    "renraku",
    "renrakucho",
    "password",
    "pasuwado",
    "sakura",
    "hinata",
    "himawari",
    "tanpopo",
    "fujisan",
    "nippon",
    "nihon",
    "japan",
    "tokyo",
    "osaka",
    "kyoto",
    "nagano",
    "ibaraki",
    "shimane",
    "minowa",
    "takahagi",
    "izumo",
    "kaigo",
    "kango",
    "kangoshi",
    "houmon",
    "houmonkango",
    "homonkango",
    "houmonkaigo",
    "zaitaku",
    "iryou",
    "iryo",
    "byouin",
    "byoin",
    "kurinikku",
    "clinic",
    "yakkyoku",
    "shisetsu",
    "jimusho",
    "jimukyoku",
    "helper",
    "herupa",
    "nurse",
    "doctor",
    "sensei",
    "caremane",
    "keamane",
    "caremanager",
    "houkatsu",
    "shien",
    "fukushi",
    "fukushika",
    "koureisha",
    "arigatou",
    "arigato",
    "konnichiwa",
    "ohayou",
    "ohayo",
    "oyasumi",
    "yoroshiku",
    "ganbaru",
    "ganbare",
    "daisuki",
    "aishiteru",
    "tomodachi",
    "kazoku",
    "okaasan",
    "otousan",
    "obaachan",
    "ojiichan",
    "pokemon",
    "doraemon",
    "anpanman",
    "totoro",
    "hanako",
    "tarou",
    "taro",
    "ichiro",
    "jiro",
    "yamada",
    "tanaka",
    "suzuki",
    "satou",
    "sato",
    "takahashi",
    "watanabe",
    "itou",
    "ito",
    "yamamoto",
    "nakamura",
    "kobayashi",
    "katou",
    "kato",
    "shouwa",
    "showa",
    "heisei",
    "reiwa",
    "ぱすわーど",
    "パスワード",
    "さくら",
    "サクラ",
    "ひまわり",
    "ありがとう",
    "よろしく",
    "おはよう",
    "こんにちは",
    "かんごし",
    "かいご",
    "れんらく",
    "にほん",
    "あいうえお",
    "かきくけこ",
    "あかさたな",
    "いろは",
    "いろはにほへと",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(password: &str) -> Result<(), Code> {
        let about = ["架空訪問看護", "箕輪町", "minowa", "hanako.t@kakuu.example.jp"];
        check(password, &Owner { login_id: "nurse01", name: "田中 花子", about: &about })
    }

    #[test]
    fn easy_passwords_are_refused() {
        for bad in [
            "short1!",
            "aaaaaaaaaa",
            "12345678",
            "abcdefgh1",
            "qwertyuiop",
            "1qaz2wsx",
            "Password2026",
            "P@ssw0rd!",
            "nurse01-xx",
            "ＮＵＲＳＥ０１の道具箱です",
            "花子と太郎の大きな家",
            "minowa2026",
            "箕輪町2026",
            "架空訪問看護1",
            "sakura123",
            "Sakura2025",
            "kangoshi01",
            "yamada1985",
            "kaigo2024!",
            "arigatou1",
            "ありがとう123",
            "あいうえおかきくけこ",
            "19850412",
            "1985-04-12",
            "s600412s",
            "r08.11.22",
            "20261122",
            "renraku2026",
            &"x7!kQ".repeat(30),
        ] {
            assert_eq!(checked(bad), Err(Code::PasswordWeak), "{bad}");
        }
        for good in [
            "kumo-to-yama-39",
            "hikari-no-machi-8",
            "asa-no-sanpo-7ji",
            "7hV!pz2Q",
            "あさひ山の赤い橋",
            "みかん電車くじら",
            "correct horse battery",
        ] {
            assert_eq!(checked(good), Ok(()), "{good}");
        }
    }

    #[test]
    fn random_ones_are_never_refused() {
        for _ in 0..100 {
            let random = random();
            assert_eq!(random.len(), 12);
            assert_eq!(checked(&random), Ok(()), "{random}");
        }
    }
}
