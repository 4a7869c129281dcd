//! The store alone: sealed, migrated, in the order of sending.

use super::*;
use crate::outbox::{ItemError, ItemState, Text};
use renraku_wire::{Code, MediaId, NewReceipt, PatientId, PostId, Timestamp};
use tempfile::TempDir;

fn fresh() -> (TempDir, StoreKey, Store) {
    let folder = tempfile::tempdir().unwrap();
    let key = new_key();
    let store = Store::open(&folder.path().join("one.db"), &key).unwrap();
    (folder, key, store)
}

fn text(body: &str) -> Text {
    Text { body: body.to_owned(), urgent: false, body_site: None }
}

#[tokio::test]
async fn another_key_opens_nothing() {
    let (folder, key, store) = fresh();
    drop(store);
    let path = folder.path().join("one.db");
    assert!(matches!(Store::open(&path, &new_key()), Err(StoreError::Unreadable)));
    assert!(Store::open(&path, &key).is_ok());
}

#[tokio::test]
async fn a_truncated_file_is_told_and_a_newer_one_left_alone() {
    let (folder, key, store) = fresh();
    store.write(|tx| Ok(tx.batch_execute("PRAGMA user_version = 99")?)).await.unwrap();
    drop(store);
    let path = folder.path().join("one.db");
    assert!(matches!(Store::open(&path, &key), Err(StoreError::Newer)));
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..1000]).unwrap();
    assert!(matches!(Store::open(&path, &key), Err(StoreError::Unreadable)));
}

#[derive(QueryableByName)]
struct Column {
    #[diesel(sql_type = diesel::sql_types::Text)]
    name: String,
}

#[tokio::test]
async fn the_tables_are_as_the_code_sees_them() {
    let (_folder, _key, store) = fresh();
    let columns = |table: &'static str| {
        store.read(move |c| {
            let query = format!("SELECT name FROM pragma_table_info('{table}')");
            Ok(diesel::sql_query(query).load::<Column>(c)?.into_iter().map(|c| c.name).collect::<Vec<_>>())
        })
    };
    macro_rules! same {
        ($($table:ident),+) => {$(
            let seen = diesel::debug_query::<diesel::sqlite::Sqlite, _>(&schema::$table::table.select(schema::$table::all_columns)).to_string();
            let there = columns(stringify!($table)).await.unwrap();
            assert!(!there.is_empty());
            let listed: Vec<String> = seen
                .split("FROM").next().unwrap().trim_start_matches("SELECT").split(',')
                .filter_map(|c| c.trim().rsplit('.').next().map(|c| c.trim_matches('`').to_owned()))
                .collect();
            assert_eq!(listed, there, stringify!($table));
        )+};
    }
    same!(session, patient, post, post_media, picture, receipt, item, item_media, item_chunk);
}

#[tokio::test]
async fn what_may_be_done_to_an_item_depends_on_where_it_stands() {
    let (_folder, _key, store) = fresh();
    let (post, patient, now) = (PostId::new(), PatientId::new(), Timestamp(5));
    let run = store.write(move |tx| {
        outbox::put(tx, post, patient, &text("one"), true, [].into_iter(), now)?;
        assert_eq!(outbox::get(tx, post).unwrap().state, ItemState::Draft);
        assert!(outbox::start(tx, post)?.is_none(), "a draft does not leave by itself");
        outbox::edit(tx, post, &text("two"), now).unwrap();
        outbox::release(tx, post).unwrap();
        assert_eq!(outbox::get(tx, post).unwrap().state, ItemState::Waiting);
        assert_eq!(outbox::start(tx, post)?.unwrap().body, "two");
        assert!(matches!(outbox::edit(tx, post, &text("three"), now), Err(ItemError::TooLate)));
        assert!(matches!(outbox::cancel(tx, post), Err(ItemError::TooLate)));
        outbox::back_to_waiting(tx, post)?;
        outbox::edit(tx, post, &text("four"), now).unwrap();
        outbox::fail(tx, post, Code::FieldInvalid, Some("urgent"))?;
        let failed = ItemState::Failed { code: Code::FieldInvalid, field: Some("urgent".to_owned()) };
        assert_eq!(outbox::get(tx, post).unwrap().state, failed);
        outbox::release(tx, post).unwrap();
        outbox::fail(tx, post, Code::ConsentMissing, None)?;
        let failed = ItemState::Failed { code: Code::ConsentMissing, field: None };
        assert_eq!(outbox::get(tx, post).unwrap().state, failed);
        outbox::cancel(tx, post).unwrap();
        assert!(matches!(outbox::get(tx, post), Err(ItemError::Missing)));
        Ok(())
    });
    run.await.unwrap();
}

#[tokio::test]
async fn a_receipt_that_changed_on_the_way_is_not_forgotten() {
    let (_folder, _key, store) = fresh();
    let post = PostId::new();
    let run = store.write(move |tx| {
        receipts::put(tx, post, NewReceipt { read_at: Timestamp(10), acknowledged: None })?;
        let leaving = receipts::waiting(tx)?.remove(0);
        receipts::put(tx, post, NewReceipt { read_at: Timestamp(20), acknowledged: Some(true) })?;
        receipts::sent(tx, post, leaving.revision)?;
        let kept = receipts::waiting(tx)?.remove(0);
        assert_eq!(kept.receipt, NewReceipt { read_at: Timestamp(10), acknowledged: Some(true) });
        receipts::sent(tx, post, kept.revision)?;
        assert!(receipts::waiting(tx)?.is_empty());
        Ok(())
    });
    run.await.unwrap();
}

#[tokio::test]
async fn pictures_of_an_older_store_stay_with_their_posts() {
    let (folder, key) = (tempfile::tempdir().unwrap(), new_key());
    let path = folder.path().join("one.db");
    let (kept, orphan) = (MediaId::new(), MediaId::new());
    let before = format!(
        r#"PRAGMA key = "x'{}'"; {} {}
        INSERT INTO post VALUES (x'01', x'09', 0, '{{"media":[7,{{"id":"{kept}"}},{{"id":"x"}}]}}');
        INSERT INTO post VALUES (x'02', x'09', 0, 'no record'), (x'03', x'09', 0, '{{}}');
        INSERT INTO picture VALUES (x'{}', 1, x'00', 0), (x'{}', 1, x'00', 0);
        PRAGMA user_version = 2;"#,
        hex::encode(key.as_slice()),
        MIGRATIONS[0],
        MIGRATIONS[1],
        hex::encode(kept.0.as_bytes()),
        hex::encode(orphan.0.as_bytes())
    );
    SqliteConnection::establish(path.to_str().unwrap()).unwrap().batch_execute(&before).unwrap();
    let store = Store::open(&path, &key).unwrap();
    let run = store.write(move |tx| {
        cache::drop_pictures(tx)?;
        Ok((cache::picture(tx, kept, true)?.is_some(), cache::picture(tx, orphan, true)?.is_some()))
    });
    assert_eq!(run.await.unwrap(), (true, false));
}

#[tokio::test]
async fn the_timeline_of_an_older_store_is_in_the_order_of_writing() {
    let (folder, key) = (tempfile::tempdir().unwrap(), new_key());
    let path = folder.path().join("one.db");
    let record = |id: PostId, patient: PatientId, written: i64, received: i64| {
        format!(
            r#"{{"id":"{id}","patient_id":"{patient}","author_id":"{id}","author_name":"","author_profession":"nurse",
            "facility_id":"{id}","facility_name":"","body":"","urgent":false,"body_site":null,"written_at":{written},
            "received_at":{received},"media":[],"read":false,"acknowledged":false,"read_count":0,
            "acknowledged_count":0}}"#
        )
    };
    let (patient, ids) = (PatientId::new(), [PostId::new(), PostId::new(), PostId::new()]);
    let rows: Vec<String> = [(30, 1), (10, 2), (30, 3)]
        .into_iter()
        .zip(ids)
        .map(|((written, received), id)| {
            let bytes = |id: uuid::Uuid| hex::encode(id.as_bytes());
            let record = record(id, patient, written, received);
            format!("(x'{}', x'{}', {received}, '{record}', NULL)", bytes(id.0), bytes(patient.0))
        })
        .collect();
    let before = format!(
        r#"PRAGMA key = "x'{}'"; {} INSERT INTO post VALUES {}, (x'01', x'09', 5, 'no record', NULL);
        PRAGMA user_version = 6;"#,
        hex::encode(key.as_slice()),
        MIGRATIONS[..6].concat(),
        rows.join(", ")
    );
    SqliteConnection::establish(path.to_str().unwrap()).unwrap().batch_execute(&before).unwrap();
    let store = Store::open(&path, &key).unwrap();
    let posts = store.read(move |c| cache::posts(c, patient, 0, 10)).await.unwrap();
    let listed: Vec<PostId> = posts.iter().map(|(post, _)| post.id).collect();
    assert_eq!(listed, [ids[2], ids[0], ids[1]], "the last written first, then by id");
}
