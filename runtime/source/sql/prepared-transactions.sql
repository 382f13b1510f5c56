-- Prepared transactions of this database, the oldest first; no more than a message can name.
SELECT p.gid, p.owner, to_char(p.prepared AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') AS since
FROM pg_catalog.pg_prepared_xacts p
WHERE p.database = current_database()
ORDER BY p.prepared
LIMIT 5
