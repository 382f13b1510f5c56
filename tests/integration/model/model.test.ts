/**
 * Several sessions write whatever they like, batches run in between and in their midst, calls fail, connections break, processes are killed
 * (`killed.test.ts`): after each batch that was published the stage tables equal the source as the batch's own snapshot shows it.
 *
 * `npm run test:soak` does the same without an end.
 */
import { testModel } from "../../support/model/test-model.ts";

testModel("duckdb", 160);
testModel("snowflake", 20);
