//! The store's tables as diesel sees them. The truth is in `migrations/`; a test compares the two.
#![allow(missing_docs)]

diesel::table! {
    session (id) {
        id -> Integer,
        staff -> Text,
        token -> Nullable<Text>,
        expires_at -> BigInt,
        must_change_password -> Bool,
        last_contact_at -> BigInt,
        latest_at -> BigInt,
    }
}

diesel::table! {
    patient (id) {
        id -> Binary,
        position -> Integer,
        summary -> Text,
        detail -> Nullable<Text>,
        summary_at -> Nullable<BigInt>,
        detail_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    post (id) {
        id -> Binary,
        patient_id -> Binary,
        received_at -> BigInt,
        body -> Text,
        fetched_at -> Nullable<BigInt>,
        written_at -> BigInt,
    }
}

diesel::table! {
    post_media (media_id) {
        media_id -> Binary,
        post_id -> Binary,
    }
}

diesel::table! {
    picture (media_id, small) {
        media_id -> Binary,
        small -> Bool,
        bytes -> Binary,
        kept_at -> BigInt,
    }
}

diesel::table! {
    receipt (post_id) {
        post_id -> Binary,
        read_at -> BigInt,
        acknowledged -> Nullable<Bool>,
        revision -> BigInt,
    }
}

diesel::table! {
    item (id) {
        id -> Binary,
        place -> BigInt,
        patient_id -> Binary,
        state -> Text,
        reason -> Nullable<Text>,
        body -> Text,
        urgent -> Bool,
        body_site -> Nullable<Text>,
        written_at -> BigInt,
        text_sent -> Bool,
        tries -> Integer,
        next_try_at -> BigInt,
        sent_at -> Nullable<BigInt>,
        field -> Nullable<Text>,
    }
}

diesel::table! {
    item_media (id) {
        id -> Binary,
        item_id -> Binary,
        position -> Integer,
        kind -> Text,
        length -> BigInt,
        sha256 -> Text,
        description -> Text,
        uploaded -> BigInt,
        done -> Bool,
        source -> Nullable<Text>,
        reason -> Nullable<Text>,
        announced -> Nullable<Integer>,
    }
}

diesel::table! {
    item_chunk (media_id, number) {
        media_id -> Binary,
        number -> BigInt,
        bytes -> Binary,
    }
}

diesel::joinable!(item_media -> item (item_id));
diesel::allow_tables_to_appear_in_same_query!(item, item_media, item_chunk);
diesel::allow_tables_to_appear_in_same_query!(patient, post);
diesel::allow_tables_to_appear_in_same_query!(picture, post_media);
diesel::allow_tables_to_appear_in_same_query!(picture, item_media);
