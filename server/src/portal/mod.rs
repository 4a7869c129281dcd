//! The portal's floor: the frame of a page, forms, words, the guard of requests, pages for refusals, and
//! the style sheet. Server-rendered, Japanese, without JavaScript.
//!
//! Not here: what any page is about. Each room keeps its own `pages` and `templates`.

pub mod assets;
pub mod code;
pub mod cookie;
pub mod forms;
mod guard;
pub mod language;
mod layout;
pub mod local;
mod task;
pub mod upload;

pub use guard::{care, public};
pub(crate) use layout::facility_name;
pub use layout::{Frame, Person, dial, html, interrupted, page};
pub use task::Task;
