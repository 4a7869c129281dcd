//! What a mail says: a generic line and a link. No name, no facility, no clinical word.

use super::TicketMail;
use crate::db::Id;
use crate::policy::{MunicipalityPolicy, worded};
use renraku_wire::{Contact, NoticeKind};

/// Subject and body.
pub(super) struct MailText {
    pub subject: String,
    pub body: String,
}

fn foot(contact: &Contact) -> String {
    let name = [contact.office.as_str(), &contact.section].join(" ");
    let fax = if contact.fax.is_empty() { String::new() } else { format!(" / FAX {}", contact.fax) };
    format!(
        "\n--\n{}\n電話 {}{fax}\nメール {}\n受付 {}\n※このメールに返信はできません。\n",
        name.trim_end(),
        contact.telephone,
        contact.mail,
        contact.hours
    )
}

/// The mail of a notice that leads to the care host.
pub(super) fn notice(kind: NoticeKind, id: Id, care_url: &str, policy: &MunicipalityPolicy) -> MailText {
    let line = worded(kind.line(), &policy.words);
    MailText {
        subject: format!("【連絡】{line}"),
        body: format!(
            "{line}。\n内容は、電子証明書の入った端末でサインインしてご確認ください。\n\n{care_url}/notices/{id}\n\
             {}",
            foot(&policy.contact)
        ),
    }
}

/// The mail with certificate No and password.
pub(super) fn ticket(
    ticket: &TicketMail,
    public_url: &str,
    slug: &str,
    policy: &MunicipalityPolicy,
) -> MailText {
    MailText {
        subject: "【連絡】証明書取得用No/パスワード通知".to_owned(),
        body: format!(
            "{}の利用申請が承認されました。\n下記の「初回の証明書設定」から、使用する端末に電子証明書を入れてください。\n\n\
             {public_url}/{slug}/certificate\n\n証明書取得用No: {}\nパスワード: {}\n\n\
             この番号は1台に1回だけ使えます。他の人に知らせないでください。\n{}",
            policy.words.facility,
            ticket.number,
            ticket.password,
            foot(&policy.contact)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::preset;

    #[test]
    fn mails_use_the_towns_words_and_contact() {
        let mut policy = preset("takahagi").unwrap();
        policy.contact.fax = String::new();
        let numbers = TicketMail { number: "1111-2222-3333".into(), password: "secret".into() };
        let mail = ticket(&numbers, "https://portal.invalid", "one", &policy);
        assert!(mail.body.starts_with("事業所の利用申請が承認されました。"), "{}", mail.body);
        assert!(
            mail.body.contains("https://portal.invalid/one/certificate")
                && mail.body.contains("1111-2222-3333")
        );
        assert!(mail.body.contains("事務局 高齢福祉課") && !mail.body.contains("FAX"));
        for kind in [NoticeKind::PatientRegistered, NoticeKind::PostPublished] {
            let mail = notice(kind, Id::new(), "https://care.invalid", &policy);
            for written in ["支援対象者", "施設", "投稿", "担当者"] {
                assert!(!mail.subject.contains(written) && !mail.body.contains(written), "{}", mail.body);
            }
        }
    }
}
