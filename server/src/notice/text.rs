//! What a mail says: a generic line and a link. No name, no facility, no clinical word.

use super::{FacilityNews, Letter};
use crate::db::Id;
use crate::policy::{MunicipalityPolicy, worded};
use crate::portal::language;
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
    if let Some(text) = account(kind, care_url, policy) {
        return text;
    }
    let line = worded(kind.line(), &policy.words);
    let link = match kind {
        // Goes to a facility's address, which is nobody in particular.
        NoticeKind::InboxWaiting => format!("{care_url}/inbox"),
        _ => format!("{care_url}/notices/{id}"),
    };
    MailText {
        subject: format!("【連絡】{line}"),
        body: format!(
            "{line}。\n内容は、電子証明書の入った端末でサインインしてご確認ください。\n\n{link}\n\
             {}",
            foot(&policy.contact)
        ),
    }
}

/// The mail about an id that was suspended or may be used again: whoever reads it may not be able to sign in.
fn account(kind: NoticeKind, care_url: &str, policy: &MunicipalityPolicy) -> Option<MailText> {
    let said = match kind {
        NoticeKind::AccountSuspended => {
            "サインインはできません。理由と再開については、下記の問い合わせ先に連絡してください。".to_owned()
        }
        NoticeKind::AccountResumed => format!("もう一度サインインしてください。\n\n{care_url}/"),
        NoticeKind::StaffStateChanged => {
            format!("内容は、電子証明書の入った端末でサインインしてご確認ください。\n\n{care_url}/staff")
        }
        _ => return None,
    };
    let line = worded(kind.line(), &policy.words);
    Some(MailText {
        subject: format!("【連絡】{line}"),
        body: format!("{line}。\n{said}\n{}", foot(&policy.contact)),
    })
}

/// A letter; `portal` is the town's address on the public host.
pub(super) fn letter(letter: &Letter, portal: &str, policy: &MunicipalityPolicy) -> MailText {
    let facility = &policy.words.facility;
    let (subject, said) = match letter {
        Letter::Ticket(ticket) => (
            "証明書取得用No/パスワード通知".to_owned(),
            format!(
                "{facility}の利用申請が承認されました。\n下記の「初回の証明書設定」から、使用する端末に電子証明書を入れてください。\n\n\
                 {portal}/certificate\n\n証明書取得用No: {}\nパスワード: {}\n\n\
                 この番号は1台に1回だけ使えます。他の人に知らせないでください。\n\
                 前にお送りした番号があるときは、新しい番号だけが使えます。\n",
                ticket.number, ticket.password
            ),
        ),
        Letter::Returned { token, until } => (
            "申請内容の確認のお願い".to_owned(),
            format!(
                "利用申請の内容について、確認していただきたいことがあります。\n\
                 下記のページで理由を確認し、訂正して送り直してください。\n\n{portal}/corrections/{token}\n\n\
                 このページは{}まで、1回だけ使えます。他の人に知らせないでください。\n",
                language::day(*until)
            ),
        ),
        Letter::Rejected => (
            "利用申請の結果について".to_owned(),
            "利用申請の内容を確認した結果、今回は登録できませんでした。\n\
             理由は、下記の問い合わせ先でお答えします。\n"
                .to_owned(),
        ),
        Letter::Facility { news } => {
            let said = match news {
                FacilityNews::ChangeConfirmed => "登録内容の変更が承認されました。",
                FacilityNews::ChangeRefused => {
                    "登録内容の変更は承認されませんでした。理由は、下記の問い合わせ先でお答えします。"
                }
                FacilityNews::Changed => "事務局が登録内容を変更しました。",
                FacilityNews::Suspended => {
                    "利用が停止されました。端末からは開けません。下記の問い合わせ先に連絡してください。"
                }
                FacilityNews::Resumed => "利用が再開されました。もう一度サインインしてください。",
                FacilityNews::Closed => {
                    "利用の廃止の手続きが終わりました。電子証明書とユーザーIDは使えなくなりました。"
                }
                FacilityNews::ManagerChanged => {
                    "管理者が変更されました。心当たりがないときは、下記の問い合わせ先に連絡してください。"
                }
            };
            (format!("{facility}の登録についてのお知らせ"), format!("{said}\n"))
        }
    };
    MailText { subject: format!("【連絡】{subject}"), body: format!("{said}{}", foot(&policy.contact)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notice::TicketMail;
    use crate::policy::preset;

    #[test]
    fn letters_use_the_towns_words_and_lead_to_the_public_host() {
        let town = preset("takahagi").unwrap();
        let portal = "https://portal.invalid/town";
        let news = letter(&Letter::Facility { news: FacilityNews::Suspended }, portal, &town);
        assert!(news.subject.contains("事業所") && news.body.contains(&town.contact.telephone));
        let token = "tttt".to_owned();
        let back = letter(&Letter::Returned { token, until: 946_684_799_000 }, portal, &town);
        assert!(back.body.contains("https://portal.invalid/town/corrections/tttt"));
        assert!(back.body.contains("2000年1月1日"));
        let ticket = TicketMail { number: "1111-2222-3333".into(), password: "pw".into() };
        let ticket = letter(&Letter::Ticket(ticket), portal, &town);
        assert!(ticket.body.contains("1111-2222-3333") && ticket.body.contains("town/certificate"));
        assert!(letter(&Letter::Rejected, portal, &town).body.contains("問い合わせ先"));
    }

    #[test]
    fn mails_use_the_towns_words_and_contact() {
        let mut policy = preset("takahagi").unwrap();
        policy.contact.fax = String::new();
        let numbers = TicketMail { number: "1111-2222-3333".into(), password: "secret".into() };
        let mail = letter(&Letter::Ticket(numbers), "https://portal.invalid/one", &policy);
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
