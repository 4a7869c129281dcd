-- When the server said it, by this device's clock; none for what an older version of the app kept.
ALTER TABLE patient ADD COLUMN summary_at INTEGER;
ALTER TABLE patient ADD COLUMN detail_at INTEGER;
ALTER TABLE post ADD COLUMN fetched_at INTEGER;
