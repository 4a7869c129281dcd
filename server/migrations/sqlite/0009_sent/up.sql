-- What was sent under an id of the caller's, as a hash: the same sent again is the same, another thing is refused.
CREATE TABLE sent (
    municipality_id BLOB NOT NULL REFERENCES municipality (id),
    kind TEXT NOT NULL,
    id BLOB NOT NULL,
    sha256 TEXT NOT NULL,
    sent_at INTEGER NOT NULL,
    PRIMARY KEY (municipality_id, kind, id)
) STRICT, WITHOUT ROWID;
