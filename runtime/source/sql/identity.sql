-- Which server this is, which of its histories it is in (a restored backup and a promoted standby go on under another timeline), and which
-- database: one that was made with another as its template has the OIDs, the files and the row versions of that.
SELECT s.system_identifier || '/' ||
       CASE WHEN pg_is_in_recovery() THEN (SELECT c.timeline_id FROM pg_catalog.pg_control_checkpoint() c)
            ELSE ('x' || left(pg_walfile_name(pg_current_wal_insert_lsn()), 8))::bit(32)::int END || '/' ||
       (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database()) AS server
FROM pg_catalog.pg_control_system() s
