/** Invents clients: a name and an address, as people type them. */
import { DISTRICTS, FIRST_NAMES, STREETS, SURNAMES } from "../dealership.ts";
import { between, pick, type Random } from "../random.ts";

export function inventName(random: Random): string {
  const name = `${pick(random, FIRST_NAMES)} ${pick(random, SURNAMES)}`;
  const full = random() < 0.3 ? `${name} ${pick(random, SURNAMES)}` : name;
  const habit = random();
  if (habit < 0.02) return full.toUpperCase();
  if (habit < 0.04) return full.toLowerCase();
  return habit < 0.06 ? `${full} ` : full;
}

export function inventAddress(random: Random): string {
  const flat = random() < 0.2 ? `, apto ${between(random, 11, 190)}` : "";
  return `${pick(random, STREETS)}, ${between(random, 1, 2990)}${flat} - ${pick(random, DISTRICTS)}`;
}
