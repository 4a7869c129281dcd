-- The latest time that this device ever saw: a clock set back behind it does not lengthen the lease.
ALTER TABLE session ADD COLUMN latest_at INTEGER NOT NULL DEFAULT 0;
