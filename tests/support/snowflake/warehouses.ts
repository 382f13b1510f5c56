/** Virtual warehouses: who may use them, whether they run, and what makes them run. */
import { insufficientPrivileges, noWarehouse, quotaExceeded, suspendedWarehouse } from "./errors.ts";
import type { Privileges } from "./grants.ts";

export interface VirtualWarehouse {
  readonly name: string;
  /** As SHOW WAREHOUSES writes it: X-Small, Small, … */
  size: string;
  autoSuspend: number | null;
  autoResume: boolean;
  state: "STARTED" | "SUSPENDED";
  /** Name of a resource monitor whose quota is used up. */
  exceededMonitor?: string | undefined;
  resumes: number;
}

export function virtualWarehouse(
  options: Partial<Omit<VirtualWarehouse, "name">> & { readonly name: string },
): VirtualWarehouse {
  return { size: "X-Small", autoSuspend: 60, autoResume: true, state: "SUSPENDED", resumes: 0, ...options };
}

/**
 * Makes a warehouse run for a statement that needs one.
 *
 * @returns whether it had to be resumed
 */
export function useWarehouse(warehouse: VirtualWarehouse | undefined, grants: Privileges): boolean {
  if (!warehouse) throw noWarehouse();
  if (!grants.has("USAGE", "WAREHOUSE", warehouse.name)) throw insufficientPrivileges("warehouse", warehouse.name);
  if (warehouse.state === "STARTED") return false;
  if (!warehouse.autoResume) throw suspendedWarehouse(warehouse.name);
  if (warehouse.exceededMonitor !== undefined) throw quotaExceeded(warehouse.name, warehouse.exceededMonitor);
  warehouse.state = "STARTED";
  warehouse.resumes++;
  return true;
}
