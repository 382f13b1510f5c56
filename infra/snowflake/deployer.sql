-- The role and the user that `pulumi up` logs in with: no more than the stack's objects need. Run once an account, as
-- ACCOUNTADMIN, with the public key of the pair whose private half is in snowflake:privateKey of the stack's configuration.
-- It owns what it makes, so it needs no MANAGE GRANTS: that would be leave to grant anything in the account.
USE ROLE ACCOUNTADMIN;

CREATE ROLE IF NOT EXISTS NOVADRIVE_DEPLOYER COMMENT = 'Makes the NovaDrive stacks of this account.';
GRANT CREATE DATABASE, CREATE WAREHOUSE, CREATE ROLE, CREATE USER, CREATE NETWORK POLICY
  ON ACCOUNT TO ROLE NOVADRIVE_DEPLOYER;

-- What the stacks own stays within the administrators' reach.
GRANT ROLE NOVADRIVE_DEPLOYER TO ROLE SYSADMIN;

CREATE USER IF NOT EXISTS NOVADRIVE_DEPLOYER
  TYPE = SERVICE
  DEFAULT_ROLE = NOVADRIVE_DEPLOYER
  RSA_PUBLIC_KEY = '<rsa_key.pub, without its first and last line>';
GRANT ROLE NOVADRIVE_DEPLOYER TO USER NOVADRIVE_DEPLOYER;

-- Only for a stack with novadrive:monthlyCreditQuota. Snowflake lets nobody but ACCOUNTADMIN make resource monitors, and Pulumi logs in
-- with that role at every preview, up and destroy from then on. Without this, put a monitor on the warehouse by hand:
-- GRANT ROLE ACCOUNTADMIN TO USER NOVADRIVE_DEPLOYER;
