//! The files of posts on their way, on disk: what each is to be made of, then how far it is. Not here: their bytes
//! (chunks), making them (compose), and the network.

use super::chunks::unseal;
use super::schema::{item, item_media};
use super::{StoreError, StoreResult, cache, from_json, id, key, to_json};
use crate::compose::{Planned, Source, Tried};
use crate::outbox::{FileState, ItemMedia};
use diesel::prelude::*;
use renraku_wire::{Code, MediaId, MediaKind, NewMedia, PostId, Timestamp};
use std::path::PathBuf;
use zeroize::Zeroizing;

/// What the text said of a file when it left.
const LEFT_OUT: i32 = 0;
const TO_FOLLOW: i32 = 1;
const WHOLE: i32 = 2;

#[derive(Queryable, Selectable)]
#[diesel(table_name = item_media)]
pub(super) struct FileRow {
    id: Vec<u8>,
    pub(super) item_id: Vec<u8>,
    kind: String,
    length: i64,
    sha256: String,
    description: String,
    uploaded: i64,
    done: bool,
    reason: Option<String>,
    announced: Option<i32>,
}

impl FileRow {
    fn id(&self) -> StoreResult<MediaId> {
        Ok(MediaId(id(&self.id)?))
    }

    fn is_made(&self) -> bool {
        self.length > 0
    }

    fn is_planned(&self) -> bool {
        !self.is_made() && self.reason.is_none()
    }

    fn announcement(&self, whole: bool) -> StoreResult<NewMedia> {
        let length = if whole { self.length } else { 0 };
        Ok(NewMedia {
            id: self.id()?,
            kind: from_json(&self.kind)?,
            length: u64::try_from(length).map_err(|_| StoreError::Record)?,
            sha256: if whole { self.sha256.clone() } else { String::new() },
            description: self.description.clone(),
        })
    }
}

/// A file to be made.
pub(crate) struct Work {
    pub(crate) post: PostId,
    pub(crate) planned: Planned,
}

/// What is to be done about a post's files, once its text is there.
pub(crate) enum Step {
    /// Tell the server of a file that it was told would follow.
    Announce(NewMedia),
    /// Tell the server that a file will not come.
    GiveUp(MediaId),
    /// Send what it has not got of a file of this length.
    Send(MediaId, u64),
    /// Nothing before another file is made.
    Wait,
    /// Nothing more.
    Conclude,
}

/// Puts a file down that is to be made.
pub(super) fn plan(
    tx: &mut SqliteConnection,
    post: PostId,
    position: i32,
    planned: &Planned,
) -> StoreResult<()> {
    diesel::insert_into(item_media::table)
        .values((
            item_media::id.eq(key(&planned.id.0)),
            item_media::item_id.eq(key(&post.0)),
            item_media::position.eq(position),
            item_media::kind.eq(to_json(&planned.kind)?),
            item_media::length.eq(0),
            item_media::sha256.eq(""),
            item_media::description.eq(&planned.description),
            item_media::uploaded.eq(0),
            item_media::done.eq(false),
            item_media::source.eq(to_json(&planned.source)?),
        ))
        .execute(tx)?;
    Ok(())
}

/// Every file, each post's in order.
pub(super) fn all(connection: &mut SqliteConnection) -> StoreResult<Vec<FileRow>> {
    Ok(item_media::table
        .order((item_media::item_id, item_media::position))
        .select(FileRow::as_select())
        .load(connection)?)
}

/// A post's files, in order.
pub(super) fn of(connection: &mut SqliteConnection, post: PostId) -> StoreResult<Vec<FileRow>> {
    Ok(item_media::table
        .filter(item_media::item_id.eq(key(&post.0)))
        .order(item_media::position)
        .select(FileRow::as_select())
        .load(connection)?)
}

/// The next file to be made but for these, in the order of sending, and how many there are with it.
pub(crate) fn next(connection: &mut SqliteConnection, but: &[MediaId]) -> StoreResult<Option<(Work, usize)>> {
    let but: Vec<&[u8]> = but.iter().map(|id| key(&id.0)).collect();
    let planned = item_media::table
        .inner_join(item::table)
        .filter(item_media::length.eq(0))
        .filter(item_media::reason.is_null())
        .filter(item_media::id.ne_all(but))
        .order((item::place, item_media::position));
    let rows: Vec<FileRow> = planned.select(FileRow::as_select()).load(connection)?;
    let Some(row) = rows.first() else { return Ok(None) };
    let source: Option<String> =
        item_media::table.find(&row.id).select(item_media::source).first(connection)?;
    let source: Source = from_json(&Zeroizing::new(source.ok_or(StoreError::Record)?))?;
    let (id, kind) = (row.id()?, from_json(&row.kind)?);
    let planned = Planned { id, kind, description: row.description.clone(), source };
    Ok(Some((Work { post: PostId(super::id(&row.item_id)?), planned }, rows.len())))
}

/// Where a post's files still to be made lie that are no business of the core's folder.
pub(crate) fn elsewhere(connection: &mut SqliteConnection, post: PostId) -> StoreResult<Vec<PathBuf>> {
    let sources: Vec<Option<String>> = item_media::table
        .filter(item_media::item_id.eq(key(&post.0)))
        .filter(item_media::length.eq(0))
        .select(item_media::source)
        .load(connection)?;
    let sources = sources.into_iter().flatten().map(Zeroizing::new);
    let sources = sources.map(|text| from_json::<Source>(&text)).collect::<StoreResult<Vec<_>>>()?;
    Ok(sources.into_iter().filter_map(Source::into_elsewhere).collect())
}

/// The files that were not made yet: what they are made of must stay.
pub(crate) fn unmade(connection: &mut SqliteConnection) -> StoreResult<Vec<MediaId>> {
    let rows: Vec<Vec<u8>> =
        item_media::table.filter(item_media::length.eq(0)).select(item_media::id).load(connection)?;
    rows.iter().map(|row| Ok(MediaId(id(row)?))).collect()
}

/// A file that never will be made.
pub(crate) fn fail(tx: &mut SqliteConnection, media: MediaId, code: Code) -> StoreResult<()> {
    diesel::update(item_media::table.find(key(&media.0)))
        .set(item_media::reason.eq(code.as_str()))
        .execute(tx)?;
    Ok(())
}

/// Why the first of a post's files failed, if one did.
pub(super) fn failure(rows: &[FileRow]) -> StoreResult<Option<Code>> {
    rows.iter().find_map(|row| row.reason.as_deref()).map(code).transpose()
}

fn code(reason: &str) -> StoreResult<Code> {
    from_json(&to_json(&reason)?)
}

/// What a text says of its files when it leaves. Sent again it says the same, whatever was made meanwhile: to the
/// server it is the same post only then.
pub(super) fn announce(tx: &mut SqliteConnection, post: PostId) -> StoreResult<Vec<NewMedia>> {
    let mut said = Vec::new();
    for row in of(tx, post)? {
        let now = match (row.reason.is_some(), row.is_made()) {
            (true, _) => LEFT_OUT,
            (false, true) => WHOLE,
            (false, false) => TO_FOLLOW,
        };
        let announced = row.announced.unwrap_or(now);
        diesel::update(item_media::table.find(&row.id))
            .set(item_media::announced.eq(announced))
            .execute(tx)?;
        if announced != LEFT_OUT {
            said.push(row.announcement(announced == WHOLE)?);
        }
    }
    Ok(said)
}

/// What is to be done next about the files of a post whose text is there.
pub(crate) fn step(connection: &mut SqliteConnection, post: PostId) -> StoreResult<Step> {
    let rows = of(connection, post)?;
    for row in rows.iter().filter(|row| !row.done) {
        match (row.announced, row.reason.is_some(), row.is_made()) {
            (Some(TO_FOLLOW), true, _) => return Ok(Step::GiveUp(row.id()?)),
            (Some(TO_FOLLOW), false, true) => return Ok(Step::Announce(row.announcement(true)?)),
            (_, false, true) => {
                let length = u64::try_from(row.length).map_err(|_| StoreError::Record)?;
                return Ok(Step::Send(row.id()?, length));
            }
            _ => {}
        }
    }
    Ok(if rows.iter().any(FileRow::is_planned) { Step::Wait } else { Step::Conclude })
}

/// The server was told of the whole file.
pub(crate) fn announced(tx: &mut SqliteConnection, media: MediaId) -> StoreResult<()> {
    said(tx, media, WHOLE)
}

/// The server was told that the file will not come.
pub(crate) fn given_up(tx: &mut SqliteConnection, media: MediaId) -> StoreResult<()> {
    said(tx, media, LEFT_OUT)
}

fn said(tx: &mut SqliteConnection, media: MediaId, what: i32) -> StoreResult<()> {
    diesel::update(item_media::table.find(key(&media.0))).set(item_media::announced.eq(what)).execute(tx)?;
    Ok(())
}

/// Counts a try to make it, before it is made. None when it is not wanted any more; no way to take it back after the
/// last one.
pub(crate) fn begin(
    tx: &mut SqliteConnection,
    media: MediaId,
    now: Timestamp,
) -> StoreResult<Option<Option<Tried>>> {
    change(tx, key(&media.0), |source| source.begin(now))
}

/// Takes a try back that says nothing of the file.
pub(crate) fn take_back(tx: &mut SqliteConnection, media: MediaId, before: Tried) -> StoreResult<()> {
    change(tx, key(&media.0), |source| source.take_back(before)).map(drop)
}

/// Whether a file may be tried again after a try that failed; none when it is not wanted any more.
pub(crate) fn may_try_again(tx: &mut SqliteConnection, media: MediaId) -> StoreResult<Option<bool>> {
    change(tx, key(&media.0), |source| source.is_worth_another())
}

/// Changes what a file is to be made of; none when it is made, or not wanted any more.
fn change<R>(
    tx: &mut SqliteConnection,
    media: &[u8],
    how: impl FnOnce(&mut Source) -> R,
) -> StoreResult<Option<R>> {
    let row = item_media::table.find(media);
    let source: Option<Option<String>> = row.select(item_media::source).first(tx).optional()?;
    let Some(source) = source.flatten().map(Zeroizing::new) else { return Ok(None) };
    let mut source: Source = from_json(&source)?;
    let done = how(&mut source);
    diesel::update(row).set(item_media::source.eq(to_json(&source)?)).execute(tx)?;
    Ok(Some(done))
}

/// Tries again to make what failed. What the server does not expect any more stays failed: no post is called sent
/// while one of its files is not.
pub(super) fn retry(tx: &mut SqliteConnection, post: PostId) -> StoreResult<()> {
    for row in of(tx, post)?.iter().filter(|row| row.reason.is_some() && row.announced != Some(LEFT_OUT)) {
        diesel::update(item_media::table.find(&row.id))
            .set(item_media::reason.eq(None::<String>))
            .execute(tx)?;
        change(tx, &row.id, Source::anew)?;
    }
    Ok(())
}

/// The server surely heard nothing of the files yet.
pub(super) fn unannounce(tx: &mut SqliteConnection, post: PostId) -> StoreResult<()> {
    diesel::update(item_media::table.filter(item_media::item_id.eq(key(&post.0))))
        .set(item_media::announced.eq(None::<i32>))
        .execute(tx)?;
    Ok(())
}

/// The poster of a film of which the server has nothing yet.
pub(crate) fn poster(connection: &mut SqliteConnection, media: MediaId) -> StoreResult<Option<Vec<u8>>> {
    let (kind, uploaded): (String, i64) = item_media::table
        .find(key(&media.0))
        .select((item_media::kind, item_media::uploaded))
        .first(connection)?;
    if uploaded > 0 || from_json::<MediaKind>(&kind)? != MediaKind::Video {
        return Ok(None);
    }
    cache::picture(connection, media, true)
}

/// Bytes that the server has of a file. Each that it gained says that the way is good: what was in vain before is
/// forgotten.
pub(crate) fn uploaded(tx: &mut SqliteConnection, media: MediaId, offset: u64) -> StoreResult<()> {
    let offset = i64::try_from(offset).map_err(|_| StoreError::Record)?;
    let row = item_media::table.find(key(&media.0));
    let before: Option<(Vec<u8>, i64)> =
        row.select((item_media::item_id, item_media::uploaded)).first(tx).optional()?;
    let Some((owner, before)) = before else { return Ok(()) };
    diesel::update(row).set(item_media::uploaded.eq(offset)).execute(tx)?;
    if offset > before {
        diesel::update(item::table.find(owner))
            .set((item::tries.eq(0), item::next_try_at.eq(0)))
            .execute(tx)?;
    }
    Ok(())
}

/// The server keeps the file: its bytes here may go.
pub(crate) fn done(tx: &mut SqliteConnection, media: MediaId) -> StoreResult<()> {
    diesel::update(item_media::table.find(key(&media.0)))
        .set((item_media::uploaded.eq(item_media::length), item_media::done.eq(true)))
        .execute(tx)?;
    unseal(tx, media)
}

pub(super) fn to_media(row: &FileRow) -> StoreResult<ItemMedia> {
    let state = match (row.reason.as_deref(), row.is_made()) {
        (Some(reason), _) => FileState::Failed { code: code(reason)? },
        (None, true) => FileState::Made,
        (None, false) => FileState::Planned,
    };
    Ok(ItemMedia {
        id: row.id()?,
        kind: from_json(&row.kind)?,
        state,
        length: u64::try_from(row.length).map_err(|_| StoreError::Record)?,
        uploaded: u64::try_from(row.uploaded).map_err(|_| StoreError::Record)?,
        done: row.done,
        description: row.description.clone(),
    })
}
