-- The device on which a certificate No was shown: lost, it takes the No with it.
ALTER TABLE enrolment_ticket ADD COLUMN issued_on BLOB;

-- What the yearly review asks: whether an account or a device was changed since.
CREATE INDEX audit_of_changes ON audit (municipality_id, object_id, at)
    WHERE action IN ('staff.change', 'staff.own_mail', 'device.rename');

-- A mail that did not come, reported with a name or address that is no facility's: somebody mistyped. One for an
-- address and day.
CREATE TABLE stray_mail_report (
    municipality_id BLOB NOT NULL REFERENCES municipality (id),
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    mail TEXT NOT NULL,
    day TEXT NOT NULL,
    reported_at INTEGER NOT NULL,
    settled_at INTEGER,
    settled_by BLOB,
    PRIMARY KEY (municipality_id, id),
    UNIQUE (municipality_id, day, mail)
) STRICT, WITHOUT ROWID;
CREATE INDEX stray_mail_report_open ON stray_mail_report (municipality_id, reported_at) WHERE settled_at IS NULL;
