//! What a failed call means for the pass that made it. Pure. Not here: writing it down (flush).

use crate::api::ApiError;
use crate::store::StoreError;
use renraku_wire::Code;
use std::time::Duration;

/// Why a pass broke off.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FlushError {
    /// Nothing can be sent until the person or the office acts: signed out, certificate refused, key locked.
    #[error(transparent)]
    Api(ApiError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a failed call means for the pass.
pub(super) enum Verdict {
    /// The server was not reached: the rest would not reach it either.
    Stop,
    /// This item later, the others now.
    Later(Option<Duration>),
    /// Never; and the field at fault, where the server said it.
    Refused(Code, Option<String>),
    /// Nothing goes until somebody acts.
    Break,
}

pub(super) fn judge(e: &ApiError) -> Verdict {
    match e {
        ApiError::Offline { .. } => Verdict::Stop,
        ApiError::ServerUntrusted { clock: false } => Verdict::Stop,
        ApiError::ServerUntrusted { clock: true } | ApiError::CertificateRefused(_) | ApiError::Key(_) => {
            Verdict::Break
        }
        ApiError::Nonsense(_) | ApiError::File | ApiError::Full => Verdict::Later(None),
        ApiError::Refused { problem, retry_after } => match (problem.code, problem.status) {
            (Code::PasswordChangeRequired, _) | (_, 401) => Verdict::Break,
            (Code::OffsetConflict | Code::BodyTruncated | Code::MediaPending, _) => Verdict::Later(None),
            (_, 408 | 429 | 500..) => Verdict::Later(*retry_after),
            (code, _) => Verdict::Refused(code, problem.field.clone()),
        },
    }
}
