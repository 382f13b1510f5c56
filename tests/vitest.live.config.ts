/** The suites that need a Snowflake account: `SNOWFLAKE_TEST_URL=snowflake://… npm run test:live`. */
import { defineConfig } from "vitest/config";
import local from "./vitest.config.ts";

export default defineConfig({
  ...local,
  test: {
    ...local.test,
    include: ["live/**/*.live.ts"],
    globalSetup: ["./live/require-url.ts", "./support/global-setup-postgres.ts"],
    // One account, one warehouse: what runs beside it only makes it slower.
    maxWorkers: 1,
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
