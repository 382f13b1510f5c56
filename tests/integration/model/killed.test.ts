/** The model-based test, with batches in processes of their own that are killed. A file of its own, so that it runs beside the other. */
import { testModel } from "../../support/model/test-model.ts";

testModel("duckdb-killed", 20);
testModel("snowflake-killed", 10);
