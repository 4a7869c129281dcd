ALTER TABLE device ADD COLUMN enrolled_by BLOB;
ALTER TABLE device ADD COLUMN replaces_id BLOB;
ALTER TABLE device ADD COLUMN first_sign_in_at INTEGER;

-- The authority that signed it; none for those from before a town could have two.
ALTER TABLE certificate ADD COLUMN authority TEXT;
ALTER TABLE certificate ADD COLUMN der BLOB;
ALTER TABLE certificate ADD COLUMN renews TEXT;
ALTER TABLE certificate ADD COLUMN first_used_at INTEGER;
ALTER TABLE certificate ADD COLUMN revoke_kind TEXT;
CREATE INDEX certificate_by_revocation ON certificate (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX certificate_by_end ON certificate (not_after) WHERE revoked_at IS NULL;

ALTER TABLE enrolment_ticket ADD COLUMN issued_by BLOB;
ALTER TABLE enrolment_ticket ADD COLUMN replaces_id BLOB;

-- Authorities that a new one took the place of. Trusted until retired; then the key is gone.
CREATE TABLE old_authority (
    municipality_id BLOB NOT NULL REFERENCES municipality (id),
    id TEXT NOT NULL,
    cert BLOB NOT NULL,
    key_sealed BLOB,
    replaced_at INTEGER NOT NULL,
    retired_at INTEGER,
    PRIMARY KEY (municipality_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE revocation_list (
    municipality_id BLOB NOT NULL REFERENCES municipality (id),
    authority TEXT NOT NULL,
    number INTEGER NOT NULL,
    revoked INTEGER NOT NULL,
    this_update INTEGER NOT NULL,
    next_update INTEGER NOT NULL,
    der BLOB NOT NULL,
    PRIMARY KEY (municipality_id, authority)
) STRICT, WITHOUT ROWID;

CREATE TABLE expiry_notice (
    municipality_id BLOB NOT NULL,
    serial TEXT NOT NULL,
    days INTEGER NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (municipality_id, serial, days),
    FOREIGN KEY (municipality_id, serial) REFERENCES certificate (municipality_id, serial)
) STRICT, WITHOUT ROWID;
