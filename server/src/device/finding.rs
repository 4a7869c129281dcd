//! What a login diagnosis can find (F62): for each finding a short code to read out on the telephone, the one
//! thing to do, and what the office should know. One table; codes are never given a new meaning.

use renraku_wire::Code;

macro_rules! findings {
    ($($(#[$doc:meta])* $name:ident = $short:literal, $code:expr, $sentence:literal, $cause:literal, $office:literal;)+) => {
        /// What was found.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Finding {
            $($(#[$doc])* $name,)+
        }

        impl Finding {
            /// All of them, in the order of their codes.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The short code.
            #[must_use]
            pub const fn short(self) -> &'static str {
                match self { $(Self::$name => $short,)+ }
            }

            /// The code that the care host's refusal carries, if it refuses.
            #[must_use]
            pub const fn code(self) -> Option<Code> {
                match self { $(Self::$name => $code,)+ }
            }

            /// What there is to do on the device.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)+ }
            }

            /// Why it happens, for the office.
            #[must_use]
            pub const fn cause(self) -> &'static str {
                match self { $(Self::$name => $cause,)+ }
            }

            /// What the office does about it.
            #[must_use]
            pub const fn office(self) -> &'static str {
                match self { $(Self::$name => $office,)+ }
            }
        }
    };
}

findings! {
    /// Nothing is wrong.
    Fine = "R-100", None,
        "この端末の電子証明書は有効です。サインインに進んでください。",
        "端末の電子証明書と、たずねられていればユーザーIDに、問題はありません。",
        "パスワードの入力まちがいか、ブラウザーの証明書の選びまちがいが考えられます。ブラウザーを開き直してもらってください。";
    /// No certificate arrived.
    NoCertificate = "R-101", Some(Code::CertificateMissing),
        "この端末に電子証明書がありません。「初回の証明書設定」から入れてください。",
        "電子証明書が届いていません。まだ入れていない、別のブラウザーに入れた、または証明書を選ぶ画面で「キャンセル」を押した場合です。",
        "証明書を入れたか、同じブラウザーで開いているかを確かめてもらってください。まだなら、Noとパスワードを発行します。";
    /// Another authority's.
    Foreign = "R-102", Some(Code::CertificateForeign),
        "別の自治体の電子証明書です。この自治体の証明書を選んでください。",
        "この自治体が発行した電子証明書ではありません。ほかの自治体やほかの用途の証明書が選ばれています。",
        "ブラウザーを開き直し、この自治体の証明書を選んでもらってください。";
    /// Its days are over.
    Expired = "R-103", Some(Code::CertificateExpired),
        "電子証明書の有効期限が切れています。施設の管理者に新しい証明書を依頼してください。",
        "電子証明書の期限が切れています。期限の30日前から管理者にお知らせが届いていました。",
        "新しいNoとパスワードを発行し、証明書を入れ直してもらってください。";
    /// Its days have not begun.
    NotYetValid = "R-104", Some(Code::CertificateNotYetValid),
        "電子証明書の有効期間の前です。端末の日付と時刻を直してください。",
        "電子証明書の有効期間が始まっていません。端末かサーバーの時計がずれています。",
        "診断画面のサーバーの時刻と、端末の時刻を見比べてもらってください。";
    /// Revoked.
    Revoked = "R-105", Some(Code::CertificateRevoked),
        "この端末の電子証明書は失効しています。事務局に連絡してください。",
        "紛失・利用終了などのために、管理者か事務局が失効させた証明書です。",
        "下の検索で、いつ・なぜ失効したかを確かめてください。使ってよい端末なら、新しいNoとパスワードを発行します。";
    /// Renewed: the device has another one that is good.
    Superseded = "R-106", Some(Code::CertificateReplaced),
        "新しい証明書に切り替え済みの、古い証明書です。新しい証明書を選び、古いものは端末から削除してください。",
        "更新が済んだ端末で、古い証明書が選ばれています。",
        "ブラウザーを開き直し、期限の新しいほうの証明書を選んでもらってください。";
    /// The facility is suspended or closed.
    FacilitySuspended = "R-107", Some(Code::FacilitySuspended),
        "この施設の利用は停止されています。事務局に連絡してください。",
        "端末の属する施設が、利用停止か廃止になっています。",
        "施設の一覧で状態を確かめてください。";
    /// Mails of No and password are held up.
    MailDelayed = "R-111", Some(Code::CertificateMissing),
        "お知らせのメールが届きにくくなっています。事務局に電話してください。",
        "証明書取得用No/パスワードのメールに、送れていないもの（送信待ち・送信失敗）があります。",
        "下の検索で施設のメールの状態とあて先を確かめ、Noとパスワードを電話か手渡しで伝えてください。";
    /// Mails of No and password leave as they should.
    MailSent = "R-112", Some(Code::CertificateMissing),
        "承認済みの申請のメールは送信しています。迷惑メールの振り分けを確かめ、なければ事務局に電話してください。",
        "送信待ち・送信失敗のメールはありません。まだ承認していないか、あて先のまちがい、または迷惑メールに振り分けられています。",
        "施設の申請の状態と管理者のメールアドレスを確かめてください。";
    /// The account is locked.
    Locked = "R-121", Some(Code::AccountLocked),
        "パスワードを続けて間違えたため、ロックしました。しばらく待つか、施設の管理者に連絡してください。",
        "パスワードを続けて間違えたため、このユーザーIDは一時的にロックされています。",
        "時間がたてば自動で解除されます。心当たりがないときは、本人に確かめてください。";
    /// The account is suspended.
    PersonSuspended = "R-122", Some(Code::SignInRefused),
        "このユーザーIDは利用を停止しています。施設の管理者に連絡してください。",
        "このユーザーIDは停止または削除されています。",
        "スタッフの一覧で状態を確かめてください。";
    /// Nothing is told of that account on this device.
    PersonUntold = "R-129", Some(Code::SignInRefused),
        "この端末では、そのユーザーIDの状態を確認できません。ユーザーIDの入力を確かめてください。",
        "この端末の施設に、そのユーザーIDはありません。入力まちがいか、別の施設のユーザーIDです。",
        "本人の施設とユーザーIDを確かめてください。別の施設の端末ではサインインできません。";
}

/// What there is to do while an account is locked for so many minutes more.
#[must_use]
pub fn locked(minutes: i64) -> String {
    Finding::Locked.sentence().replacen("しばらく", &format!("{minutes}分"), 1)
}

impl Finding {
    /// True where putting a certificate on the device is what helps.
    #[must_use]
    pub const fn enrols(self) -> bool {
        matches!(self, Self::NoCertificate | Self::MailDelayed | Self::MailSent)
    }

    /// The finding of a short code as somebody wrote it down: `R-104`, `r104`, `104`.
    #[must_use]
    pub fn parse(typed: &str) -> Option<Self> {
        let digits: String = typed.chars().filter(char::is_ascii_digit).collect();
        let rest = typed.trim().trim_start_matches(['R', 'r']).trim_start_matches(['-', ' ', '‐', '−', 'ー']);
        Self::ALL.iter().copied().find(|f| f.short()[2..] == digits && rest == digits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_code_is_short_and_its_own() {
        let codes: HashSet<_> = Finding::ALL.iter().map(|f| f.short()).collect();
        assert_eq!(codes.len(), Finding::ALL.len());
        for finding in Finding::ALL {
            let short = finding.short();
            assert!(short.len() == 5 && short.starts_with("R-"), "{short}");
            for text in [finding.sentence(), finding.cause(), finding.office()] {
                assert!(text.ends_with('。'), "{short}: {text}");
            }
            assert_eq!(finding.code().is_none(), *finding == Finding::Fine);
            assert_eq!(Finding::parse(short), Some(*finding));
            assert_eq!(Finding::parse(&short.to_lowercase().replace('-', "")), Some(*finding));
            assert_eq!(Finding::parse(&short[2..]), Some(*finding));
        }
        for nonsense in ["", "R-", "R-999", "x104", "1 0 4 5", "R-10"] {
            assert_eq!(Finding::parse(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn a_certificates_finding_says_what_the_refusal_says() {
        for finding in [Finding::NoCertificate, Finding::Foreign, Finding::Expired, Finding::Revoked] {
            assert_eq!(Some(finding.sentence()), finding.code().map(Code::sentence), "{finding:?}");
        }
    }
}
