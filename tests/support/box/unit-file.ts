/** Reads what the tests need of a systemd unit. */

/** All values of a key, in the order of the file; a line that ends with a backslash goes on. */
export function unitValues(unit: string, key: string): string[] {
  return unit
    .replaceAll(/\\\n\s*/g, " ")
    .split("\n")
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1));
}

/** The command line, with its paths below another root. */
export function execStart(unit: string, root: string): string[] {
  const [command = "", ...more] = unitValues(unit, "ExecStart");
  if (command === "" || more.length > 0 || /["'%$]/.test(command)) throw new Error(`No plain command line: ${command}`);
  return command.split(" ").map((word) => (word.startsWith("/") ? `${root}${word}` : word));
}
