//! The log: what it holds, that it is linked, that it cannot be changed.

use crate::both;
use crate::town::*;
use renraku_server::audit::{link, verify};
use renraku_server::db::prelude::*;
use renraku_server::db::schema::audit;
use renraku_server::run;
use std::collections::HashSet;

both!(reading_and_writing_are_logged_and_linked);

async fn reading_and_writing_are_logged_and_linked(host: Host) {
    let town = host.town("one").await;
    let care = town.care_team().await;
    let path = format!("/v1/patients/{}/posts", care.patient);
    care.nurse.1.post(&path, &new_post("記録", vec![])).await.done();
    care.doctor.1.get(&path).await.done();
    care.doctor.1.get(&format!("/v1/patients/{}", care.patient)).await.done();
    let db = &host.server.app.db;
    while link(db, town.id).await.unwrap() > 0 {}
    let entries = verify(db, town.id).await.unwrap();
    let rows: Vec<(String, String, Option<i64>)> = db
        .read(async |c| {
            Ok(run!(
                c,
                load,
                audit::table.filter(audit::municipality_id.eq(town.id)).select((
                    audit::action,
                    audit::detail,
                    audit::seq
                ))
            )?)
        })
        .await
        .unwrap();
    assert_eq!(rows.len() as i64, entries);
    let actions: HashSet<_> = rows.iter().map(|r| r.0.as_str()).collect();
    for action in [
        "municipality.create",
        "facility.apply",
        "facility.approve",
        "device.enrol",
        "session.open",
        "session.password",
        "staff.add",
        "patient.register",
        "post.publish",
        "timeline.read",
        "patient.read",
        "media.keep",
    ] {
        assert!(actions.contains(action), "{action} is missing from {actions:?}");
    }
    assert!(
        rows.iter().all(|r| !r.1.contains("花子") && !r.1.contains("記録")),
        "no personal data in the log"
    );
    let (db, id) = (db.clone(), town.id);
    let change = db
        .write(async |c| {
            run!(
                c,
                execute,
                diesel::update(audit::table.filter(audit::municipality_id.eq(id))).set(audit::detail.eq("x"))
            )?;
            Ok(())
        })
        .await;
    assert!(change.is_err(), "an entry was changed");
    let delete = db
        .write(async |c| {
            run!(c, execute, diesel::delete(audit::table.filter(audit::municipality_id.eq(id))))?;
            Ok(())
        })
        .await;
    assert!(delete.is_err(), "entries were deleted");
    assert!(verify(&db, town.id).await.unwrap() >= entries);
}
