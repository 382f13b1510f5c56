import { expect, test } from "vitest";
import { describeCounts, type SimulatorCounts } from "../../../runtime/demo/simulator.ts";

const NONE: SimulatorCounts = {
  sale: 0,
  newClient: 0,
  correctedPrice: 0,
  cancelledSale: 0,
  movedClient: 0,
  priceListChange: 0,
  longTransaction: 0,
  open: 0,
};

test("counts are said in words, leaving out what did not happen", () => {
  expect(describeCounts(NONE)).toBe("nothing yet");
  expect(describeCounts({ ...NONE, sale: 1204, newClient: 1, longTransaction: 2, open: 1 })).toBe(
    "1,204 sales, 1 new client, 2 long transactions, 1 still open",
  );
});
