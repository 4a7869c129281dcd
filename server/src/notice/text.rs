//! What a mail says: a generic line and a link. No name, no facility, no clinical word.

use super::TicketMail;
use crate::db::Id;
use renraku_wire::{Contact, NoticeKind};

/// Subject and body.
pub(super) struct MailText {
    pub subject: String,
    pub body: String,
}

fn foot(contact: &Contact) -> String {
    format!(
        "\n--\n{}\n電話 {} / FAX {}\n受付 {}\n※このメールに返信はできません。\n",
        contact.office, contact.telephone, contact.fax, contact.hours
    )
}

/// The mail of a notice that leads to the care host.
pub(super) fn notice(kind: NoticeKind, id: Id, care_url: &str, contact: &Contact) -> MailText {
    let line = kind.line();
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
            foot(contact)
        ),
    }
}

/// The mail with certificate No and password.
pub(super) fn ticket(ticket: &TicketMail, public_url: &str, slug: &str, contact: &Contact) -> MailText {
    MailText {
        subject: "【連絡】証明書取得用No/パスワード通知".to_owned(),
        body: format!(
            "利用申請が承認されました。\n下記の「初回の証明書設定」から、使用する端末に電子証明書を入れてください。\n\n\
             {public_url}/{slug}/certificate\n\n証明書取得用No: {}\nパスワード: {}\n\n\
             この番号は1台に1回だけ使えます。他の人に知らせないでください。\n{}",
            ticket.number,
            ticket.password,
            foot(contact)
        ),
    }
}
