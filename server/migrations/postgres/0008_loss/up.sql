-- The device on which a certificate No was shown: lost, it takes the No with it.
ALTER TABLE enrolment_ticket ADD COLUMN issued_on uuid;

-- What the yearly review asks: whether an account or a device was changed since.
CREATE INDEX audit_of_changes ON audit (municipality_id, object_id, at)
    WHERE action IN ('staff.change', 'staff.own_mail', 'device.rename');
