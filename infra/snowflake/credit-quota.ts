/** A monthly limit on the warehouse's credits. All of it takes ACCOUNTADMIN, so it is a component of its own, made with a provider of its own. */
import * as pulumi from "@pulumi/pulumi";
import * as snowflake from "@pulumi/snowflake";
import { identifier } from "../../runtime/core/sql.ts";

export interface CreditQuotaArgs {
  /** Before the monitor's name, which is the account's. */
  readonly prefix: string;
  readonly warehouse: pulumi.Input<string>;
  /** Credits a calendar month. */
  readonly monthlyCredits: number;
  /** May see how much is used; `doctor` tells it. */
  readonly role: pulumi.Input<string>;
}

export class CreditQuota extends pulumi.ComponentResource {
  readonly monitorName: pulumi.Output<string>;

  constructor(name: string, args: CreditQuotaArgs, opts?: pulumi.ComponentResourceOptions) {
    super("novadrive:snowflake:CreditQuota", name, {}, opts);
    const child = { parent: this };
    const monitor = new snowflake.ResourceMonitor(
      `${name}-quota`,
      {
        name: `${args.prefix}_QUOTA`,
        creditQuota: args.monthlyCredits,
        // No frequency: Snowflake's own is the calendar month, from now on; one of ours would need a date to start on.
        // https://docs.snowflake.com/en/user-guide/resource-monitors#resource-monitor-properties
        notifyTriggers: [75, 90],
        // What runs may end, and its batch publish or roll back; a tenth later nothing may.
        suspendTrigger: 100,
        suspendImmediateTrigger: 110,
      },
      child,
    );
    // Not an argument of the warehouse, which then would have to be made as ACCOUNTADMIN too.
    const statements = pulumi
      .all([args.warehouse, monitor.name])
      .apply(([warehouse, own]) => assignMonitor(warehouse, own));
    new snowflake.Execute(
      `${name}-quota`,
      { execute: statements.execute, revert: statements.revert },
      { ...child, deleteBeforeReplace: true },
    );
    new snowflake.GrantPrivilegesToAccountRole(
      `${name}-RUNTIME-quota`,
      {
        accountRoleName: args.role,
        privileges: ["MONITOR"],
        onAccountObject: { objectType: "RESOURCE MONITOR", objectName: monitor.name },
      },
      child,
    );
    this.monitorName = monitor.name;
    this.registerOutputs({ monitorName: this.monitorName });
  }
}

/** The statements that put a warehouse under a monitor and take that back. */
export function assignMonitor(warehouse: string, monitor: string): { execute: string; revert: string } {
  const name = identifier(warehouse);
  return {
    execute: `ALTER WAREHOUSE ${name} SET RESOURCE_MONITOR = ${identifier(monitor)}`,
    revert: `ALTER WAREHOUSE IF EXISTS ${name} UNSET RESOURCE_MONITOR`,
  };
}
