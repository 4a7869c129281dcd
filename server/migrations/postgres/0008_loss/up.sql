-- The device on which a certificate No was shown: lost, it takes the No with it.
ALTER TABLE enrolment_ticket ADD COLUMN issued_on uuid;
