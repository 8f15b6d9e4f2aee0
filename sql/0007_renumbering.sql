-- Which id a user had before: primary keys can be changed in place. {p} is the table prefix of the site followed by account_sync_.
ALTER TABLE {p}queue
  ADD COLUMN old_user_id INT UNSIGNED NULL COMMENT 'only op U and R: the id the row had before; NULL in markers of older triggers';
