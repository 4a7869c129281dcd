-- What was asked for under an id of the caller's: asked twice, it is the same.
ALTER TABLE enrolment_ticket ADD COLUMN request_id BLOB;
CREATE UNIQUE INDEX enrolment_ticket_by_request ON enrolment_ticket (municipality_id, request_id)
    WHERE request_id IS NOT NULL;
ALTER TABLE staff ADD COLUMN first_password_id BLOB;

-- The letter that holds the link: while it waits, the link lies in it.
ALTER TABLE facility_link ADD COLUMN notice_id BLOB;
