/** Numbers, dates and times in the one form that every warehouse gives (see QueryResult). */

const MICROSECONDS_A_DAY = 86_400_000_000n;

/** Shortest text that gives the number back. -0 keeps its sign. */
export function numberText(value: number): string {
  return Object.is(value, -0) ? "-0" : String(value);
}

/** @param micros since 1970 */
export function timestampText(micros: bigint): string {
  const days = floorDivide(micros, MICROSECONDS_A_DAY);
  return `${dateText(days)} ${timeText(micros - days * MICROSECONDS_A_DAY)}`;
}

/** @param micros since midnight */
export function timeText(micros: bigint): string {
  const seconds = micros / 1_000_000n;
  const parts = [seconds / 3600n, (seconds / 60n) % 60n, seconds % 60n].map((part) => String(part).padStart(2, "0"));
  return `${parts.join(":")}.${String(micros % 1_000_000n).padStart(6, "0")}`;
}

/** Days since 1970 as a date of the proleptic Gregorian calendar; years before 1 are astronomical, as in ISO 8601: -0043 is 44 BC. */
export function dateText(days: bigint): string {
  // Howard Hinnant's civil_from_days: eras of 400 years, years that begin in March.
  const shifted = days + 719_468n;
  const era = floorDivide(shifted, 146_097n);
  const dayOfEra = shifted - era * 146_097n;
  const yearOfEra = (dayOfEra - dayOfEra / 1460n + dayOfEra / 36_524n - dayOfEra / 146_096n) / 365n;
  const dayOfYear = dayOfEra - (365n * yearOfEra + yearOfEra / 4n - yearOfEra / 100n);
  const shiftedMonth = (5n * dayOfYear + 2n) / 153n;
  const day = dayOfYear - (153n * shiftedMonth + 2n) / 5n + 1n;
  const month = shiftedMonth < 10n ? shiftedMonth + 3n : shiftedMonth - 9n;
  const year = yearOfEra + era * 400n + (month <= 2n ? 1n : 0n);
  const sign = year < 0n ? "-" : "";
  const yearText = String(year < 0n ? -year : year).padStart(4, "0");
  return `${sign}${yearText}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`;
}

export function floorDivide(dividend: bigint, divisor: bigint): bigint {
  const quotient = dividend / divisor;
  return dividend % divisor < 0n ? quotient - 1n : quotient;
}
