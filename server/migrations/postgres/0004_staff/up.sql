-- The address that must be unique moves to a key of its own, so that a town may also do without.
ALTER TABLE staff RENAME COLUMN mail TO mail_key;
ALTER TABLE staff ADD COLUMN mail text;
ALTER TABLE staff ADD COLUMN mail_kind text NOT NULL DEFAULT 'none';
ALTER TABLE staff ADD COLUMN may_export boolean NOT NULL DEFAULT false;
ALTER TABLE staff ADD COLUMN left_on text;
ALTER TABLE staff DROP COLUMN failed_count;
ALTER TABLE staff DROP COLUMN locked_until;
UPDATE staff SET mail = mail_key;
UPDATE staff SET mail_kind = CASE WHEN mail IS NOT NULL THEN 'own'
    WHEN forwarding_mail IS NOT NULL THEN 'placeholder' ELSE 'none' END;

CREATE TABLE staff_suspension (
    municipality_id uuid NOT NULL,
    id uuid NOT NULL,
    staff_id uuid NOT NULL,
    reason text NOT NULL,
    suspended_at bigint NOT NULL,
    suspended_by uuid NOT NULL,
    resumed_at bigint,
    resumed_by uuid,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, staff_id) REFERENCES staff (municipality_id, id)
);
CREATE UNIQUE INDEX staff_suspension_open ON staff_suspension (municipality_id, staff_id) WHERE resumed_at IS NULL;

-- Whoever is signed in signs in again.
DROP TABLE session;
CREATE TABLE session (
    municipality_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    id uuid NOT NULL,
    staff_id uuid NOT NULL,
    device_id uuid NOT NULL,
    serial text NOT NULL,
    created_at bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    resting_at bigint,
    PRIMARY KEY (municipality_id, token_hash),
    UNIQUE (municipality_id, id),
    FOREIGN KEY (municipality_id, staff_id) REFERENCES staff (municipality_id, id),
    FOREIGN KEY (municipality_id, device_id) REFERENCES device (municipality_id, id)
);
CREATE INDEX session_by_staff ON session (municipality_id, staff_id);
CREATE INDEX session_by_device ON session (municipality_id, device_id);

-- Wrong passwords: by user id and device, by user id alone, by device alone.
CREATE TABLE sign_in_tally (
    municipality_id uuid NOT NULL,
    login_sha256 bytea NOT NULL,
    device_id uuid NOT NULL,
    failed integer NOT NULL,
    failed_at bigint NOT NULL,
    locked_until bigint,
    known_at bigint,
    PRIMARY KEY (municipality_id, login_sha256, device_id)
);
