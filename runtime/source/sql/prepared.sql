-- Prepared transactions of this database. Read after activity.sql: what is prepared in between still showed there.
SELECT count(*)::int AS prepared, pg_is_in_recovery() AS standby
FROM pg_catalog.pg_prepared_xacts
WHERE database = current_database()
