ALTER TABLE notice ADD COLUMN object_id uuid;
ALTER TABLE notice ADD COLUMN handled_at bigint;
ALTER TABLE notice ADD COLUMN handled_by uuid;
CREATE INDEX notice_dead ON notice (municipality_id, done_at) WHERE state = 'dead' AND handled_at IS NULL;

CREATE TABLE reminder (
    municipality_id uuid NOT NULL REFERENCES municipality (id),
    about text NOT NULL,
    subject_id uuid NOT NULL,
    mark text NOT NULL,
    sent_at bigint NOT NULL,
    PRIMARY KEY (municipality_id, about, subject_id, mark)
);

CREATE TABLE inbox_line (
    municipality_id uuid NOT NULL,
    id uuid NOT NULL,
    facility_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    kind text NOT NULL,
    patient_id uuid,
    post_id uuid,
    object_id uuid,
    created_at bigint NOT NULL,
    claimed_by uuid,
    claimed_at bigint,
    done_at bigint,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id),
    FOREIGN KEY (municipality_id, staff_id) REFERENCES staff (municipality_id, id),
    FOREIGN KEY (municipality_id, claimed_by) REFERENCES staff (municipality_id, id)
);
CREATE INDEX inbox_by_facility ON inbox_line (municipality_id, facility_id, created_at);
CREATE INDEX inbox_unclaimed ON inbox_line (municipality_id, facility_id, created_at)
    WHERE claimed_by IS NULL AND done_at IS NULL;

CREATE TABLE training (
    municipality_id uuid NOT NULL,
    id uuid NOT NULL,
    staff_id uuid NOT NULL,
    material_version text NOT NULL,
    completed_at bigint NOT NULL,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, staff_id) REFERENCES staff (municipality_id, id)
);
CREATE INDEX training_by_staff ON training (municipality_id, staff_id, completed_at);

CREATE TABLE access_review (
    municipality_id uuid NOT NULL,
    id uuid NOT NULL,
    facility_id uuid NOT NULL,
    signed_by uuid NOT NULL,
    signed_at bigint NOT NULL,
    request_sha256 text NOT NULL,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id),
    FOREIGN KEY (municipality_id, signed_by) REFERENCES staff (municipality_id, id)
);
CREATE INDEX access_review_by_facility ON access_review (municipality_id, facility_id, signed_at);

CREATE TABLE access_review_line (
    municipality_id uuid NOT NULL,
    review_id uuid NOT NULL,
    subject_id uuid NOT NULL,
    subject text NOT NULL,
    seen text NOT NULL,
    verdict text NOT NULL,
    PRIMARY KEY (municipality_id, review_id, subject_id),
    FOREIGN KEY (municipality_id, review_id) REFERENCES access_review (municipality_id, id)
);

CREATE TABLE incident (
    municipality_id uuid NOT NULL,
    id uuid NOT NULL,
    facility_id uuid NOT NULL,
    reporter_id uuid NOT NULL,
    kind text NOT NULL,
    noticed_at bigint NOT NULL,
    device_id uuid,
    state text NOT NULL,
    duty text NOT NULL,
    prompt_reported_at bigint,
    final_reported_at bigint,
    reported_at bigint NOT NULL,
    changed_at bigint NOT NULL,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id),
    FOREIGN KEY (municipality_id, reporter_id) REFERENCES staff (municipality_id, id),
    FOREIGN KEY (municipality_id, device_id) REFERENCES device (municipality_id, id)
);
CREATE INDEX incident_by_facility ON incident (municipality_id, facility_id, reported_at);

CREATE TABLE incident_entry (
    municipality_id uuid NOT NULL,
    id uuid NOT NULL,
    incident_id uuid NOT NULL,
    step text NOT NULL,
    text text NOT NULL,
    duty text,
    author_id uuid NOT NULL,
    at bigint NOT NULL,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, incident_id) REFERENCES incident (municipality_id, id),
    FOREIGN KEY (municipality_id, author_id) REFERENCES staff (municipality_id, id)
);
CREATE INDEX incident_timeline ON incident_entry (municipality_id, incident_id, at, id);

CREATE FUNCTION incident_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'an incident''s timeline is append-only';
END $$;
CREATE TRIGGER incident_append_only BEFORE UPDATE OR DELETE ON incident_entry
FOR EACH ROW EXECUTE FUNCTION incident_append_only();
