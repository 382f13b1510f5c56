-- BEGIN TRANSACTION NAME: https://docs.snowflake.com/en/sql-reference/sql/begin
-- COMMIT: https://docs.snowflake.com/en/sql-reference/sql/commit
-- ROLLBACK: https://docs.snowflake.com/en/sql-reference/sql/rollback
-- SHOW TRANSACTIONS: https://docs.snowflake.com/en/sql-reference/sql/show-transactions
-- SYSTEM$ABORT_TRANSACTION: https://docs.snowflake.com/en/sql-reference/functions/system_abort_transaction

-- needs no warehouse
BEGIN TRANSACTION NAME NOVADRIVE_5F0C6F0E_6D0E_4F0A_9D54_0D3C2C7A1B11;

-- needs no warehouse
COMMIT;

-- needs no warehouse
ROLLBACK;

-- needs no warehouse
SHOW TRANSACTIONS;

-- needs no warehouse
SELECT SYSTEM$ABORT_TRANSACTION(1441270206213000000);
