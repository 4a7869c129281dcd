-- The field for which the server refused a post, where it said so.
ALTER TABLE item ADD COLUMN field TEXT;
