-- The device on which a certificate No was shown: lost, it takes the No with it.
ALTER TABLE enrolment_ticket ADD COLUMN issued_on uuid;

-- What the yearly review asks: whether an account or a device was changed since.
CREATE INDEX audit_of_changes ON audit (municipality_id, object_id, at)
    WHERE action IN ('staff.change', 'staff.own_mail', 'device.rename');

-- A mail that did not come, reported with a name or address that is no facility's: somebody mistyped. One for an
-- address and day.
CREATE TABLE stray_mail_report (
    municipality_id uuid NOT NULL REFERENCES municipality (id),
    id uuid NOT NULL,
    name text NOT NULL,
    mail text NOT NULL,
    day text NOT NULL,
    reported_at bigint NOT NULL,
    settled_at bigint,
    settled_by uuid,
    PRIMARY KEY (municipality_id, id),
    UNIQUE (municipality_id, day, mail)
);
CREATE INDEX stray_mail_report_open ON stray_mail_report (municipality_id, reported_at) WHERE settled_at IS NULL;
