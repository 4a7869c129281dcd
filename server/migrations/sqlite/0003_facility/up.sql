ALTER TABLE facility ADD COLUMN outside INTEGER NOT NULL DEFAULT 0;
ALTER TABLE facility ADD COLUMN channel TEXT NOT NULL DEFAULT 'portal';
ALTER TABLE facility ADD COLUMN received_on TEXT;
ALTER TABLE facility ADD COLUMN received_by BLOB;
ALTER TABLE facility ADD COLUMN scan_id BLOB;
ALTER TABLE facility ADD COLUMN corrected_at INTEGER;
ALTER TABLE facility ADD COLUMN reason TEXT;
ALTER TABLE facility ADD COLUMN opening TEXT NOT NULL DEFAULT '';
ALTER TABLE facility ADD COLUMN listed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE facility ADD COLUMN latitude_e6 INTEGER;
ALTER TABLE facility ADD COLUMN longitude_e6 INTEGER;

CREATE TABLE facility_past (
    municipality_id BLOB NOT NULL,
    id BLOB NOT NULL,
    facility_id BLOB NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    telephone TEXT NOT NULL,
    opening TEXT NOT NULL,
    manager_name TEXT NOT NULL,
    manager_mail TEXT NOT NULL,
    until_at INTEGER NOT NULL,
    replaced_by BLOB,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX facility_past_of ON facility_past (municipality_id, facility_id, until_at);

CREATE TABLE facility_change (
    municipality_id BLOB NOT NULL,
    id BLOB NOT NULL,
    facility_id BLOB NOT NULL,
    name TEXT NOT NULL,
    kind TEXT NOT NULL,
    address TEXT NOT NULL,
    closing TEXT,
    state TEXT NOT NULL,
    asked_by BLOB NOT NULL,
    asked_at INTEGER NOT NULL,
    decided_by BLOB,
    decided_at INTEGER,
    reason TEXT,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX facility_change_waiting ON facility_change (municipality_id, facility_id)
    WHERE state = 'waiting';

CREATE TABLE facility_link (
    municipality_id BLOB NOT NULL,
    token_hash BLOB NOT NULL,
    facility_id BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (municipality_id, token_hash),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX facility_link_of ON facility_link (municipality_id, facility_id);

CREATE TABLE ticket_letter (
    municipality_id BLOB NOT NULL,
    notice_id BLOB NOT NULL,
    facility_id BLOB NOT NULL,
    number TEXT NOT NULL,
    replaced_at INTEGER,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (municipality_id, notice_id),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX ticket_letter_current ON ticket_letter (municipality_id, facility_id)
    WHERE replaced_at IS NULL;

CREATE TABLE no_mail_report (
    municipality_id BLOB NOT NULL,
    id BLOB NOT NULL,
    facility_id BLOB NOT NULL,
    reported_at INTEGER NOT NULL,
    settled_at INTEGER,
    settled_by BLOB,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX no_mail_report_open ON no_mail_report (municipality_id, facility_id)
    WHERE settled_at IS NULL;
