//! The two databases have the same tables and columns, and transactions behave alike.

use crate::both;
use crate::town::*;
use diesel::sql_types::Text;
use renraku_server::db::prelude::*;
use renraku_server::db::{Conn, schema};
use renraku_server::error::AppError;
use renraku_server::run;
use std::collections::BTreeSet;

both!(
    a_lost_update_is_impossible,
    a_failed_write_leaves_nothing,
    a_cancelled_write_is_whole_or_nothing,
    what_is_sent_together_is_one_change,
);

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = Text)]
    name: String,
}

async fn columns(c: &mut Conn, statement: &str) -> Result<BTreeSet<String>, AppError> {
    Ok(run!(c, load::<Column>, diesel::sql_query(statement))?.into_iter().map(|c| c.name).collect())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn both_databases_have_the_same_columns() {
    let lite = Host::sqlite().await;
    let postgres = Host::postgres().await;
    let of_lite = lite
        .server
        .app
        .db
        .read(async |c| {
            columns(
                c,
                "SELECT m.name || '.' || p.name || CASE WHEN p.\"notnull\" = 1 THEN '!' ELSE '' END AS name \
                 FROM sqlite_schema m JOIN pragma_table_info(m.name) p WHERE m.type = 'table'",
            )
            .await
        })
        .await
        .unwrap();
    let of_postgres = postgres
        .server
        .app
        .db
        .read(async |c| {
            columns(
                c,
                "SELECT table_name || '.' || column_name || CASE WHEN is_nullable = 'NO' THEN '!' ELSE '' END \
                 AS name FROM information_schema.columns \
                 WHERE table_schema = current_schema() AND table_name <> 'schema_version'",
            )
            .await
        })
        .await
        .unwrap();
    assert!(of_lite.len() > 100);
    assert_eq!(of_lite, of_postgres);
}

async fn a_lost_update_is_impossible(host: Host) {
    let town = host.town("one").await;
    let db = &host.server.app.db;
    let add = async || {
        db.write(async |c| {
            use schema::municipality as m;
            let now: i32 = run!(c, get_result, m::table.find(town.id).select(m::policy_version))?;
            run!(c, execute, diesel::update(m::table.find(town.id)).set(m::policy_version.eq(now + 1)))?;
            Ok(())
        })
        .await
    };
    let results = futures_util::future::join_all((0..20).map(|_| add())).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let after: i32 = db
        .read(async |c| {
            use schema::municipality as m;
            Ok(run!(c, get_result, m::table.find(town.id).select(m::policy_version))?)
        })
        .await
        .unwrap();
    assert_eq!(after, 21);
}

async fn a_failed_write_leaves_nothing(host: Host) {
    let town = host.town("one").await;
    let db = &host.server.app.db;
    let result: Result<(), AppError> = db
        .write(async |c| {
            use schema::municipality as m;
            run!(c, execute, diesel::update(m::table.find(town.id)).set(m::name.eq("変更")))?;
            // A statement that fails and is ignored must fail the whole on both databases.
            let _ = run!(c, execute, diesel::sql_query("INSERT INTO municipality (id) VALUES (NULL)"));
            Ok(())
        })
        .await;
    assert!(result.is_err());
    let name: String = db
        .read(async |c| {
            use schema::municipality as m;
            Ok(run!(c, get_result, m::table.find(town.id).select(m::name))?)
        })
        .await
        .unwrap();
    assert_eq!(name, "試験町");
}

async fn a_cancelled_write_is_whole_or_nothing(host: Host) {
    use schema::municipality as m;
    let town = host.town("one").await;
    let db = &host.server.app.db;
    let write = db.write(async |c| {
        run!(c, execute, diesel::update(m::table.find(town.id)).set(m::name.eq("途中")))?;
        tokio::time::sleep(std::time::Duration::from_millis(400)).await;
        run!(c, execute, diesel::update(m::table.find(town.id)).set(m::name.eq("完了")))?;
        Ok(())
    });
    let cancelled = tokio::time::timeout(std::time::Duration::from_millis(100), write).await.is_err();
    // Every connection of the pool once: none may carry the cancelled transaction on.
    for _ in 0..16 {
        db.write(async |c| {
            run!(c, execute, diesel::update(m::table.find(town.id)).set(m::policy_version.eq(2)))?;
            Ok(())
        })
        .await
        .unwrap();
    }
    let name: String =
        db.read(async |c| Ok(run!(c, get_result, m::table.find(town.id).select(m::name))?)).await.unwrap();
    assert!(name == "完了" || (cancelled && name == "試験町"), "{name}");
}

async fn what_is_sent_together_is_one_change(host: Host) {
    use renraku_server::db::kept;
    use schema::municipality as m;
    let town = host.town("one").await;
    let db = &host.server.app.db;
    let name = || m::table.find(town.id).select(m::name);
    let renamed = |to: &'static str| kept(diesel::update(m::table.find(town.id)).set(m::name.eq(to)));
    let failed: Result<(), AppError> = db
        .write(async |c| {
            let nothing = diesel::sql_query("INSERT INTO municipality (id) VALUES (NULL)");
            renraku_server::run_together!(c, execute => renamed("途中"), execute => nothing)?;
            Ok(())
        })
        .await;
    assert!(failed.is_err());
    // In their order, each with its answer; a kept statement takes other values the next time.
    for to in ["一番", "二番"] {
        let (changed, seen): (usize, String) = db
            .write(async |c| {
                let before: String = run!(c, get_result, name())?;
                assert_ne!(before, "途中");
                Ok(renraku_server::run_together!(c, execute => renamed(to), get_result::<String> => name())?)
            })
            .await
            .unwrap();
        assert_eq!((changed, seen.as_str()), (1, to));
        let seen: String = db.glance(async |c| Ok(run!(c, get_result, name())?)).await.unwrap();
        assert_eq!(seen, to);
    }
}
