-- The timeline's order is the server's: by when a post was written. The record of each says it.
ALTER TABLE post ADD COLUMN written_at INTEGER NOT NULL DEFAULT 0;
UPDATE post SET written_at = CASE
    WHEN json_valid(body) AND json_type(body, '$.written_at') = 'integer' THEN json_extract(body, '$.written_at')
    ELSE received_at END;
DROP INDEX post_timeline;
CREATE INDEX post_timeline ON post (patient_id, written_at DESC, id DESC);
