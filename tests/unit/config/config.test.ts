import { describe, expect, it } from "vitest";
import {
  environmentName,
  flagName,
  loadConfig,
  readConfig,
  redactUrl,
  requireSourceUrl,
} from "../../../runtime/config/config.ts";
import { OPTIONS } from "../../../runtime/config/options.ts";

describe("loadConfig", () => {
  it("uses the defaults of the table", () => {
    expect(loadConfig({ environment: {} })).toMatchObject({
      port: 8080,
      host: "127.0.0.1",
      retries: 1,
      retryDelay: 60,
      projectDir: "./sql",
    });
  });

  it("prefers flags to the environment, and the environment to a command's defaults", () => {
    const environment = { NOVADRIVE_PORT: "9000", NOVADRIVE_TIMEZONE: "America/Sao_Paulo" };
    const config = loadConfig({
      flags: { port: "9001" },
      environment,
      defaults: { timezone: "Europe/Berlin", schedule: "* * * * *" },
    });
    expect(config).toMatchObject({ port: 9001, timezone: "America/Sao_Paulo", schedule: "* * * * *" });
  });

  it("takes an empty variable for one that is not set", () => {
    expect(loadConfig({ environment: { NOVADRIVE_PORT: "" } }).port).toBe(8080);
  });

  it("tells every problem, each with its origin and what is allowed", () => {
    const load = () =>
      loadConfig({
        flags: { port: "70000" },
        environment: { NOVADRIVE_SCHEDULE: "61 * * * *", NOVADRIVE_TIMEZONE: "Mars/Olympus" },
      });
    expect(load).toThrow(
      expect.objectContaining({
        code: "CONFIG_INVALID",
        message: [
          'NOVADRIVE_SCHEDULE must be a cron expression such as "0 3 * * *" (daily at three) (it is "61 * * * *").',
          'NOVADRIVE_TIMEZONE must be an IANA time zone such as America/Sao_Paulo (it is "Mars/Olympus").',
          '--port must be a whole number from 0 to 65535 (it is "70000").',
        ].join("\n"),
      }),
    );
  });

  it("does not show the value of a setting that may hold a password", () => {
    expect(() => loadConfig({ environment: { NOVADRIVE_SOURCE_URL: "mysql://ana:s3cret@db/x" } })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("s3cret") }),
    );
  });

  it("says how to give a source where one is needed", () => {
    expect(() => requireSourceUrl(loadConfig({ environment: {} }))).toThrow(
      expect.objectContaining({ message: expect.stringContaining("NOVADRIVE_SOURCE_URL") }),
    );
  });
});

describe("the option table", () => {
  it.each(Object.entries(OPTIONS))(
    "%s has a flag and a variable that match its key, and a valid default",
    (key, option) => {
      const words = flagName(option).slice(2).split("-");
      const camel = words
        .map((word, index) => (index === 0 ? word : word.slice(0, 1).toUpperCase() + word.slice(1)))
        .join("");
      expect(camel).toBe(key);
      expect(environmentName(option)).toMatch(/^NOVADRIVE_[A-Z_]+$/);
      expect(option.schema.safeParse("default" in option ? option.default : undefined).success).toBe(true);
    },
  );
});

describe("redactUrl", () => {
  it.each([
    ["postgres://ana:s3cret@db:5432/shop?sslmode=require", "postgres://ana@db:5432/shop"],
    ["postgres://db/shop", "postgres://db/shop"],
    ["postgres://ana:p@ss:w@db/shop", "postgres://ana@db/shop"],
    ["snowflake://org-acct/NOVADRIVE?private_key=x", "snowflake://org-acct/NOVADRIVE"],
    ["duckdb:./warehouse.duckdb", "duckdb:./warehouse.duckdb"],
  ])("%s is shown as %s", (url, shown) => {
    expect(redactUrl(url)).toBe(shown);
  });
});

describe("readConfig", () => {
  it("gives each setting that is not valid its default, and says what is wrong with it", () => {
    const environment = { NOVADRIVE_SOURCE_URL: "mysql://me:s3cret-word@db", NOVADRIVE_PORT: "9000" };
    const { config, problems } = readConfig({ flags: { schedule: "sometimes" }, environment });
    expect(config).toMatchObject({ schedule: OPTIONS.schedule.default, port: 9000 });
    expect(config.sourceUrl).toBeUndefined();
    expect(problems).toEqual([
      { option: "sourceUrl", message: expect.stringContaining("NOVADRIVE_SOURCE_URL must begin with") },
      { option: "schedule", message: expect.stringContaining("--schedule must be a cron expression") },
    ]);
    expect(JSON.stringify(problems)).not.toContain("s3cret-word");
  });
});
