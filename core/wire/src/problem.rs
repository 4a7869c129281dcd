//! RFC 9457 problem documents. Every refusal has a stable code, one HTTP status and one plain
//! Japanese sentence that says what to do. The one table below is where all three stand.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A refusal as it crosses the network (`application/problem+json`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Problem {
    /// `urn:renraku:problem:<code>`.
    #[serde(rename = "type")]
    pub kind: String,
    /// HTTP status. Never 403: Apple's network layer reads it as "client certificate required".
    pub status: u16,
    /// What a caller branches on.
    #[cfg_attr(feature = "openapi", schema(value_type = String))]
    pub code: Code,
    /// One plain sentence in Japanese: what to do.
    pub detail: String,
    /// The request field at fault, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// What to read out to the office on the telephone when it was the server's fault.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

impl Problem {
    /// The problem document of a code, without a field.
    #[must_use]
    pub fn new(code: Code) -> Self {
        Self {
            kind: format!("urn:renraku:problem:{}", code.as_str()),
            status: code.status(),
            detail: code.sentence().to_owned(),
            code,
            field: None,
            reference: None,
        }
    }

    /// Names the request field at fault.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $status:literal, $sentence:literal;)+) => {
        /// The stable code of a refusal.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $variant,)+
            /// A code of a newer server.
            Unknown,
        }

        impl Code {
            /// Every code this version knows.
            pub const ALL: &[Code] = &[$(Code::$variant),+];

            /// The code as it crosses the network.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Code::$variant => $code,)+ Code::Unknown => "unknown" }
            }

            /// The HTTP status that goes with it.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Code::$variant => $status,)+ Code::Unknown => 500 }
            }

            /// One plain Japanese sentence that says what to do.
            #[must_use]
            pub const fn sentence(self) -> &'static str {
                match self {
                    $(Code::$variant => $sentence,)+
                    Code::Unknown => "アプリを最新の版に更新して、もう一度お試しください。",
                }
            }

            fn parse(s: &str) -> Self {
                match s { $($code => Code::$variant,)+ _ => Code::Unknown }
            }
        }
    };
}

codes! {
    /// The body is not JSON of the documented shape, or has a field nobody knows.
    RequestMalformed = "request_malformed", 400, "送信内容を読み取れませんでした。アプリを最新の版に更新して、もう一度お試しください。";
    /// A field's value is refused; `field` names it.
    FieldInvalid = "field_invalid", 422, "入力内容を確認して、もう一度送信してください。";
    /// The body is larger than this request may be.
    BodyTooLarge = "body_too_large", 413, "データが大きすぎます。小さくして、もう一度送信してください。";
    /// The body ended before its announced length.
    BodyTruncated = "body_truncated", 400, "通信が途中で切れました。電波の良い場所で、もう一度送信してください。";
    /// Nothing here under that name, or nothing that the caller may see.
    NotFound = "not_found", 404, "見つかりませんでした。一覧からもう一度選んでください。";
    /// The address takes other methods.
    MethodNotAllowed = "method_not_allowed", 405, "この操作はできません。画面を開き直してください。";
    /// The same id already stands for something else.
    IdConflict = "id_conflict", 409, "同じ番号の別の記録があります。新しく作成し直してください。";
    /// The server failed; `reference` finds it in the log.
    Internal = "internal", 500, "サーバーで問題が起きました。しばらくして、もう一度お試しください。";
    /// The server is starting, full or has no database.
    Unavailable = "unavailable", 503, "ただいま混み合っています。少し待って、もう一度お試しください。";
    /// Too many tries in a short time.
    TooManyRequests = "too_many_requests", 429, "操作が多すぎます。少し待って、もう一度お試しください。";

    /// No such ticket or wrong password; which of the two is not told.
    TicketInvalid = "ticket_invalid", 422, "証明書取得用Noまたはパスワードが違います。メールの内容をもう一度確認してください。";
    /// The ticket was used.
    TicketUsed = "ticket_used", 409, "この証明書取得用Noは使用済みです。別の端末には、新しいNoの発行を依頼してください。";
    /// The ticket's days are over.
    TicketExpired = "ticket_expired", 409, "証明書取得用Noの有効期限が切れています。事務局に再発行を依頼してください。";
    /// The request for a certificate cannot be read.
    CsrMalformed = "csr_malformed", 422, "証明書の申請を読み取れませんでした。アプリを更新して、もう一度お試しください。";
    /// Not a P-256 key.
    CsrKeyUnsupported = "csr_key_unsupported", 422, "この端末の鍵の種類は使えません。アプリを更新して、もう一度お試しください。";
    /// The request is not signed by the key it names.
    CsrSignatureInvalid = "csr_signature_invalid", 422, "端末の鍵を確認できませんでした。アプリを入れ直して、もう一度お試しください。";
    /// The key already belongs to a device.
    CsrKeyInUse = "csr_key_in_use", 409, "この鍵は別の端末で使われています。アプリを入れ直して、もう一度お試しください。";
    /// The certificate is renewed only when its end is near; the town says how near.
    RenewalTooEarly = "renewal_too_early", 409, "まだ証明書の更新の時期ではありません。期限が近づいたら、もう一度操作してください。";

    /// No certificate arrived.
    CertificateMissing = "certificate_missing", 401, "この端末に電子証明書がありません。「初回の証明書設定」から入れてください。";
    /// Signed by an authority that is not this town's.
    CertificateForeign = "certificate_foreign", 401, "別の自治体の電子証明書です。この自治体の証明書を選んでください。";
    /// Its days are over.
    CertificateExpired = "certificate_expired", 401, "電子証明書の有効期限が切れています。施設の管理者に新しい証明書を依頼してください。";
    /// It is not valid yet: most often the device's clock is wrong.
    CertificateNotYetValid = "certificate_not_yet_valid", 401, "電子証明書の有効期間の前です。端末の日付と時刻を直してください。";
    /// The office or the facility revoked it.
    CertificateRevoked = "certificate_revoked", 401, "この端末の電子証明書は失効しています。事務局に連絡してください。";
    /// The device renewed it: it has a newer one that is good.
    CertificateReplaced = "certificate_replaced", 401, "更新する前の古い電子証明書です。新しい電子証明書を選んでください。なければ施設の管理者に依頼してください。";
    /// The facility is suspended or closed.
    FacilitySuspended = "facility_suspended", 401, "この施設の利用は停止されています。事務局に連絡してください。";

    /// Wrong id or password; which of the two is not told.
    SignInRefused = "sign_in_refused", 422, "ユーザーIDまたはパスワードが違います。もう一度入力してください。";
    /// Too many wrong passwords for this id on this device, or from strange devices. The answer says for how
    /// many minutes.
    AccountLocked = "account_locked", 429, "パスワードを続けて間違えたため、しばらくサインインできません。時間をおいてもう一度試すか、管理者に連絡してください。";
    /// No session, or one that ended, or one of another device.
    SessionInvalid = "session_invalid", 401, "サインインが必要です。ユーザーIDとパスワードを入力してください。";
    /// The first password must be changed before anything else.
    PasswordChangeRequired = "password_change_required", 409, "はじめに、パスワードを変更してください。";
    /// The new password is too short, too long, too easy or the old one.
    PasswordWeak = "password_weak", 422, "パスワードは8文字以上で、名前・ID・施設名・日付・よくある言葉を避け、関係のない言葉を3つほどつなげてください。";
    /// The caller's role does not include this.
    RoleInsufficient = "role_insufficient", 409, "この操作をする権限がありません。施設の管理者か事務局に依頼してください。";

    /// The application or facility is not in a state that allows this.
    StateConflict = "state_conflict", 409, "すでに処理されています。画面を開き直して確認してください。";
    /// The town takes no facilities from outside (F19).
    FacilityOutside = "facility_outside", 422, "この自治体では、区域の外からの申請を受け付けていません。事務局に相談してください。";
    /// The public application form is closed during the town's trial (F20).
    TrialClosed = "trial_closed", 409, "試行期間中のため、この画面では申請を受け付けていません。事務局に連絡してください。";
    /// A link of a mail that is unknown, used or too old; which of them is not told.
    LinkInvalid = "link_invalid", 404, "このリンクは使えません（使用済みか、期限切れです）。事務局に連絡してください。";
    /// The town does not use this function.
    NotOffered = "not_offered", 409, "この自治体では、この機能を使っていません。";
    /// A login id or mail address that somebody has.
    AlreadyTaken = "already_taken", 409, "すでに使われています。別のものを入力してください。";
    /// Somebody leaves who is the only lead of a team, and nobody takes over.
    LeadNeeded = "lead_needed", 409, "この人だけが担当者の支援チームがあります。引き継ぐ人を選んでください。";
    /// A facility's last manager cannot leave or become a member.
    ManagerNeeded = "manager_needed", 409, "管理者が1人もいなくなります。先に別の人を管理者にしてください。";
    /// Sharing needs a consent on file.
    ConsentMissing = "consent_missing", 409, "同意書のデータを登録してから、もう一度送信してください。";
    /// A team needs a lead and members who exist.
    TeamInvalid = "team_invalid", 422, "支援チームのメンバーを確認してください。担当者を1人以上選んでください。";

    /// The file is not a picture, film or document of a kind that is taken.
    MediaUnreadable = "media_unreadable", 422, "この写真・動画は読み取れません。撮り直して、もう一度送信してください。";
    /// The picture or film is larger than allowed (bytes, pixels or seconds).
    MediaTooLarge = "media_too_large", 422, "写真・動画が大きすぎます。アプリから撮り直して送信してください。";
    /// It still carries a place, a device or another tag.
    MediaNotStripped = "media_not_stripped", 422, "写真・動画に位置情報などが残っています。アプリを更新して、もう一度送信してください。";
    /// The original was gone before it could be made ready to leave. Said by a device, never by the server.
    MediaLost = "media_lost", 422, "準備が終わる前に、元の写真・動画がなくなりました。もう一度撮影して送信してください。";
    /// What arrived is not what was announced.
    ChecksumMismatch = "checksum_mismatch", 422, "データが途中で壊れました。もう一度送信してください。";
    /// The upload goes on at another offset; ask for it with `HEAD`.
    OffsetConflict = "offset_conflict", 409, "送信の続きの位置が違います。アプリが自動でやり直します。";
    /// It was announced, but has not arrived yet.
    MediaPending = "media_pending", 409, "写真・動画はまだ届いていません。少し待って、開き直してください。";
    /// An area of a photo that shall be covered lies outside of it, or there are too many. Told by the app.
    MarkInvalid = "mark_invalid", 422, "隠す範囲が写真から外れているか、多すぎます。印を付け直してください。";

    /// The 2-D code that was scanned is none for setting up a device. Told by the app.
    SetupCodeForeign = "setup_code_foreign", 422, "この2次元コードは、初回設定用のものではありません。証明書取得用Noの画面のコードを読み取ってください。";
    /// A set-up code of a newer version. Told by the app.
    SetupCodeNewer = "setup_code_newer", 422, "新しい版の2次元コードです。アプリを最新の版に更新して、もう一度読み取ってください。";
    /// A set-up code that is damaged or forged. Told by the app.
    SetupCodeMalformed = "setup_code_malformed", 422, "2次元コードを読み取れませんでした。もう一度読み取るか、証明書取得用Noとパスワードを入力してください。";
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Code {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let s = std::borrow::Cow::<str>::deserialize(d)?;
        Ok(Self::parse(&s))
    }
}
