import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createDealership, SQL_FOLDER, type Dealership } from "../../support/dealership.ts";

/** One dealership with a good batch in it; every test breaks something, and afterwards that batch must stand untouched. */
let dealership: Dealership;
let project: string;
let good: readonly (readonly (string | null)[])[];

const FINGERPRINT = `SELECT 'stage', COUNT(*), MAX(_batch_id), SUM(valor_pago) FROM stage.vendas
  UNION ALL SELECT 'fact', COUNT(*), 0, SUM(valor_venda) FROM analytics.fct_vendas
  UNION ALL SELECT 'batches', COUNT(*), MAX(batch_id), 0 FROM pipeline.batches ORDER BY 1`;

beforeAll(async () => {
  dealership = await createDealership({ sales: 200 });
  expect((await dealership.run()).status).toBe("success");
  good = await dealership.ask(FINGERPRINT);
  project = join(dealership.folder, "project");
});
afterAll(() => dealership[Symbol.asyncDispose]());

beforeEach(async () => {
  await rm(project, { recursive: true, force: true });
  await cp(SQL_FOLDER, project, { recursive: true, filter: (path) => !path.endsWith("/target") });
});

/** Runs a batch that must not succeed, and returns its error after checking that nothing of it was published. */
async function failure(config: Partial<Dealership["config"]> = {}) {
  const result = await dealership.run({ config: { ...dealership.config, projectDir: project, ...config } });
  expect(result.status).toBe("failed");
  expect(await dealership.ask(FINGERPRINT)).toEqual(good);
  return result.error ?? result.models.find((model) => model.error)?.error;
}

async function edit(file: string, change: (text: string) => string): Promise<void> {
  const path = join(project, file);
  const text = await readFile(path, "utf8");
  const changed = change(text);
  expect(changed, `${file} is unchanged`).not.toBe(text);
  await writeFile(path, changed);
}

const MANIFEST = "models/manifest.yml";

/** Changes the source for the time of `work`. */
async function withSource<T>(change: string, undo: string, work: () => Promise<T>): Promise<T> {
  await dealership.database.query(change);
  try {
    return await work();
  } finally {
    await dealership.database.query(undo);
  }
}

describe("a source that cannot be used", () => {
  it("unreachable: names host and port", async () => {
    const error = await failure({ sourceUrl: "postgres://loader:s3cret@127.0.0.1:1/shop" });
    expect(error).toMatchObject({ code: "SOURCE_UNREACHABLE", message: expect.stringContaining("127.0.0.1:1") });
    expect(JSON.stringify(error)).not.toContain("s3cret");
  });

  it("wrong password: names the user, never the password", async () => {
    const error = await failure({ sourceUrl: dealership.database.urlFor({ password: "wr0ng" }) });
    expect(error).toMatchObject({ code: "SOURCE_AUTH_FAILED", message: expect.stringContaining("postgres") });
    expect(JSON.stringify(error)).not.toContain("wr0ng");
  });

  it("missing database", async () => {
    const error = await failure({ sourceUrl: dealership.database.urlFor({ database: "nowhere" }) });
    expect(error).toMatchObject({ code: "SOURCE_DATABASE_MISSING", message: expect.stringContaining("nowhere") });
  });

  it("missing table", async () => {
    await edit(MANIFEST, (text) =>
      text.replace("name: estados\n", "name: estado\n").replaceAll("'estados'", "'estado'"),
    );
    await edit("models/staging/stg_estados.sql", (text) => text.replace("'estados'", "'estado'"));
    expect(await failure()).toMatchObject({ code: "SOURCE_TABLE_MISSING", message: expect.stringContaining("estado") });
  });

  it("missing column", async () => {
    await withSource(
      "ALTER TABLE veiculos RENAME tipo TO categoria",
      "ALTER TABLE veiculos RENAME categoria TO tipo",
      async () => {
        const error = await failure();
        expect(error).toMatchObject({ code: "SOURCE_COLUMN_MISSING" });
        expect(error?.message).toMatch(/veiculos.*tipo|tipo.*veiculos/s);
      },
    );
  });

  it("primary key that is none", async () => {
    await edit(MANIFEST, (text) => text.replace("primary_key: [id_vendas]", "primary_key: [id_clientes]"));
    expect(await failure()).toMatchObject({
      code: "SOURCE_KEY_MISSING",
      message: expect.stringContaining("id_clientes"),
    });
  });

  it("cursor column that does not exist in the source", async () => {
    await withSource(
      "ALTER TABLE cidades RENAME data_atualizacao TO mudou",
      "ALTER TABLE cidades RENAME mudou TO data_atualizacao",
      async () => {
        const error = await failure();
        expect(error?.message).toContain("data_atualizacao");
        expect(error?.code).toMatch(/^SOURCE_(CURSOR|COLUMN)_MISSING$/);
      },
    );
  });

  it("table that the user may not read: says which GRANT to run", async () => {
    await dealership.database.query(
      "CREATE ROLE blind LOGIN PASSWORD 'blind'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO blind; REVOKE SELECT ON vendas FROM blind",
    );
    try {
      const error = await failure({ sourceUrl: dealership.database.urlFor({ user: "blind", password: "blind" }) });
      expect(error).toMatchObject({ code: "SOURCE_PERMISSION" });
      expect(`${error?.message} ${error?.remedy}`).toMatch(/GRANT SELECT ON .*vendas.* TO .*blind/);
    } finally {
      await dealership.database.query("DROP OWNED BY blind; DROP ROLE blind");
    }
  });

  it("type that the manifest's cannot hold", async () => {
    await edit(MANIFEST, (text) => text.replace("data_type: decimal(10,2)", "data_type: boolean"));
    expect(await failure()).toMatchObject({ code: "SOURCE_TYPE_MISMATCH", message: expect.stringContaining("valor") });
  });
});

it("an extra column in the source is told, and stops nothing", async () => {
  await withSource("ALTER TABLE estados ADD COLUMN regiao text", "ALTER TABLE estados DROP COLUMN regiao", async () => {
    const before = dealership.events.length;
    expect((await dealership.run()).status).toBe("success");
    const warnings = dealership.events
      .slice(before)
      .flatMap((event) => (event.type === "log" && event.level === "warn" ? [event.message] : []));
    expect(warnings.join("\n")).toMatch(/estados.*regiao/);
  });
  good = await dealership.ask(FINGERPRINT);
});

describe("a warehouse that cannot be used", () => {
  it("a file that is no warehouse", async () => {
    const file = join(dealership.folder, "broken.duckdb");
    await writeFile(file, "this is no database, however long it may be".repeat(100));
    expect(await failure({ warehouseUrl: `duckdb:${file}` })).toMatchObject({
      code: "WAREHOUSE_UNREACHABLE",
      message: expect.stringContaining("broken.duckdb"),
    });
  });

  it("a folder that cannot be written", async () => {
    const file = join(dealership.folder, "plain-file");
    await writeFile(file, "");
    expect(await failure({ warehouseUrl: `duckdb:${file}/warehouse.duckdb` })).toMatchObject({
      code: "FOLDER_NOT_WRITABLE",
    });
    await expect(
      dealership.run({ config: { ...dealership.config, stateDir: join(file, "state") } }),
    ).rejects.toMatchObject({ code: "FOLDER_NOT_WRITABLE" });
  });
});

describe("a project that cannot be used", () => {
  it("typo in a key of the manifest: names file, line and the right key", async () => {
    await edit(MANIFEST, (text) => text.replace("primary_key: [id_estados]", "primry_key: [id_estados]"));
    const error = await failure();
    expect(error).toMatchObject({
      code: "MANIFEST_INVALID",
      message: expect.stringMatching(/manifest\.yml:\d+:\d+ unknown key "primry_key".*"primary_key"/),
    });
  });

  it("no manifest", async () => {
    await rm(join(project, MANIFEST));
    expect(await failure()).toMatchObject({ code: "MANIFEST_MISSING" });
  });

  it("cyclic models: shows the circle", async () => {
    await edit("models/staging/stg_estados.sql", (text) => `${text}\n-- {{ ref('dim_estados') }}\n`);
    const error = await failure();
    expect(error).toMatchObject({ code: "MODEL_CYCLE" });
    expect(error?.message).toMatch(/stg_estados.*dim_estados|dim_estados.*stg_estados/s);
  });

  it("ref to a missing model: names the file and the likely name", async () => {
    await edit("models/dimensions/dim_estados.sql", (text) => text.replace("stg_estados", "stg_estado"));
    const error = await failure();
    expect(error).toMatchObject({
      code: "MODEL_REF_MISSING",
      message: expect.stringMatching(/dim_estados\.sql:\d+ .*stg_estado/s),
      remedy: expect.stringContaining("stg_estados"),
    });
  });

  it("SQL error in a model: names file and line, and skips what depends on it", async () => {
    await mkdir(project, { recursive: true });
    await edit("models/dimensions/dim_estados.sql", (text) => text.replace(/sigla/, "siglum"));
    const line =
      (await readFile(join(project, "models/dimensions/dim_estados.sql"), "utf8"))
        .split("\n")
        .findIndex((text) => text.includes("siglum")) + 1;
    const result = await dealership.run({ config: { ...dealership.config, projectDir: project } });
    expect(result.status).toBe("failed");
    const error = result.models.find((model) => model.name === "dim_estados")?.error;
    expect(error).toMatchObject({
      code: "MODEL_SQL_FAILED",
      message: expect.stringMatching(new RegExp(`dim_estados\\.sql:${line}`)),
    });
    expect(result.models.find((model) => model.name === "analise_vendas_concessionaria")?.status).toBe("skipped");
    expect(result.models.find((model) => model.name === "analise_vendas_veiculo")?.status).toBe("success");
  });

  it("an unknown table or selection: lists what there is", async () => {
    const unknown = await dealership.run({ tables: ["venda"] });
    expect(unknown).toMatchObject({
      status: "failed",
      error: { code: "TABLE_UNKNOWN", message: expect.stringContaining("vendas") },
    });
    const empty = await dealership.run({ select: "no_such_model" });
    expect(empty).toMatchObject({ status: "failed", error: { code: "SELECTION_EMPTY" } });
  });
});
