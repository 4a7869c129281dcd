-- The address that must be unique moves to a key of its own, so that a town may also do without.
ALTER TABLE staff RENAME COLUMN mail TO mail_key;
ALTER TABLE staff ADD COLUMN mail TEXT;
ALTER TABLE staff ADD COLUMN mail_kind TEXT NOT NULL DEFAULT 'none';
ALTER TABLE staff ADD COLUMN may_export INTEGER NOT NULL DEFAULT 0;
ALTER TABLE staff ADD COLUMN left_on TEXT;
ALTER TABLE staff DROP COLUMN failed_count;
ALTER TABLE staff DROP COLUMN locked_until;
UPDATE staff SET mail = mail_key;
UPDATE staff SET mail_kind = CASE WHEN mail IS NOT NULL THEN 'own'
    WHEN forwarding_mail IS NOT NULL THEN 'placeholder' ELSE 'none' END;

CREATE TABLE staff_suspension (
    municipality_id BLOB NOT NULL,
    id BLOB NOT NULL,
    staff_id BLOB NOT NULL,
    reason TEXT NOT NULL,
    suspended_at INTEGER NOT NULL,
    suspended_by BLOB NOT NULL,
    resumed_at INTEGER,
    resumed_by BLOB,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, staff_id) REFERENCES staff (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX staff_suspension_open ON staff_suspension (municipality_id, staff_id) WHERE resumed_at IS NULL;

-- Whoever is signed in signs in again.
DROP TABLE session;
CREATE TABLE session (
    municipality_id BLOB NOT NULL,
    token_hash BLOB NOT NULL,
    id BLOB NOT NULL,
    staff_id BLOB NOT NULL,
    device_id BLOB NOT NULL,
    serial TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    resting_at INTEGER,
    PRIMARY KEY (municipality_id, token_hash),
    UNIQUE (municipality_id, id),
    FOREIGN KEY (municipality_id, staff_id) REFERENCES staff (municipality_id, id),
    FOREIGN KEY (municipality_id, device_id) REFERENCES device (municipality_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_staff ON session (municipality_id, staff_id);
CREATE INDEX session_by_device ON session (municipality_id, device_id);

-- Wrong passwords: by user id and device, by user id alone, by device alone.
CREATE TABLE sign_in_tally (
    municipality_id BLOB NOT NULL,
    login_sha256 BLOB NOT NULL,
    device_id BLOB NOT NULL,
    failed INTEGER NOT NULL,
    failed_at INTEGER NOT NULL,
    locked_until INTEGER,
    known_at INTEGER,
    PRIMARY KEY (municipality_id, login_sha256, device_id)
) STRICT, WITHOUT ROWID;
