ALTER TABLE facility ADD COLUMN outside boolean NOT NULL DEFAULT false;
ALTER TABLE facility ADD COLUMN channel text NOT NULL DEFAULT 'portal';
ALTER TABLE facility ADD COLUMN received_on text;
ALTER TABLE facility ADD COLUMN received_by uuid;
ALTER TABLE facility ADD COLUMN scan_id uuid;
ALTER TABLE facility ADD COLUMN corrected_at bigint;
ALTER TABLE facility ADD COLUMN reason text;
ALTER TABLE facility ADD COLUMN opening text NOT NULL DEFAULT '';
ALTER TABLE facility ADD COLUMN listed boolean NOT NULL DEFAULT false;
ALTER TABLE facility ADD COLUMN latitude_e6 integer;
ALTER TABLE facility ADD COLUMN longitude_e6 integer;

CREATE TABLE facility_past (
    municipality_id uuid NOT NULL,
    id uuid NOT NULL,
    facility_id uuid NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    address text NOT NULL,
    telephone text NOT NULL,
    opening text NOT NULL,
    manager_name text NOT NULL,
    manager_mail text NOT NULL,
    until_at bigint NOT NULL,
    replaced_by uuid,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id)
);
CREATE INDEX facility_past_of ON facility_past (municipality_id, facility_id, until_at);

CREATE TABLE facility_change (
    municipality_id uuid NOT NULL,
    id uuid NOT NULL,
    facility_id uuid NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    address text NOT NULL,
    closing text,
    state text NOT NULL,
    asked_by uuid NOT NULL,
    asked_at bigint NOT NULL,
    decided_by uuid,
    decided_at bigint,
    reason text,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id)
);
CREATE UNIQUE INDEX facility_change_waiting ON facility_change (municipality_id, facility_id)
    WHERE state = 'waiting';

CREATE TABLE facility_link (
    municipality_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    facility_id uuid NOT NULL,
    expires_at bigint NOT NULL,
    used_at bigint,
    created_at bigint NOT NULL,
    PRIMARY KEY (municipality_id, token_hash),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id)
);
CREATE INDEX facility_link_of ON facility_link (municipality_id, facility_id);

CREATE TABLE ticket_letter (
    municipality_id uuid NOT NULL,
    notice_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    number text NOT NULL,
    replaced_at bigint,
    created_at bigint NOT NULL,
    PRIMARY KEY (municipality_id, notice_id),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id)
);
CREATE UNIQUE INDEX ticket_letter_current ON ticket_letter (municipality_id, facility_id)
    WHERE replaced_at IS NULL;

CREATE TABLE no_mail_report (
    municipality_id uuid NOT NULL,
    id uuid NOT NULL,
    facility_id uuid NOT NULL,
    reported_at bigint NOT NULL,
    settled_at bigint,
    settled_by uuid,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id)
);
CREATE UNIQUE INDEX no_mail_report_open ON no_mail_report (municipality_id, facility_id)
    WHERE settled_at IS NULL;
