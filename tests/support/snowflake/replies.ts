/** Bodies of answers: `{ data, code, message, success }`. */
import type { SnowflakeError } from "./errors.ts";
import type { Session } from "./session.ts";
import type { Answer } from "./statements.ts";

export function answered(answer: Answer, queryId: string, session: Session): object {
  if ("error" in answer) return failure(answer.error, queryId);
  const { columns, rows, statementType, transfer } = answer.outcome;
  if (transfer) return success({ ...transfer, queryId });
  return success({
    parameters: session.parameters.list(),
    rowtype: columns,
    rowset: rows,
    total: rows.length,
    returned: rows.length,
    queryId,
    databaseProvider: null,
    finalDatabaseName: session.database,
    finalSchemaName: session.schema,
    finalWarehouseName: session.warehouse,
    finalRoleName: session.role,
    numberOfBinds: 0,
    arrayBindSupported: false,
    statementTypeId: statementType,
    version: 1,
    queryResultFormat: "json",
  });
}

export function success(data: unknown): object {
  return { data, message: null, code: null, success: true };
}

export function failure({ code, sqlState, message }: SnowflakeError, queryId?: string): object {
  const data = {
    internalError: false,
    errorCode: code,
    age: 0,
    sqlState,
    queryId,
    line: -1,
    pos: -1,
    type: "COMPILATION",
  };
  return { data, code, message, success: false };
}
