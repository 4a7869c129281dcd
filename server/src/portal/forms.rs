//! Forms: reading them, and telling at which field one was refused, so that nothing typed is lost.

use super::language;
use crate::error::AppError;
use crate::input::body_code;
use crate::policy::worded;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{FromRequest, Request};
use axum::http::StatusCode;
use renraku_wire::{Code, Problem, Words};
use serde::de::DeserializeOwned;

/// The fields of a form (`application/x-www-form-urlencoded`).
#[derive(Debug)]
pub struct Fields<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Fields<T> {
    type Rejection = AppError;

    async fn from_request(request: Request, state: &S) -> Result<Self, AppError> {
        match Form::<T>::from_request(request, state).await {
            Ok(Form(value)) => Ok(Self(value)),
            Err(FormRejection::BytesRejection(e)) => Err(body_code(e.status().as_u16()).into()),
            Err(_) => Err(Code::RequestMalformed.into()),
        }
    }
}

/// A choice of a list: its value, its label, and whether it is chosen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// What is sent.
    pub value: String,
    /// What is shown.
    pub label: String,
    /// True for the chosen one.
    pub chosen: bool,
}

/// A list of choices from pairs of value and label.
#[must_use]
pub fn choices(of: &[(&str, &str)], chosen: &str) -> Vec<Choice> {
    of.iter()
        .map(|(value, label)| Choice {
            value: (*value).to_owned(),
            label: (*label).to_owned(),
            chosen: *value == chosen,
        })
        .collect()
}

/// Why a form came back: at most one field, one sentence.
#[derive(Clone, Debug, Default)]
pub struct Trouble {
    field: String,
    sentence: String,
    code: &'static str,
    reference: Option<String>,
}

impl Trouble {
    /// No trouble: a fresh form.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// A sentence of the page's own at a field.
    #[must_use]
    pub fn own(field: &str, sentence: &str) -> Self {
        Self { field: field.to_owned(), sentence: sentence.to_owned(), ..Self::default() }
    }

    /// A problem at the field that it names, or else at `blame`.
    #[must_use]
    pub fn of(problem: &Problem, words: &Words, blame: &str) -> Self {
        // `consent.obtained_on` is the control `obtained_on`.
        let named = problem.field.as_deref().map(|f| f.rsplit('.').next().unwrap_or(f));
        let sentence = match named {
            Some(field) => language::field(field, words),
            None => worded(&problem.detail, words),
        };
        Self {
            field: named.unwrap_or(blame).to_owned(),
            sentence,
            code: problem.code.as_str(),
            reference: problem.reference.clone(),
        }
    }

    /// True when the form came back.
    #[must_use]
    pub fn any(&self) -> bool {
        !self.sentence.is_empty()
    }

    /// The sentence, when this field is at fault.
    #[must_use]
    pub fn at(&self, field: &str) -> Option<&str> {
        (self.any() && self.field == field).then_some(self.sentence.as_str())
    }

    /// The field at fault.
    #[must_use]
    pub fn field(&self) -> &str {
        &self.field
    }

    /// What to do.
    #[must_use]
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// The problem's code, small.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// What to read out on the telephone.
    #[must_use]
    pub fn reference(&self) -> Option<&str> {
        self.reference.as_deref()
    }
}

/// Splits what went wrong: a problem that the form itself shows, with the status of the answer; or one
/// about who is asking, which goes on to the page's guard.
///
/// # Errors
/// A refusal of the device, the session or the role.
pub fn shown(error: AppError) -> Result<(StatusCode, Problem), AppError> {
    let problem = error.into_problem();
    match problem.code {
        Code::SessionInvalid
        | Code::PasswordChangeRequired
        | Code::CertificateMissing
        | Code::CertificateForeign
        | Code::CertificateExpired
        | Code::CertificateNotYetValid
        | Code::CertificateRevoked
        | Code::CertificateReplaced
        | Code::FacilitySuspended
        | Code::RoleInsufficient
        | Code::NotFound => Err(problem.into()),
        _ => {
            let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            Ok((status, problem))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::MunicipalityPolicy;

    #[test]
    fn trouble_stands_at_its_field() {
        let words = MunicipalityPolicy::default().words;
        let named = Trouble::of(&Problem::new(Code::FieldInvalid).field("consent.obtained_on"), &words, "x");
        assert!(named.at("obtained_on").is_some_and(|s| s.contains("同意")));
        assert_eq!(named.at("name"), None);
        let blamed = Trouble::of(&Problem::new(Code::AlreadyTaken), &words, "login_id");
        assert_eq!(blamed.at("login_id"), Some(Code::AlreadyTaken.sentence()));
        assert!(!Trouble::none().any());
        assert_eq!(Trouble::none().at(""), None);
    }

    #[test]
    fn who_is_asking_is_not_the_forms_matter() {
        assert!(shown(Code::SessionInvalid.into()).is_err());
        assert!(shown(Code::CertificateRevoked.into()).is_err());
        let (status, problem) = shown(Code::TeamInvalid.into()).unwrap();
        assert_eq!((status.as_u16(), problem.code), (422, Code::TeamInvalid));
        let (status, problem) = shown(AppError::internal("x")).unwrap();
        assert!(status.is_server_error() && problem.reference.is_some());
    }
}
