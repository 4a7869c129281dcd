CREATE TABLE municipality (
    id uuid NOT NULL PRIMARY KEY,
    slug text NOT NULL UNIQUE,
    name text NOT NULL,
    policy text NOT NULL,
    policy_version integer NOT NULL,
    authority_cert bytea NOT NULL,
    authority_key_sealed bytea NOT NULL,
    created_at bigint NOT NULL
);

CREATE TABLE facility (
    municipality_id uuid NOT NULL REFERENCES municipality (id),
    id uuid NOT NULL,
    name text NOT NULL,
    kind text NOT NULL,
    address text NOT NULL,
    telephone text NOT NULL,
    manager_name text NOT NULL,
    manager_mail text NOT NULL,
    state text NOT NULL,
    applied_at bigint NOT NULL,
    decided_at bigint,
    decided_by uuid,
    PRIMARY KEY (municipality_id, id)
);

CREATE TABLE staff (
    municipality_id uuid NOT NULL,
    id uuid NOT NULL,
    facility_id uuid NOT NULL,
    login_id text NOT NULL,
    name text NOT NULL,
    profession text NOT NULL,
    role text NOT NULL,
    mail text,
    forwarding_mail text,
    password_hash text NOT NULL,
    must_change_password boolean NOT NULL,
    failed_count integer NOT NULL,
    locked_until bigint,
    state text NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (municipality_id, id),
    UNIQUE (municipality_id, login_id),
    UNIQUE (municipality_id, mail),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id)
);
CREATE INDEX staff_by_facility ON staff (municipality_id, facility_id);

CREATE TABLE enrolment_ticket (
    municipality_id uuid NOT NULL,
    number text NOT NULL,
    facility_id uuid NOT NULL,
    password_hash text NOT NULL,
    failed_count integer NOT NULL,
    expires_at bigint NOT NULL,
    used_at bigint,
    created_at bigint NOT NULL,
    PRIMARY KEY (municipality_id, number),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id)
);

CREATE TABLE device (
    municipality_id uuid NOT NULL,
    id uuid NOT NULL,
    facility_id uuid NOT NULL,
    name text NOT NULL,
    platform text NOT NULL,
    last_seen_at bigint,
    created_at bigint NOT NULL,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, facility_id) REFERENCES facility (municipality_id, id)
);
CREATE INDEX device_by_facility ON device (municipality_id, facility_id);

CREATE TABLE certificate (
    municipality_id uuid NOT NULL,
    serial text NOT NULL UNIQUE,
    device_id uuid NOT NULL,
    key_sha256 text NOT NULL,
    not_before bigint NOT NULL,
    not_after bigint NOT NULL,
    revoked_at bigint,
    revoked_by uuid,
    revoke_reason text,
    created_at bigint NOT NULL,
    PRIMARY KEY (municipality_id, serial),
    UNIQUE (municipality_id, key_sha256),
    FOREIGN KEY (municipality_id, device_id) REFERENCES device (municipality_id, id)
);
CREATE INDEX certificate_by_device ON certificate (municipality_id, device_id);

CREATE TABLE session (
    municipality_id uuid NOT NULL,
    token_hash bytea NOT NULL,
    staff_id uuid NOT NULL,
    device_id uuid NOT NULL,
    serial text NOT NULL,
    created_at bigint NOT NULL,
    last_seen_at bigint NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (municipality_id, token_hash),
    FOREIGN KEY (municipality_id, staff_id) REFERENCES staff (municipality_id, id),
    FOREIGN KEY (municipality_id, device_id) REFERENCES device (municipality_id, id)
);
CREATE INDEX session_by_staff ON session (municipality_id, staff_id);

CREATE TABLE push_registration (
    municipality_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    device_id uuid NOT NULL,
    provider text NOT NULL,
    token text NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (municipality_id, staff_id, device_id),
    FOREIGN KEY (municipality_id, staff_id) REFERENCES staff (municipality_id, id),
    FOREIGN KEY (municipality_id, device_id) REFERENCES device (municipality_id, id)
);

CREATE TABLE patient (
    municipality_id uuid NOT NULL REFERENCES municipality (id),
    id uuid NOT NULL,
    name text NOT NULL,
    kana text NOT NULL,
    gender text NOT NULL,
    birth_date text NOT NULL,
    address text NOT NULL,
    telephone text NOT NULL,
    care_level text,
    registered_by uuid NOT NULL,
    created_at bigint NOT NULL,
    PRIMARY KEY (municipality_id, id)
);

CREATE TABLE media (
    municipality_id uuid NOT NULL,
    id uuid NOT NULL,
    patient_id uuid,
    post_id uuid,
    position integer NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    length bigint NOT NULL,
    received bigint NOT NULL,
    sha256 text NOT NULL,
    description text NOT NULL,
    width integer,
    height integer,
    duration_ms bigint,
    content_type text,
    announced_by uuid NOT NULL,
    created_at bigint NOT NULL,
    changed_at bigint NOT NULL,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, announced_by) REFERENCES staff (municipality_id, id)
);
CREATE INDEX media_by_post ON media (municipality_id, post_id, position);

CREATE TABLE media_chunk (
    municipality_id uuid NOT NULL,
    media_id uuid NOT NULL,
    start bigint NOT NULL,
    length bigint NOT NULL,
    object text NOT NULL,
    PRIMARY KEY (municipality_id, media_id, start),
    FOREIGN KEY (municipality_id, media_id) REFERENCES media (municipality_id, id)
);

CREATE TABLE consent (
    municipality_id uuid NOT NULL,
    id uuid NOT NULL,
    patient_id uuid NOT NULL,
    document_id uuid NOT NULL,
    giver text NOT NULL,
    giver_name text,
    form text NOT NULL,
    obtained_on text NOT NULL,
    recorded_by uuid NOT NULL,
    withdrawn_at bigint,
    created_at bigint NOT NULL,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, patient_id) REFERENCES patient (municipality_id, id),
    FOREIGN KEY (municipality_id, document_id) REFERENCES media (municipality_id, id)
);
CREATE INDEX consent_by_patient ON consent (municipality_id, patient_id);

CREATE TABLE team_member (
    municipality_id uuid NOT NULL,
    patient_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    lead boolean NOT NULL,
    added_by uuid NOT NULL,
    added_at bigint NOT NULL,
    removed_at bigint,
    PRIMARY KEY (municipality_id, patient_id, staff_id),
    FOREIGN KEY (municipality_id, patient_id) REFERENCES patient (municipality_id, id),
    FOREIGN KEY (municipality_id, staff_id) REFERENCES staff (municipality_id, id)
);
CREATE INDEX team_by_staff ON team_member (municipality_id, staff_id);

CREATE TABLE post (
    municipality_id uuid NOT NULL,
    id uuid NOT NULL,
    patient_id uuid NOT NULL,
    author_id uuid NOT NULL,
    facility_id uuid NOT NULL,
    device_id uuid NOT NULL,
    body text NOT NULL,
    urgent boolean NOT NULL,
    body_site text,
    written_at bigint NOT NULL,
    received_at bigint NOT NULL,
    request_sha256 text NOT NULL,
    PRIMARY KEY (municipality_id, id),
    FOREIGN KEY (municipality_id, patient_id) REFERENCES patient (municipality_id, id),
    FOREIGN KEY (municipality_id, author_id) REFERENCES staff (municipality_id, id)
);
CREATE INDEX post_timeline ON post (municipality_id, patient_id, written_at, id);

CREATE TABLE receipt (
    municipality_id uuid NOT NULL,
    post_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    read_at bigint NOT NULL,
    acknowledged_at bigint,
    PRIMARY KEY (municipality_id, post_id, staff_id),
    FOREIGN KEY (municipality_id, post_id) REFERENCES post (municipality_id, id),
    FOREIGN KEY (municipality_id, staff_id) REFERENCES staff (municipality_id, id)
);

CREATE TABLE notice (
    municipality_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    channel text NOT NULL,
    target text NOT NULL,
    staff_id uuid,
    device_id uuid,
    patient_id uuid,
    post_id uuid,
    sealed bytea,
    state text NOT NULL,
    tries integer NOT NULL,
    due_at bigint NOT NULL,
    last_error text,
    created_at bigint NOT NULL,
    done_at bigint,
    PRIMARY KEY (municipality_id, id)
);
CREATE INDEX notice_due ON notice (due_at) WHERE state = 'queued';

CREATE TABLE audit (
    municipality_id uuid NOT NULL,
    id uuid NOT NULL,
    at bigint NOT NULL,
    staff_id uuid,
    device_id uuid,
    action text NOT NULL,
    object_id text,
    detail text NOT NULL,
    seq bigint,
    hash text,
    PRIMARY KEY (municipality_id, id)
);
CREATE UNIQUE INDEX audit_chain ON audit (municipality_id, seq) WHERE seq IS NOT NULL;
CREATE INDEX audit_loose ON audit (municipality_id, id) WHERE seq IS NULL;

CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' OR OLD.seq IS NOT NULL
        OR (OLD.id, OLD.at, OLD.action, OLD.detail) IS DISTINCT FROM (NEW.id, NEW.at, NEW.action, NEW.detail)
        OR OLD.staff_id IS DISTINCT FROM NEW.staff_id OR OLD.device_id IS DISTINCT FROM NEW.device_id
        OR OLD.object_id IS DISTINCT FROM NEW.object_id
    THEN
        RAISE EXCEPTION 'the audit log is append-only';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER audit_append_only BEFORE UPDATE OR DELETE ON audit
FOR EACH ROW EXECUTE FUNCTION audit_append_only();
