/** Keeps `destroy` from a protected stack before Pulumi's engine, which deletes what is not protected before it fails on the rest. */
import { z } from "zod";

export interface Answer {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `pulumi` with these arguments, without a terminal. */
export type Ask = (args: readonly string[]) => Answer;

const DESTROY = ["destroy", "down", "dn"];

/** What tells Pulumi which stack is meant, and which file is its configuration. */
const WHICH = {
  "-s": "--stack",
  "--stack": "--stack",
  "-C": "--cwd",
  "--cwd": "--cwd",
  "--config-file": "--config-file",
} as const;

/**
 * Whether `pulumi <args>` may run. Only `destroy` is looked at: it is refused while the configuration says that the stack is of
 * kind prod, and while the last `up` left anything protected. Neither question starts the engine.
 */
export function examine(args: readonly string[], ask: Ask): { readonly refusal: string | undefined } {
  if (!isDestroy(args) || args.includes("--help") || args.includes("-h")) return { refusal: undefined };
  const which = stackFlags(args);
  const config = ask(["config", "--json", "--non-interactive", ...which]);
  if (config.status !== 0) return { refusal: `${config.stderr.trim()}\nNothing was destroyed.` };
  const exported = ask([
    "stack",
    "export",
    "--non-interactive",
    ...which.filter((flag) => !flag.startsWith("--config-file")),
  ]);
  if (exported.status !== 0) return { refusal: `${exported.stderr.trim()}\nNothing was destroyed.` };

  const shown = which.length > 0 ? ` -- ${which.join(" ")}` : "";
  const more = which.length > 0 ? ` ${which.join(" ")}` : "";
  const steps = [
    `  1. npm run pulumi -- config set novadrive:kind dev${more}`,
    `  2. npm run up${shown}    (shows what it unprotects before it does: deletion, termination, recovery of secrets)`,
    `then npm run destroy${shown}. What shall be kept has to be copied first: the state volume, the secrets, the database.`,
  ].join("\n");
  const kind = kindOf(config.stdout);
  if (kind !== "dev") {
    return {
      refusal: `This stack is of kind ${kind}, which is not destroyed. Nothing was changed. To destroy it on purpose:\n${steps}`,
    };
  }
  const kept = protectedResources(exported.stdout);
  if (kept.length > 0) {
    return {
      refusal:
        `This stack is configured as kind dev, but ${kept.length} of its resources are still protected (${kept[0]}). ` +
        `Nothing was changed. To destroy it on purpose:\n${steps}`,
    };
  }
  return { refusal: undefined };
}

/** The command may stand behind flags, and what stands behind a flag may be its value: then what follows counts too. */
function isDestroy(args: readonly string[]): boolean {
  for (const [index, arg] of args.entries()) {
    if (arg.startsWith("-")) continue;
    if (DESTROY.includes(arg)) return true;
    const before = args[index - 1] ?? "";
    if (!before.startsWith("-") || before.includes("=")) return false;
  }
  return false;
}

/** Each as one argument, `--stack=prod`. */
function stackFlags(args: readonly string[]): string[] {
  return args.flatMap((arg, index) => {
    const [flag = "", ...value] = arg.split("=");
    const name = Object.hasOwn(WHICH, flag) ? WHICH[flag as keyof typeof WHICH] : undefined;
    if (name !== undefined) return [`${name}=${value.length > 0 ? value.join("=") : (args[index + 1] ?? "")}`];
    // -sprod, -C/somewhere
    const [, short = "", rest = ""] = /^(-[sC])(.+)$/.exec(arg) ?? [];
    return short === "" ? [] : [`${WHICH[short as "-s" | "-C"]}=${rest.replace(/^=/, "")}`];
  });
}

/** `prod` unless the configuration says otherwise in so many letters, as for the program. */
function kindOf(configuration: string): string {
  const entry = z.object({ value: z.string().optional() });
  const values = z.record(z.string(), entry).parse(JSON.parse(configuration));
  return values["novadrive:kind"]?.value ?? "prod";
}

/** The names of those that the engine would refuse to delete. */
function protectedResources(state: string): string[] {
  const resource = z.object({ urn: z.string(), protect: z.boolean().optional() });
  const shape = z.object({ deployment: z.object({ resources: z.array(resource).nullish() }).nullish() });
  const resources = shape.parse(JSON.parse(state)).deployment?.resources ?? [];
  return resources.filter(({ protect }) => protect).map(({ urn }) => urn.split("::").slice(2).join(" "));
}
