import { describe, expect, it } from "vitest";
import type { Relation } from "../../../runtime/source/catalogue.ts";
import {
  activityFinding,
  connectionFinding,
  encodingFinding,
  encryptionFinding,
  preparedFinding,
  standbyFinding,
  tableFindings,
} from "../../../runtime/source/diagnose-findings.ts";
import { manifestTable } from "../../support/manifest-table.ts";

const SERVER = {
  encoding: "UTF8",
  standby: false,
  standby_feedback: false,
  sees_activity: true,
  tracks_activity: true,
  oldest_transaction: null,
  tls: null,
  address: { host: "db.example.com", port: 5432, database: "shop", user: "loader" },
  sslmode: "",
};
const SALES = manifestTable({
  name: "sales",
  columns: { id: "integer", changed: "timestamp_ltz" },
  primaryKey: ["id"],
  sync: { mode: "incremental", cursor: "changed" },
});
const PLAIN = manifestTable({ name: "plain", columns: { id: "integer" } });

describe("the connection", () => {
  it("is fit from version 14 on", () => {
    expect(connectionFinding({ number: 140_000, text: "14.0" }, SERVER.address).status).toBe("ok");
    const old = connectionFinding({ number: 139_999, text: "13.9" }, SERVER.address);
    expect(old).toMatchObject({
      status: "failed",
      detail: expect.stringContaining("13.9 at db.example.com:5432/shop"),
    });
  });

  it.each([
    ["none over the network", {}, "warning", "Not encrypted"],
    ["none on this machine", { address: { ...SERVER.address, host: "127.0.0.1" } }, "ok", "Not encrypted"],
    ["none through a socket", { address: { ...SERVER.address, host: "/var/run" } }, "ok", "Not encrypted"],
    ["without a look at the certificate", { sslmode: "require", tls: "TLSv1.3" }, "warning", "TLS 1.3, but"],
    ["checked", { sslmode: "verify-full", tls: "TLSv1.3" }, "ok", "TLS 1.3; the server's certificate is checked"],
    // The pooler speaks to the server without encryption, and this program with it to the pooler.
    ["checked, by a pooler", { sslmode: "verify-full", tls: null }, "ok", "Encrypted; the server's"],
  ])("judges encryption: %s", (_, server, status, detail) => {
    const finding = encryptionFinding({ ...SERVER, ...server });
    expect(finding).toMatchObject({ status, detail: expect.stringContaining(detail) });
    expect(finding.remedy === undefined).toBe(status === "ok");
  });

  it("warns where PostgreSQL checks no text", () => {
    expect(encodingFinding(SERVER).status).toBe("ok");
    expect(encodingFinding({ ...SERVER, encoding: "LATIN1" })).toMatchObject({
      status: "ok",
      detail: expect.stringContaining("converts"),
    });
    expect(encodingFinding({ ...SERVER, encoding: "SQL_ASCII" }).status).toBe("warning");
  });
});

describe("what watermarks depend on", () => {
  it("warns of a standby, with what it keeps from working", () => {
    expect(standbyFinding(SERVER, [SALES]).status).toBe("ok");
    const standby = { ...SERVER, standby: true };
    expect(standbyFinding(standby, [SALES])).toMatchObject({
      status: "warning",
      detail: expect.stringContaining("watermarks stay where they are"),
      remedy: expect.stringContaining("hot_standby_feedback = on"),
    });
    expect(standbyFinding({ ...standby, standby_feedback: true }, [SALES]).remedy).not.toContain("feedback");
    expect(standbyFinding({ ...standby, standby_feedback: true }, [PLAIN]).status).toBe("ok");
  });

  it("asks for the privilege to see others' transactions, if there is a cursor", () => {
    expect(activityFinding(SERVER, [SALES]).status).toBe("ok");
    const blind = { ...SERVER, sees_activity: false };
    expect(activityFinding(blind, [SALES])).toMatchObject({
      status: "warning",
      remedy: 'GRANT pg_read_all_stats TO "loader";',
    });
    expect(activityFinding(blind, [PLAIN]).status).toBe("ok");
    expect(activityFinding({ ...blind, tracks_activity: false }, [SALES]).remedy).toContain("track_activities = on");
  });

  it("tells of a transaction that was forgotten", () => {
    expect(activityFinding({ ...SERVER, oldest_transaction: 3000 }, [SALES]).status).toBe("ok");
    const forgotten = { ...SERVER, oldest_transaction: 90_000 };
    expect(activityFinding(forgotten, [SALES])).toMatchObject({
      status: "warning",
      detail: expect.stringContaining("open for 25 h 0 min"),
      remedy: expect.stringContaining("pg_terminate_backend"),
    });
    expect(activityFinding(forgotten, [PLAIN]).status).toBe("ok");
  });

  it("names prepared transactions, and how to end them", () => {
    expect(preparedFinding([]).status).toBe("ok");
    const finding = preparedFinding([{ gid: "it's", owner: "app", since: "2026-01-01 10:00" }]);
    expect(finding).toMatchObject({
      status: "warning",
      detail: expect.stringContaining("it's of app since 2026-01-01"),
    });
    expect(finding.remedy).toContain("ROLLBACK PREPARED 'it''s';");
  });
});

describe("a table", () => {
  const relation: Relation = {
    oid: 1,
    schema: "public",
    name: "sales",
    kind: "r",
    comment: null,
    schemaUsage: true,
    readable: true,
    filtered: false,
    columns: [
      { name: "id", number: 1, type: { name: "int4", modifier: -1, text: "integer" }, notNull: true, comment: null },
      {
        name: "changed",
        number: 2,
        type: { name: "timestamptz", modifier: -1, text: "timestamp with time zone" },
        notNull: false,
        comment: null,
      },
    ],
    uniqueKeys: [{ isPrimary: true, columns: ["id"] }],
  };
  const facts = {
    table: SALES,
    relation,
    user: "loader",
    standby: false,
    cursor: { bytes: 1e6, rows: 1e4, indexed: false },
  };

  it("is described where all is well; a small one needs no index", () => {
    expect(tableFindings(facts)).toEqual([
      {
        check: "table sales",
        status: "ok",
        detail: "public.sales: 2 columns; incremental; key id; cursor changed (no index; small enough).",
      },
    ]);
  });

  it("asks for an index on the cursor of a large one, without locking it", () => {
    const large = { ...facts, cursor: { bytes: 2e9, rows: 1e4, indexed: false } };
    expect(tableFindings(large)).toMatchObject([
      {
        status: "warning",
        detail: expect.stringContaining("2.0 GB"),
        remedy: 'CREATE INDEX CONCURRENTLY ON "public"."sales" ("changed");',
      },
    ]);
    expect(tableFindings({ ...large, relation: { ...relation, kind: "p" } })[0]?.remedy).toMatch(/^CREATE INDEX ON/);
  });

  it("says where its size makes its cursor find the changes, unless the manifest or a standby decides", () => {
    const large = { ...facts, cursor: { bytes: 1e6, rows: 3e6, indexed: true } };
    const told = [{ status: "ok", detail: expect.stringMatching(/; large, so changes are found by its cursor\.$/) }];
    expect(tableFindings(large)).toMatchObject(told);
    const pinned = { ...SALES, sync: { ...SALES.sync, detect: "scan" as const } };
    const quiet = [{ status: "ok", detail: expect.not.stringContaining("large") }];
    expect(tableFindings({ ...large, table: pinned })).toMatchObject(quiet);
    expect(tableFindings({ ...large, standby: true })).toMatchObject(quiet);
    expect(tableFindings({ ...large, cursor: { bytes: 1e6, rows: 1e6, indexed: true } })).toMatchObject(quiet);
  });

  it("gives every problem a finding of its own, warnings behind failures", () => {
    const [id] = relation.columns;
    const extra = {
      name: "extra",
      number: 3,
      type: { name: "text", modifier: -1, text: "text" },
      notNull: false,
      comment: null,
    };
    const wrong = { ...relation, readable: false, columns: id ? [id, extra] : [] };
    expect(tableFindings({ ...facts, relation: wrong }).map(({ status, remedy }) => [status, remedy])).toEqual([
      ["failed", 'GRANT SELECT ON "public"."sales" TO "loader";'],
      ["failed", expect.stringContaining('ADD COLUMN "changed"')],
      ["warning", expect.stringContaining("introspect --write")],
    ]);
  });

  it("is missing", () => {
    expect(tableFindings({ ...facts, relation: undefined })).toMatchObject([
      { check: "table sales", status: "failed", detail: "The source has no table public.sales." },
    ]);
  });
});
