//! How far a mail to somebody outside is. Not here: what is in it.

use serde::{Deserialize, Serialize};

/// Where a mail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Waiting, or being tried again.
    Queued,
    /// The mail carrier took it.
    Sent,
    /// It will not arrive.
    Dead,
    /// A state of a newer server.
    #[serde(other)]
    Unknown,
}
