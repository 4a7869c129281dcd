-- Every version of a town's policy; the one in force also stands in municipality.policy.
CREATE TABLE policy_history (
    municipality_id uuid NOT NULL REFERENCES municipality (id),
    version integer NOT NULL,
    policy text NOT NULL,
    changed_by uuid,
    changed_at bigint NOT NULL,
    PRIMARY KEY (municipality_id, version),
    FOREIGN KEY (municipality_id, changed_by) REFERENCES staff (municipality_id, id)
);
INSERT INTO policy_history (municipality_id, version, policy, changed_by, changed_at)
SELECT id, policy_version, policy, NULL, created_at FROM municipality;

-- Every version of every text of a town's portal.
CREATE TABLE portal_text (
    municipality_id uuid NOT NULL REFERENCES municipality (id),
    name text NOT NULL,
    version integer NOT NULL,
    title text NOT NULL,
    body text NOT NULL,
    publish_from text,
    publish_until text,
    withdrawn boolean NOT NULL,
    changed_by uuid NOT NULL,
    changed_at bigint NOT NULL,
    PRIMARY KEY (municipality_id, name, version),
    FOREIGN KEY (municipality_id, changed_by) REFERENCES staff (municipality_id, id)
);

CREATE FUNCTION versions_stay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'a version is never changed';
END $$;
CREATE TRIGGER policy_history_stays BEFORE UPDATE OR DELETE ON policy_history
FOR EACH ROW EXECUTE FUNCTION versions_stay();
CREATE TRIGGER portal_text_stays BEFORE UPDATE OR DELETE ON portal_text
FOR EACH ROW EXECUTE FUNCTION versions_stay();
