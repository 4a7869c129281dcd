CREATE TABLE session (
    id INTEGER PRIMARY KEY CHECK (id = 0),
    staff TEXT NOT NULL,
    token TEXT,
    expires_at INTEGER NOT NULL,
    must_change_password INTEGER NOT NULL,
    last_contact_at INTEGER NOT NULL
) STRICT;

CREATE TABLE patient (
    id BLOB PRIMARY KEY,
    position INTEGER NOT NULL,
    summary TEXT NOT NULL,
    detail TEXT
) STRICT;

CREATE TABLE post (
    id BLOB PRIMARY KEY,
    patient_id BLOB NOT NULL,
    received_at INTEGER NOT NULL,
    body TEXT NOT NULL
) STRICT;
CREATE INDEX post_timeline ON post (patient_id, received_at DESC, id DESC);

CREATE TABLE picture (
    media_id BLOB NOT NULL,
    small INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    kept_at INTEGER NOT NULL,
    PRIMARY KEY (media_id, small)
) STRICT;

CREATE TABLE receipt (
    post_id BLOB PRIMARY KEY,
    read_at INTEGER NOT NULL,
    acknowledged INTEGER,
    revision INTEGER NOT NULL
) STRICT;

CREATE TABLE item (
    id BLOB PRIMARY KEY,
    place INTEGER NOT NULL,
    patient_id BLOB NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('draft', 'waiting', 'sending', 'sent', 'failed')),
    reason TEXT,
    body TEXT NOT NULL,
    urgent INTEGER NOT NULL,
    body_site TEXT,
    written_at INTEGER NOT NULL,
    text_sent INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    next_try_at INTEGER NOT NULL,
    sent_at INTEGER
) STRICT;
CREATE INDEX item_place ON item (place);

CREATE TABLE item_media (
    id BLOB PRIMARY KEY,
    item_id BLOB NOT NULL REFERENCES item (id) ON DELETE CASCADE,
    position INTEGER NOT NULL,
    kind TEXT NOT NULL,
    length INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    description TEXT NOT NULL,
    uploaded INTEGER NOT NULL,
    done INTEGER NOT NULL
) STRICT;
CREATE INDEX item_media_item ON item_media (item_id, position);

CREATE TABLE item_chunk (
    media_id BLOB NOT NULL REFERENCES item_media (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (media_id, number)
) STRICT;
