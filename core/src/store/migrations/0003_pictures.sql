-- Which post a file is of: a picture goes with its post. A post lies here as the server sent it.
CREATE TABLE post_media (
    media_id BLOB PRIMARY KEY NOT NULL,
    post_id BLOB NOT NULL REFERENCES post (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX post_media_post ON post_media (post_id);

INSERT OR IGNORE INTO post_media (media_id, post_id)
SELECT unhex(file.name), file.post_id
FROM (
    SELECT post.id AS post_id,
        CASE each.type WHEN 'object' THEN replace(json_extract(each.value, '$.id'), '-', '') END AS name
    FROM post, json_each(CASE WHEN json_valid(post.body) THEN post.body ELSE '{}' END, '$.media') AS each
) AS file
WHERE length(unhex(file.name)) = 16;
