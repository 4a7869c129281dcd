CREATE TABLE municipality (
    id BLOB NOT NULL PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    policy TEXT NOT NULL,
    policy_version INTEGER NOT NULL,
    authority_cert BLOB NOT NULL,
    authority_key_sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE facility (
    municipality_id BLOB NOT NULL REFERENCES municipality (id),
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    telephone TEXT NOT NULL,
    manager_name TEXT NOT NULL,
    manager_mail TEXT NOT NULL,
    state TEXT NOT NULL,
    applied_at INTEGER NOT NULL,
    decided_at INTEGER,
    decided_by BLOB,
    PRIMARY KEY (municipality_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE staff (
    municipality_id BLOB NOT NULL,
    id BLOB NOT NULL,
    facility_id BLOB NOT NULL,
    login_id TEXT NOT NULL,
    name TEXT NOT NULL,
    profession TEXT NOT NULL,
    role TEXT NOT NULL,
    mail TEXT,
    forwarding_mail TEXT,
    password_hash TEXT NOT NULL,
    must_change_password INTEGER NOT NULL,
    failed_count INTEGER NOT NULL,
    locked_until INTEGER,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (municipality_id, id),
    UNIQUE (municipality_id, login_id),
    UNIQUE (municipality_id, mail),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX staff_by_facility ON staff (municipality_id, facility_id);

CREATE TABLE enrolment_ticket (
    municipality_id BLOB NOT NULL,
    number TEXT NOT NULL,
    facility_id BLOB NOT NULL,
    password_hash TEXT NOT NULL,
    failed_count INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (municipality_id, number),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
    municipality_id BLOB NOT NULL,
    id BLOB NOT NULL,
    facility_id BLOB NOT NULL,
    name TEXT NOT NULL,
    platform TEXT NOT NULL,
    last_seen_at INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX device_by_facility ON device (municipality_id, facility_id);

CREATE TABLE certificate (
    municipality_id BLOB NOT NULL,
    serial TEXT NOT NULL UNIQUE,
    device_id BLOB NOT NULL,
    key_sha256 TEXT NOT NULL,
    not_before INTEGER NOT NULL,
    not_after INTEGER NOT NULL,
    revoked_at INTEGER,
    revoked_by BLOB,
    revoke_reason TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (municipality_id, serial),
    UNIQUE (municipality_id, key_sha256),
    FOREIGN KEY (municipality_id, device_id) REFERENCES device (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX certificate_by_device ON certificate (municipality_id, device_id);

CREATE TABLE session (
    municipality_id BLOB NOT NULL,
    token_hash BLOB NOT NULL,
    staff_id BLOB NOT NULL,
    device_id BLOB NOT NULL,
    serial TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (municipality_id, token_hash),
    FOREIGN KEY (municipality_id, staff_id) REFERENCES staff (municipality_id, id),
    FOREIGN KEY (municipality_id, device_id) REFERENCES device (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_staff ON session (municipality_id, staff_id);

CREATE TABLE push_registration (
    municipality_id BLOB NOT NULL,
    staff_id BLOB NOT NULL,
    device_id BLOB NOT NULL,
    provider TEXT NOT NULL,
    token TEXT NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (municipality_id, staff_id, device_id),
    FOREIGN KEY (municipality_id, staff_id) REFERENCES staff (municipality_id, id),
    FOREIGN KEY (municipality_id, device_id) REFERENCES device (municipality_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE patient (
    municipality_id BLOB NOT NULL REFERENCES municipality (id),
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    kana TEXT NOT NULL,
    gender TEXT NOT NULL,
    birth_date TEXT NOT NULL,
    address TEXT NOT NULL,
    telephone TEXT NOT NULL,
    care_level TEXT,
    registered_by BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (municipality_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE media (
    municipality_id BLOB NOT NULL,
    id BLOB NOT NULL,
    patient_id BLOB,
    post_id BLOB,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    length INTEGER NOT NULL,
    received INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    description TEXT NOT NULL,
    width INTEGER,
    height INTEGER,
    duration_ms INTEGER,
    content_type TEXT,
    announced_by BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, announced_by) REFERENCES staff (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX media_by_post ON media (municipality_id, post_id, position);

CREATE TABLE media_chunk (
    municipality_id BLOB NOT NULL,
    media_id BLOB NOT NULL,
    start INTEGER NOT NULL,
    length INTEGER NOT NULL,
    object TEXT NOT NULL,
    PRIMARY KEY (municipality_id, media_id, start),
    FOREIGN KEY (municipality_id, media_id) REFERENCES media (municipality_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE consent (
    municipality_id BLOB NOT NULL,
    id BLOB NOT NULL,
    patient_id BLOB NOT NULL,
    document_id BLOB NOT NULL,
    giver TEXT NOT NULL,
    giver_name TEXT,
    form TEXT NOT NULL,
    obtained_on TEXT NOT NULL,
    recorded_by BLOB NOT NULL,
    withdrawn_at INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, patient_id) REFERENCES patient (municipality_id, id),
    FOREIGN KEY (municipality_id, document_id) REFERENCES media (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX consent_by_patient ON consent (municipality_id, patient_id);

CREATE TABLE team_member (
    municipality_id BLOB NOT NULL,
    patient_id BLOB NOT NULL,
    staff_id BLOB NOT NULL,
    lead INTEGER NOT NULL,
    added_by BLOB NOT NULL,
    added_at INTEGER NOT NULL,
    removed_at INTEGER,
    PRIMARY KEY (municipality_id, patient_id, staff_id),
    FOREIGN KEY (municipality_id, patient_id) REFERENCES patient (municipality_id, id),
    FOREIGN KEY (municipality_id, staff_id) REFERENCES staff (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX team_by_staff ON team_member (municipality_id, staff_id);

CREATE TABLE post (
    municipality_id BLOB NOT NULL,
    id BLOB NOT NULL,
    patient_id BLOB NOT NULL,
    author_id BLOB NOT NULL,
    facility_id BLOB NOT NULL,
    device_id BLOB NOT NULL,
    body TEXT NOT NULL,
    urgent INTEGER NOT NULL,
    body_site TEXT,
    written_at INTEGER NOT NULL,
    received_at INTEGER NOT NULL,
    request_sha256 TEXT NOT NULL,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, patient_id) REFERENCES patient (municipality_id, id),
    FOREIGN KEY (municipality_id, author_id) REFERENCES staff (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX post_timeline ON post (municipality_id, patient_id, written_at, id);

CREATE TABLE receipt (
    municipality_id BLOB NOT NULL,
    post_id BLOB NOT NULL,
    staff_id BLOB NOT NULL,
    read_at INTEGER NOT NULL,
    acknowledged_at INTEGER,
    PRIMARY KEY (municipality_id, post_id, staff_id),
    FOREIGN KEY (municipality_id, post_id) REFERENCES post (municipality_id, id),
    FOREIGN KEY (municipality_id, staff_id) REFERENCES staff (municipality_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE notice (
    municipality_id BLOB NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    channel TEXT NOT NULL,
    target TEXT NOT NULL,
    staff_id BLOB,
    device_id BLOB,
    patient_id BLOB,
    post_id BLOB,
    sealed BLOB,
    state TEXT NOT NULL,
    tries INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    done_at INTEGER,
    PRIMARY KEY (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_due ON notice (due_at) WHERE state = 'queued';

CREATE TABLE audit (
    municipality_id BLOB NOT NULL,
    id BLOB NOT NULL,
    at INTEGER NOT NULL,
    staff_id BLOB,
    device_id BLOB,
    action TEXT NOT NULL,
    object_id TEXT,
    detail TEXT NOT NULL,
    seq INTEGER,
    hash TEXT,
    PRIMARY KEY (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX audit_chain ON audit (municipality_id, seq) WHERE seq IS NOT NULL;
CREATE INDEX audit_loose ON audit (municipality_id, id) WHERE seq IS NULL;

CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
CREATE TRIGGER audit_no_change BEFORE UPDATE ON audit
WHEN OLD.seq IS NOT NULL OR OLD.at IS NOT NEW.at OR OLD.action IS NOT NEW.action
    OR OLD.staff_id IS NOT NEW.staff_id OR OLD.device_id IS NOT NEW.device_id
    OR OLD.object_id IS NOT NEW.object_id OR OLD.detail IS NOT NEW.detail OR OLD.id IS NOT NEW.id
BEGIN
    SELECT RAISE(ABORT, 'the audit log is append-only');
END;
