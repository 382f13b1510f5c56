-- What transactions of this database are open besides this one, as far as the user may see.
-- `hidden`: backends of which nothing is shown (no pg_read_all_stats, or track_activities off), so that a transaction may be behind them.
SELECT count(*) FILTER (WHERE a.state IS NULL AND a.xact_start IS NULL OR a.state = 'disabled')::int AS hidden,
       to_char(min(least(a.xact_start, a.query_start)) FILTER (WHERE a.state IS DISTINCT FROM 'idle' OR a.xact_start IS NOT NULL)
               AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US') || '+00' AS earliest
FROM pg_catalog.pg_stat_activity a
WHERE a.datname = current_database()
  AND a.pid <> pg_backend_pid()
  AND coalesce(a.backend_type, '') NOT IN ('autovacuum worker', 'walsender')
