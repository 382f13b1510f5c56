-- Which server this is, and which of its histories it is in: a restored backup and a promoted standby go on under another timeline.
SELECT s.system_identifier || '/' ||
       CASE WHEN pg_is_in_recovery() THEN (SELECT c.timeline_id FROM pg_catalog.pg_control_checkpoint() c)
            ELSE ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int END AS server
FROM pg_catalog.pg_control_system() s
