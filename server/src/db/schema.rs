//! Tables as diesel sees them, one text for both databases; a test compares them with what the
//! migrations made. Instants are UTC milliseconds.

#![allow(missing_docs, reason = "columns are named for what they hold")]

use crate::db::sql::Uid;
use diesel::sql_types::{BigInt, Binary, Bool, Integer, Nullable, Text};

diesel::table! {
    use super::*;
    municipality (id) {
        id -> Uid,
        slug -> Text,
        name -> Text,
        policy -> Text,
        policy_version -> Integer,
        authority_cert -> Binary,
        authority_key_sealed -> Binary,
        created_at -> BigInt,
    }
}

diesel::table! {
    use super::*;
    facility (municipality_id, id) {
        municipality_id -> Uid,
        id -> Uid,
        name -> Text,
        kind -> Text,
        address -> Text,
        telephone -> Text,
        manager_name -> Text,
        manager_mail -> Text,
        state -> Text,
        applied_at -> BigInt,
        decided_at -> Nullable<BigInt>,
        decided_by -> Nullable<Uid>,
        outside -> Bool,
        channel -> Text,
        received_on -> Nullable<Text>,
        received_by -> Nullable<Uid>,
        scan_id -> Nullable<Uid>,
        corrected_at -> Nullable<BigInt>,
        reason -> Nullable<Text>,
        opening -> Text,
        listed -> Bool,
        latitude_e6 -> Nullable<Integer>,
        longitude_e6 -> Nullable<Integer>,
    }
}

diesel::table! {
    use super::*;
    facility_past (municipality_id, id) {
        municipality_id -> Uid,
        id -> Uid,
        facility_id -> Uid,
        name -> Text,
        kind -> Text,
        address -> Text,
        telephone -> Text,
        opening -> Text,
        manager_name -> Text,
        manager_mail -> Text,
        until_at -> BigInt,
        replaced_by -> Nullable<Uid>,
    }
}

diesel::table! {
    use super::*;
    facility_change (municipality_id, id) {
        municipality_id -> Uid,
        id -> Uid,
        facility_id -> Uid,
        name -> Text,
        kind -> Text,
        address -> Text,
        closing -> Nullable<Text>,
        state -> Text,
        asked_by -> Uid,
        asked_at -> BigInt,
        decided_by -> Nullable<Uid>,
        decided_at -> Nullable<BigInt>,
        reason -> Nullable<Text>,
    }
}

diesel::table! {
    use super::*;
    facility_link (municipality_id, token_hash) {
        municipality_id -> Uid,
        token_hash -> Binary,
        facility_id -> Uid,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
        created_at -> BigInt,
        notice_id -> Nullable<Uid>,
    }
}

diesel::table! {
    use super::*;
    ticket_letter (municipality_id, notice_id) {
        municipality_id -> Uid,
        notice_id -> Uid,
        facility_id -> Uid,
        number -> Text,
        replaced_at -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    use super::*;
    no_mail_report (municipality_id, id) {
        municipality_id -> Uid,
        id -> Uid,
        facility_id -> Uid,
        reported_at -> BigInt,
        settled_at -> Nullable<BigInt>,
        settled_by -> Nullable<Uid>,
    }
}

diesel::table! {
    use super::*;
    stray_mail_report (municipality_id, id) {
        municipality_id -> Uid,
        id -> Uid,
        name -> Text,
        mail -> Text,
        day -> Text,
        reported_at -> BigInt,
        settled_at -> Nullable<BigInt>,
        settled_by -> Nullable<Uid>,
    }
}

diesel::table! {
    use super::*;
    staff (municipality_id, id) {
        municipality_id -> Uid,
        id -> Uid,
        facility_id -> Uid,
        login_id -> Text,
        name -> Text,
        profession -> Text,
        role -> Text,
        mail_key -> Nullable<Text>,
        forwarding_mail -> Nullable<Text>,
        password_hash -> Text,
        must_change_password -> Bool,
        state -> Text,
        created_at -> BigInt,
        mail -> Nullable<Text>,
        mail_kind -> Text,
        may_export -> Bool,
        left_on -> Nullable<Text>,
        first_password_id -> Nullable<Uid>,
    }
}

diesel::table! {
    use super::*;
    enrolment_ticket (municipality_id, number) {
        municipality_id -> Uid,
        number -> Text,
        facility_id -> Uid,
        password_hash -> Text,
        failed_count -> Integer,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
        created_at -> BigInt,
        issued_by -> Nullable<Uid>,
        replaces_id -> Nullable<Uid>,
        request_id -> Nullable<Uid>,
        issued_on -> Nullable<Uid>,
    }
}

diesel::table! {
    use super::*;
    device (municipality_id, id) {
        municipality_id -> Uid,
        id -> Uid,
        facility_id -> Uid,
        name -> Text,
        platform -> Text,
        last_seen_at -> Nullable<BigInt>,
        created_at -> BigInt,
        enrolled_by -> Nullable<Uid>,
        replaces_id -> Nullable<Uid>,
        first_sign_in_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    use super::*;
    certificate (municipality_id, serial) {
        municipality_id -> Uid,
        serial -> Text,
        device_id -> Uid,
        key_sha256 -> Text,
        not_before -> BigInt,
        not_after -> BigInt,
        revoked_at -> Nullable<BigInt>,
        revoked_by -> Nullable<Uid>,
        revoke_reason -> Nullable<Text>,
        created_at -> BigInt,
        authority -> Nullable<Text>,
        der -> Nullable<Binary>,
        renews -> Nullable<Text>,
        first_used_at -> Nullable<BigInt>,
        revoke_kind -> Nullable<Text>,
    }
}

diesel::table! {
    use super::*;
    old_authority (municipality_id, id) {
        municipality_id -> Uid,
        id -> Text,
        cert -> Binary,
        key_sealed -> Nullable<Binary>,
        replaced_at -> BigInt,
        retired_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    use super::*;
    revocation_list (municipality_id, authority) {
        municipality_id -> Uid,
        authority -> Text,
        number -> BigInt,
        revoked -> BigInt,
        this_update -> BigInt,
        next_update -> BigInt,
        der -> Binary,
    }
}

diesel::table! {
    use super::*;
    expiry_notice (municipality_id, serial, days) {
        municipality_id -> Uid,
        serial -> Text,
        days -> Integer,
        at -> BigInt,
    }
}

diesel::table! {
    use super::*;
    session (municipality_id, token_hash) {
        municipality_id -> Uid,
        token_hash -> Binary,
        id -> Uid,
        staff_id -> Uid,
        device_id -> Uid,
        serial -> Text,
        created_at -> BigInt,
        last_seen_at -> BigInt,
        expires_at -> BigInt,
        resting_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    use super::*;
    sign_in_tally (municipality_id, login_sha256, device_id) {
        municipality_id -> Uid,
        login_sha256 -> Binary,
        device_id -> Uid,
        failed -> Integer,
        failed_at -> BigInt,
        locked_until -> Nullable<BigInt>,
        known_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    use super::*;
    staff_suspension (municipality_id, id) {
        municipality_id -> Uid,
        id -> Uid,
        staff_id -> Uid,
        reason -> Text,
        suspended_at -> BigInt,
        suspended_by -> Uid,
        resumed_at -> Nullable<BigInt>,
        resumed_by -> Nullable<Uid>,
    }
}

diesel::table! {
    use super::*;
    push_registration (municipality_id, staff_id, device_id) {
        municipality_id -> Uid,
        staff_id -> Uid,
        device_id -> Uid,
        provider -> Text,
        token -> Text,
        updated_at -> BigInt,
    }
}

diesel::table! {
    use super::*;
    patient (municipality_id, id) {
        municipality_id -> Uid,
        id -> Uid,
        name -> Text,
        kana -> Text,
        gender -> Text,
        birth_date -> Text,
        address -> Text,
        telephone -> Text,
        care_level -> Nullable<Text>,
        registered_by -> Uid,
        created_at -> BigInt,
    }
}

diesel::table! {
    use super::*;
    media (municipality_id, id) {
        municipality_id -> Uid,
        id -> Uid,
        patient_id -> Nullable<Uid>,
        post_id -> Nullable<Uid>,
        position -> Integer,
        kind -> Text,
        state -> Text,
        length -> BigInt,
        received -> BigInt,
        sha256 -> Text,
        description -> Text,
        width -> Nullable<Integer>,
        height -> Nullable<Integer>,
        duration_ms -> Nullable<BigInt>,
        content_type -> Nullable<Text>,
        announced_by -> Uid,
        created_at -> BigInt,
        changed_at -> BigInt,
    }
}

diesel::table! {
    use super::*;
    media_chunk (municipality_id, media_id, start) {
        municipality_id -> Uid,
        media_id -> Uid,
        start -> BigInt,
        length -> BigInt,
        object -> Text,
    }
}

diesel::table! {
    use super::*;
    consent (municipality_id, id) {
        municipality_id -> Uid,
        id -> Uid,
        patient_id -> Uid,
        document_id -> Uid,
        giver -> Text,
        giver_name -> Nullable<Text>,
        form -> Text,
        obtained_on -> Text,
        recorded_by -> Uid,
        withdrawn_at -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    use super::*;
    team_member (municipality_id, patient_id, staff_id) {
        municipality_id -> Uid,
        patient_id -> Uid,
        staff_id -> Uid,
        lead -> Bool,
        added_by -> Uid,
        added_at -> BigInt,
        removed_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    use super::*;
    post (municipality_id, id) {
        municipality_id -> Uid,
        id -> Uid,
        patient_id -> Uid,
        author_id -> Uid,
        facility_id -> Uid,
        device_id -> Uid,
        body -> Text,
        urgent -> Bool,
        body_site -> Nullable<Text>,
        written_at -> BigInt,
        received_at -> BigInt,
        request_sha256 -> Text,
    }
}

diesel::table! {
    use super::*;
    receipt (municipality_id, post_id, staff_id) {
        municipality_id -> Uid,
        post_id -> Uid,
        staff_id -> Uid,
        read_at -> BigInt,
        acknowledged_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    use super::*;
    notice (municipality_id, id) {
        municipality_id -> Uid,
        id -> Uid,
        kind -> Text,
        channel -> Text,
        target -> Text,
        staff_id -> Nullable<Uid>,
        device_id -> Nullable<Uid>,
        patient_id -> Nullable<Uid>,
        post_id -> Nullable<Uid>,
        sealed -> Nullable<Binary>,
        state -> Text,
        tries -> Integer,
        due_at -> BigInt,
        last_error -> Nullable<Text>,
        created_at -> BigInt,
        done_at -> Nullable<BigInt>,
        object_id -> Nullable<Uid>,
        handled_at -> Nullable<BigInt>,
        handled_by -> Nullable<Uid>,
    }
}

diesel::table! {
    use super::*;
    reminder (municipality_id, about, subject_id, mark) {
        municipality_id -> Uid,
        about -> Text,
        subject_id -> Uid,
        mark -> Text,
        sent_at -> BigInt,
    }
}

diesel::table! {
    use super::*;
    inbox_line (municipality_id, id) {
        municipality_id -> Uid,
        id -> Uid,
        facility_id -> Uid,
        staff_id -> Uid,
        kind -> Text,
        patient_id -> Nullable<Uid>,
        post_id -> Nullable<Uid>,
        object_id -> Nullable<Uid>,
        created_at -> BigInt,
        claimed_by -> Nullable<Uid>,
        claimed_at -> Nullable<BigInt>,
        done_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    use super::*;
    training (municipality_id, id) {
        municipality_id -> Uid,
        id -> Uid,
        staff_id -> Uid,
        material_version -> Text,
        completed_at -> BigInt,
    }
}

diesel::table! {
    use super::*;
    access_review (municipality_id, id) {
        municipality_id -> Uid,
        id -> Uid,
        facility_id -> Uid,
        signed_by -> Uid,
        signed_at -> BigInt,
        request_sha256 -> Text,
    }
}

diesel::table! {
    use super::*;
    access_review_line (municipality_id, review_id, subject_id) {
        municipality_id -> Uid,
        review_id -> Uid,
        subject_id -> Uid,
        subject -> Text,
        seen -> Text,
        verdict -> Text,
    }
}

diesel::table! {
    use super::*;
    incident (municipality_id, id) {
        municipality_id -> Uid,
        id -> Uid,
        facility_id -> Uid,
        reporter_id -> Uid,
        kind -> Text,
        noticed_at -> BigInt,
        device_id -> Nullable<Uid>,
        state -> Text,
        duty -> Text,
        prompt_reported_at -> Nullable<BigInt>,
        final_reported_at -> Nullable<BigInt>,
        reported_at -> BigInt,
        changed_at -> BigInt,
    }
}

diesel::table! {
    use super::*;
    incident_entry (municipality_id, id) {
        municipality_id -> Uid,
        id -> Uid,
        incident_id -> Uid,
        step -> Text,
        text -> Text,
        duty -> Nullable<Text>,
        author_id -> Uid,
        at -> BigInt,
    }
}

diesel::table! {
    use super::*;
    audit (municipality_id, id) {
        municipality_id -> Uid,
        id -> Uid,
        at -> BigInt,
        staff_id -> Nullable<Uid>,
        device_id -> Nullable<Uid>,
        action -> Text,
        object_id -> Nullable<Text>,
        detail -> Text,
        seq -> Nullable<BigInt>,
        hash -> Nullable<Text>,
    }
}

diesel::table! {
    use super::*;
    policy_history (municipality_id, version) {
        municipality_id -> Uid,
        version -> Integer,
        policy -> Text,
        changed_by -> Nullable<Uid>,
        changed_at -> BigInt,
    }
}

diesel::table! {
    use super::*;
    portal_text (municipality_id, name, version) {
        municipality_id -> Uid,
        name -> Text,
        version -> Integer,
        title -> Text,
        body -> Text,
        publish_from -> Nullable<Text>,
        publish_until -> Nullable<Text>,
        withdrawn -> Bool,
        changed_by -> Uid,
        changed_at -> BigInt,
    }
}

diesel::table! {
    use super::*;
    sent (municipality_id, kind, id) {
        municipality_id -> Uid,
        kind -> Text,
        id -> Uid,
        sha256 -> Text,
        sent_at -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    policy_history,
    portal_text,
    municipality,
    facility,
    facility_past,
    facility_change,
    facility_link,
    ticket_letter,
    no_mail_report,
    stray_mail_report,
    staff,
    enrolment_ticket,
    device,
    certificate,
    old_authority,
    revocation_list,
    expiry_notice,
    session,
    sign_in_tally,
    staff_suspension,
    push_registration,
    patient,
    media,
    media_chunk,
    consent,
    team_member,
    post,
    receipt,
    notice,
    audit,
    reminder,
    inbox_line,
    training,
    access_review,
    access_review_line,
    incident,
    incident_entry
);
