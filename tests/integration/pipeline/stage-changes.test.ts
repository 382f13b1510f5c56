import { cp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DuckDBInstance } from "@duckdb/node-api";
import { describe, expect, it } from "vitest";
import { createDealership, SQL_FOLDER } from "../../support/dealership.ts";

describe("when the stage tables change, the watermarks follow", () => {
  it("loads a table anew that was dropped", async () => {
    await using dealership = await createDealership({ sales: 300 });
    await dealership.run();
    const warehouse = await DuckDBInstance.create(join(dealership.folder, "warehouse.duckdb"));
    const connection = await warehouse.connect();
    await connection.run("DROP TABLE stage.vendas");
    connection.closeSync();
    warehouse.closeSync();
    expect((await dealership.run()).status).toBe("success");
    expect(await dealership.differences()).toEqual({});
  });

  it("fills a column that the manifest got later, in every row", async () => {
    await using dealership = await createDealership({ sales: 300 });
    await dealership.run();
    await dealership.database.query("ALTER TABLE vendas ADD COLUMN canal text NOT NULL DEFAULT 'loja'");
    const projectDir = join(dealership.folder, "project");
    await cp(SQL_FOLDER, projectDir, { recursive: true });
    const file = join(projectDir, "models/manifest.yml");
    await writeFile(file, `${(await readFile(file, "utf8")).trimEnd()}\n          - {name: canal, data_type: text}\n`);
    const result = await dealership.run({ config: { ...dealership.config, projectDir } });
    expect(result.tables.find((table) => table.name === "vendas")).toMatchObject({
      rows_read: 300,
      updated: 300,
      deleted: 0,
    });
    expect(result.tables.find((table) => table.name === "clientes")).toMatchObject({ updated: 0, deleted: 0 });
    expect(await dealership.ask("SELECT canal, COUNT(*) FROM stage.vendas GROUP BY 1")).toEqual([["loja", "300"]]);
  });
});
