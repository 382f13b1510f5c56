-- What of the server, the user and the connection decides whether a load can be exact.
SELECT current_setting('server_encoding') AS encoding,
       pg_is_in_recovery() AS standby,
       current_setting('hot_standby_feedback')::boolean AS standby_feedback,
       pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS sees_activity,
       current_setting('track_activities')::boolean AS tracks_activity,
       (SELECT extract(epoch FROM clock_timestamp() - min(a.xact_start))::float8
        FROM pg_catalog.pg_stat_activity a
        WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
          AND coalesce(a.backend_type, '') NOT IN ('autovacuum worker', 'walsender')) AS oldest_transaction,
       (SELECT s.version FROM pg_catalog.pg_stat_ssl s WHERE s.pid = pg_backend_pid() AND s.ssl) AS tls
