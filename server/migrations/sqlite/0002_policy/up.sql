-- Every version of a town's policy; the one in force also stands in municipality.policy.
CREATE TABLE policy_history (
    municipality_id BLOB NOT NULL REFERENCES municipality (id),
    version INTEGER NOT NULL,
    policy TEXT NOT NULL,
    changed_by BLOB,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (municipality_id, version),
    FOREIGN KEY (municipality_id, changed_by) REFERENCES staff (municipality_id, id)
) STRICT, WITHOUT ROWID;
INSERT INTO policy_history (municipality_id, version, policy, changed_by, changed_at)
SELECT id, policy_version, policy, NULL, created_at FROM municipality;

-- Every version of every text of a town's portal.
CREATE TABLE portal_text (
    municipality_id BLOB NOT NULL REFERENCES municipality (id),
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    publish_from TEXT,
    publish_until TEXT,
    withdrawn INTEGER NOT NULL,
    changed_by BLOB NOT NULL,
    changed_at INTEGER NOT NULL,
    PRIMARY KEY (municipality_id, name, version),
    FOREIGN KEY (municipality_id, changed_by) REFERENCES staff (municipality_id, id)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER policy_history_no_change BEFORE UPDATE ON policy_history
BEGIN
    SELECT RAISE(ABORT, 'a version of the policy is never changed');
END;
CREATE TRIGGER policy_history_no_delete BEFORE DELETE ON policy_history
BEGIN
    SELECT RAISE(ABORT, 'a version of the policy is never changed');
END;
CREATE TRIGGER portal_text_no_change BEFORE UPDATE ON portal_text
BEGIN
    SELECT RAISE(ABORT, 'a version of a text is never changed');
END;
CREATE TRIGGER portal_text_no_delete BEFORE DELETE ON portal_text
BEGIN
    SELECT RAISE(ABORT, 'a version of a text is never changed');
END;
