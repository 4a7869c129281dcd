-- Files of any town that wait for bytes, the longest first.
CREATE INDEX media_by_state ON media (state, changed_at);
