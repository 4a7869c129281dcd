ALTER TABLE device ADD COLUMN enrolled_by uuid;
ALTER TABLE device ADD COLUMN replaces_id uuid;
ALTER TABLE device ADD COLUMN first_sign_in_at bigint;

-- The authority that signed it; none for those from before a town could have two.
ALTER TABLE certificate ADD COLUMN authority text;
ALTER TABLE certificate ADD COLUMN der bytea;
ALTER TABLE certificate ADD COLUMN renews text;
ALTER TABLE certificate ADD COLUMN first_used_at bigint;
ALTER TABLE certificate ADD COLUMN revoke_kind text;
CREATE INDEX certificate_by_revocation ON certificate (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX certificate_by_end ON certificate (not_after) WHERE revoked_at IS NULL;

ALTER TABLE enrolment_ticket ADD COLUMN issued_by uuid;
ALTER TABLE enrolment_ticket ADD COLUMN replaces_id uuid;

-- Authorities that a new one took the place of. Trusted until retired; then the key is gone.
CREATE TABLE old_authority (
    municipality_id uuid NOT NULL REFERENCES municipality (id),
    id text NOT NULL,
    cert bytea NOT NULL,
    key_sealed bytea,
    replaced_at bigint NOT NULL,
    retired_at bigint,
    PRIMARY KEY (municipality_id, id)
);

CREATE TABLE revocation_list (
    municipality_id uuid NOT NULL REFERENCES municipality (id),
    authority text NOT NULL,
    number bigint NOT NULL,
    revoked bigint NOT NULL,
    this_update bigint NOT NULL,
    next_update bigint NOT NULL,
    der bytea NOT NULL,
    PRIMARY KEY (municipality_id, authority)
);

CREATE TABLE expiry_notice (
    municipality_id uuid NOT NULL,
    serial text NOT NULL,
    days integer NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (municipality_id, serial, days),
    FOREIGN KEY (municipality_id, serial) REFERENCES certificate (municipality_id, serial)
);
