import { expect, test } from "vitest";
import { STATES, VEHICLES } from "../../../runtime/demo/dealership.ts";

test("there are the 27 states of Brazil, each with its own sigla and capital", () => {
  expect(STATES).toHaveLength(27);
  for (const key of ["name", "sigla", "capital"] as const)
    expect(new Set(STATES.map((state) => state[key])).size).toBe(27);
  for (const { sigla } of STATES) expect(sigla).toMatch(/^[A-Z]{2}$/);
});

test("vehicles fit their columns, and their sales the business rule", () => {
  expect(new Set(VEHICLES.map(({ name }) => name)).size).toBe(VEHICLES.length);
  for (const { price, paid } of VEHICLES) {
    expect(price).toMatch(/^\d{6}\.\d{2}$/);
    expect(paid.from).toBeGreaterThanOrEqual(950_000);
    expect(paid.to).toBeLessThanOrEqual(1_000_000);
    expect(paid.from).toBeLessThan(paid.to);
  }
});

test("the first vehicle was always on the list: sales of others fall to it before their time", () => {
  expect(VEHICLES[0]?.daysListed).toBeGreaterThan(1096);
});
