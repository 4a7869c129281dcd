-- What was sent under an id of the caller's, as a hash: the same sent again is the same, another thing is refused.
CREATE TABLE sent (
    municipality_id uuid NOT NULL REFERENCES municipality (id),
    kind text NOT NULL,
    id uuid NOT NULL,
    sha256 text NOT NULL,
    sent_at bigint NOT NULL,
    PRIMARY KEY (municipality_id, kind, id)
);
