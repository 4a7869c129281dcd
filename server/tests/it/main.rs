//! The server from outside, over real TLS, on both databases: each check once as an async function, run
//! as `on_sqlite` and `on_postgres`.

#![allow(clippy::unwrap_used, missing_docs, reason = "a test that cannot go on stops")]

mod audit;
mod ceremony;
mod client;
mod conflicts;
mod devices;
mod diagnosis;
mod duties;
mod enrolment;
mod facilities;
mod facility_pages;
mod facility_people;
mod first_town;
mod following;
mod inbox;
mod incidents;
mod interop;
mod leaving;
mod mailbox;
mod managers;
mod media;
mod once;
mod operator;
mod pages;
mod passwords;
mod policy;
mod policy_rows;
mod portal;
mod returned;
mod revocation;
mod routes;
mod schema;
mod sessions;
mod sharing;
mod staff;
mod statements;
mod strained;
mod strangers;
mod town;
mod way_in;
mod words;

/// Runs each check on both databases.
#[macro_export]
macro_rules! both {
    ($($check:ident),+ $(,)?) => {$(
        mod $check {
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_sqlite() {
                $crate::statements::listen();
                super::$check($crate::town::Host::sqlite().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_postgres() {
                $crate::statements::listen();
                super::$check($crate::town::Host::postgres().await).await;
            }
        }
    )+};
}
