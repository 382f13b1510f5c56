-- $1: qualified name of a table. Who holds or waits for a lock on it that keeps readers out.
SELECT l.pid, coalesce(left(a.query, 100), '') AS query
FROM pg_catalog.pg_locks l
LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid
WHERE l.locktype = 'relation' AND l.relation = to_regclass($1) AND l.mode = 'AccessExclusiveLock'
ORDER BY l.granted DESC, l.pid
LIMIT 1
