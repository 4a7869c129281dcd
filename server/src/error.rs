//! What can go wrong, and how it is told.
//!
//! A refusal is a [`Code`] of the contract and reaches the caller as a problem document. Anything else
//! is the server's fault: it is logged once under a reference, and the caller learns the reference only.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use renraku_wire::{Code, Problem};

/// An error on its way to the caller.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The caller can act on it.
    #[error("refused: {}", .0.code.as_str())]
    Refused(Box<Problem>),
    /// The database failed.
    #[error("database: {0}")]
    Db(#[from] diesel::result::Error),
    /// Something else failed. The text is for the log and the operator; no personal data in it.
    #[error("{0}")]
    Internal(String),
}

impl AppError {
    /// A failure that is not the caller's; `what` is for the log.
    pub fn internal(what: impl Into<String>) -> Self {
        Self::Internal(what.into())
    }

    /// A refused field of the request.
    pub fn field(field: &str) -> Self {
        Problem::new(Code::FieldInvalid).field(field).into()
    }

    /// The problem document that the caller gets; failures are logged here, once.
    #[must_use]
    pub fn into_problem(self) -> Problem {
        match self {
            Self::Refused(p) => *p,
            failure => {
                let mut problem = Problem::new(Code::Internal);
                let reference = hex::encode(rand::random::<[u8; 4]>());
                match &failure {
                    // A database message can quote a row: only its kind is logged.
                    Self::Db(diesel::result::Error::DatabaseError(kind, info)) => tracing::error!(
                        reference,
                        ?kind,
                        constraint = info.constraint_name(),
                        table = info.table_name(),
                        "database error"
                    ),
                    Self::Db(diesel::result::Error::NotFound) => {
                        tracing::error!(reference, "a row that must exist does not");
                    }
                    Self::Db(_) => tracing::error!(reference, "database error"),
                    other => tracing::error!(reference, error = %other, "internal error"),
                }
                problem.reference = Some(reference);
                problem
            }
        }
    }
}

impl From<Code> for AppError {
    fn from(code: Code) -> Self {
        Problem::new(code).into()
    }
}

impl From<Problem> for AppError {
    fn from(problem: Problem) -> Self {
        Self::Refused(Box::new(problem))
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        let problem = self.into_problem();
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(problem.clone())).into_response();
        response
            .headers_mut()
            .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if problem.code == Code::Unavailable {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
        }
        // The portal's guard shows the same refusal as a page.
        response.extensions_mut().insert(problem);
        response
    }
}
