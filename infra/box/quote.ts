/** Values on their way into the texts that the box gets: checked, quoted, and never read as anything but a value. */

/** In single quotes, between which Bash knows no special character. */
export function shellQuote(value: string): string {
  // https://pubs.opengroup.org/onlinepubs/9799919799/utilities/V3_chap02.html#tag_19_02_02
  if (value.includes("\0")) throw new RangeError("A shell's value cannot have a NUL in it.");
  return `'${value.replaceAll("'", `'\\''`)}'`;
}

/**
 * One line of an EnvironmentFile: `NAME="value"`, with the escapes of
 * https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html#EnvironmentFile=
 *
 * @throws RangeError for a name that no variable has, and for a value of more than one line
 */
export function environmentLine(name: string, value: string): string {
  if (!/^[A-Z_][A-Z0-9_]*$/.test(name)) throw new RangeError(`${name} is no name of an environment variable.`);
  // oxlint-disable-next-line no-control-regex
  if (/[\x00-\x1f\x7f]/.test(value)) throw new RangeError(`The value of ${name} has a line end or control character.`);
  return `${name}="${value.replaceAll(/["\\`$]/g, String.raw`\$&`)}"`;
}
