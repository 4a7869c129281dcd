-- A file is put down with its post before it is made: `source` tells what of, `reason` why it never will be. Its
-- length is 0 until it is made. `announced` is what the text said of it when it left: 0 nothing, 1 that it would
-- follow, 2 all.
ALTER TABLE item_media ADD COLUMN source TEXT;
ALTER TABLE item_media ADD COLUMN reason TEXT;
ALTER TABLE item_media ADD COLUMN announced INTEGER;
UPDATE item_media SET announced = 2
WHERE item_id IN (SELECT id FROM item WHERE text_sent OR state = 'sending');
