ALTER TABLE notice ADD COLUMN object_id BLOB;
ALTER TABLE notice ADD COLUMN handled_at INTEGER;
ALTER TABLE notice ADD COLUMN handled_by BLOB;
CREATE INDEX notice_dead ON notice (municipality_id, done_at) WHERE state = 'dead' AND handled_at IS NULL;

CREATE TABLE reminder (
    municipality_id BLOB NOT NULL REFERENCES municipality (id),
    about TEXT NOT NULL,
    subject_id BLOB NOT NULL,
    mark TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    PRIMARY KEY (municipality_id, about, subject_id, mark)
) STRICT, WITHOUT ROWID;

CREATE TABLE inbox_line (
    municipality_id BLOB NOT NULL,
    id BLOB NOT NULL,
    facility_id BLOB NOT NULL,
    staff_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    patient_id BLOB,
    post_id BLOB,
    object_id BLOB,
    created_at INTEGER NOT NULL,
    claimed_by BLOB,
    claimed_at INTEGER,
    done_at INTEGER,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id),
    FOREIGN KEY (municipality_id, staff_id) REFERENCES staff (municipality_id, id),
    FOREIGN KEY (municipality_id, claimed_by) REFERENCES staff (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX inbox_by_facility ON inbox_line (municipality_id, facility_id, created_at);
CREATE INDEX inbox_unclaimed ON inbox_line (municipality_id, facility_id, created_at)
    WHERE claimed_by IS NULL AND done_at IS NULL;

CREATE TABLE training (
    municipality_id BLOB NOT NULL,
    id BLOB NOT NULL,
    staff_id BLOB NOT NULL,
    material_version TEXT NOT NULL,
    completed_at INTEGER NOT NULL,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, staff_id) REFERENCES staff (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX training_by_staff ON training (municipality_id, staff_id, completed_at);

CREATE TABLE access_review (
    municipality_id BLOB NOT NULL,
    id BLOB NOT NULL,
    facility_id BLOB NOT NULL,
    signed_by BLOB NOT NULL,
    signed_at INTEGER NOT NULL,
    request_sha256 TEXT NOT NULL,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id),
    FOREIGN KEY (municipality_id, signed_by) REFERENCES staff (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX access_review_by_facility ON access_review (municipality_id, facility_id, signed_at);

CREATE TABLE access_review_line (
    municipality_id BLOB NOT NULL,
    review_id BLOB NOT NULL,
    subject_id BLOB NOT NULL,
    subject TEXT NOT NULL,
    seen TEXT NOT NULL,
    verdict TEXT NOT NULL,
    PRIMARY KEY (municipality_id, review_id, subject_id),
    FOREIGN KEY (municipality_id, review_id) REFERENCES access_review (municipality_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident (
    municipality_id BLOB NOT NULL,
    id BLOB NOT NULL,
    facility_id BLOB NOT NULL,
    reporter_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    noticed_at INTEGER NOT NULL,
    device_id BLOB,
    state TEXT NOT NULL,
    duty TEXT NOT NULL,
    prompt_reported_at INTEGER,
    final_reported_at INTEGER,
    reported_at INTEGER NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id),
    FOREIGN KEY (municipality_id, reporter_id) REFERENCES staff (municipality_id, id),
    FOREIGN KEY (municipality_id, device_id) REFERENCES device (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_by_facility ON incident (municipality_id, facility_id, reported_at);

CREATE TABLE incident_entry (
    municipality_id BLOB NOT NULL,
    id BLOB NOT NULL,
    incident_id BLOB NOT NULL,
    step TEXT NOT NULL,
    text TEXT NOT NULL,
    duty TEXT,
    author_id BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, incident_id) REFERENCES incident (municipality_id, id),
    FOREIGN KEY (municipality_id, author_id) REFERENCES staff (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_timeline ON incident_entry (municipality_id, incident_id, at, id);

CREATE TRIGGER incident_entry_no_delete BEFORE DELETE ON incident_entry
BEGIN
    SELECT RAISE(ABORT, 'an incident''s timeline is append-only');
END;
CREATE TRIGGER incident_entry_no_change BEFORE UPDATE ON incident_entry
BEGIN
    SELECT RAISE(ABORT, 'an incident''s timeline is append-only');
END;
