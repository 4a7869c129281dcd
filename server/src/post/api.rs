//! Posts as JSON.

use super::{publish, receipt, store};
use crate::access::{self, Credentials, Of, Read};
use crate::audit;
use crate::error::AppError;
use crate::input::{Body, PathId};
use crate::state::App;
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use renraku_wire::{NewPost, NewReceipt, PatientId, Post, PostId, PostPage, ReceiptList};
use serde::Deserialize;

/// Publishes a post about a patient.
#[utoipa::path(post, path = "/v1/patients/{id}/posts", tag = "post",
    params(("id" = PatientId, Path)), request_body = NewPost, responses((status = 201, body = Post)))]
pub async fn create(
    State(app): State<App>,
    credentials: Credentials,
    PathId(id): PathId<PatientId>,
    Body(body): Body<NewPost>,
) -> Result<(StatusCode, Json<Post>), AppError> {
    Ok((StatusCode::CREATED, Json(publish::publish(&app, &credentials, id, &body).await?)))
}

/// Where a page goes on.
#[derive(Deserialize, Debug)]
pub struct PageQuery {
    before: Option<String>,
}

/// A patient's timeline, newest first. Reading it is logged.
#[utoipa::path(get, path = "/v1/patients/{id}/posts", tag = "post",
    params(("id" = PatientId, Path), ("before" = Option<String>, Query)),
    responses((status = 200, body = PostPage)))]
pub async fn page(
    State(app): State<App>,
    credentials: Credentials,
    PathId(id): PathId<PatientId>,
    Query(query): Query<PageQuery>,
) -> Result<Json<PostPage>, AppError> {
    let before = query
        .before
        .map(|text| store::Cursor::parse(&text).ok_or_else(|| AppError::field("before")))
        .transpose()?;
    let (posts, next) = app
        .db
        .write(async |c| {
            let access = access::patient::<Read>(c, &credentials, Of::Patient(id.into())).await?;
            audit::record(c, access.actor(), "timeline.read", Some(access.patient_id()), "").await?;
            store::page(c, &access, before).await
        })
        .await?;
    Ok(Json(PostPage { posts, next: next.map(|n| n.text()) }))
}

/// One post. Reading it is logged; the receipt is the caller's to put.
#[utoipa::path(get, path = "/v1/posts/{id}", tag = "post",
    params(("id" = PostId, Path)), responses((status = 200, body = Post)))]
pub async fn get(
    State(app): State<App>,
    credentials: Credentials,
    PathId(id): PathId<PostId>,
) -> Result<Json<Post>, AppError> {
    let post = app
        .db
        .write(async |c| {
            let access = access::patient::<Read>(c, &credentials, Of::Post(id.into())).await?;
            audit::record(c, access.actor(), "post.read", Some(id.into()), "").await?;
            store::get(c, &access, id.into()).await
        })
        .await?;
    Ok(Json(post))
}

/// Records that the caller saw the post, and their 👍.
#[utoipa::path(put, path = "/v1/posts/{id}/receipt", tag = "post",
    params(("id" = PostId, Path)), request_body = NewReceipt, responses((status = 204)))]
pub async fn put_receipt(
    State(app): State<App>,
    credentials: Credentials,
    PathId(id): PathId<PostId>,
    Body(body): Body<NewReceipt>,
) -> Result<StatusCode, AppError> {
    acknowledge(&app, &credentials, id, body).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the API and the portal share.
///
/// # Errors
/// The access's codes.
pub async fn acknowledge(
    app: &App,
    credentials: &Credentials,
    id: PostId,
    new: NewReceipt,
) -> Result<PatientId, AppError> {
    app.db
        .write(async |c| {
            let access = access::patient::<Read>(c, credentials, Of::Post(id.into())).await?;
            receipt::put(c, &access, id.into(), new).await?;
            let action = match new.acknowledged {
                None => "receipt.read",
                Some(true) => "receipt.acknowledge",
                Some(false) => "receipt.take_back",
            };
            audit::record(c, access.actor(), action, Some(id.into()), "").await?;
            Ok(access.patient_id().into())
        })
        .await
}

/// Who has read the post, for its author and the leads.
#[utoipa::path(get, path = "/v1/posts/{id}/receipts", tag = "post",
    params(("id" = PostId, Path)), responses((status = 200, body = ReceiptList)))]
pub async fn receipts(
    State(app): State<App>,
    credentials: Credentials,
    PathId(id): PathId<PostId>,
) -> Result<Json<ReceiptList>, AppError> {
    let receipts = app
        .db
        .read(async |c| {
            let access = access::patient::<Read>(c, &credentials, Of::Post(id.into())).await?;
            receipt::list(c, &access, id.into()).await
        })
        .await?;
    Ok(Json(ReceiptList { receipts }))
}
