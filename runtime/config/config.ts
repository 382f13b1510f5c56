/** Settings from flags, environment and defaults, in this order; all problems in one message. */
import { NovaError } from "../core/errors.ts";
import { isReference } from "./secret-reference.ts";
import { OPTIONS, type Config, type Option, type OptionName } from "./options.ts";

/** The name of a setting's environment variable. */
export const environmentName = (option: Pick<Option<unknown>, "name">): string => `NOVADRIVE_${option.name}`;

/** The name of a setting's flag, with its dashes. */
export const flagName = (option: Pick<Option<unknown>, "name">): string =>
  `--${option.name.toLowerCase().replaceAll("_", "-")}`;

export interface Settings {
  /** By option; what the command line gave. */
  readonly flags?: Readonly<Partial<Record<OptionName, string>>> | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Defaults of a command that differ from the table's. */
  readonly defaults?: Readonly<Partial<Record<OptionName, string>>> | undefined;
}

export interface ConfigProblem {
  readonly option: OptionName;
  /** Names the setting, and says what is allowed; the value too, unless it is a secret. */
  readonly message: string;
}

/** @throws NovaError CONFIG_INVALID, one line a problem */
export function loadConfig(settings: Settings): Config {
  const { config, problems } = readConfig(settings);
  if (problems.length === 0) return config;
  throw new NovaError("CONFIG_INVALID", problems.map(({ message }) => message).join("\n"));
}

/** The same for who wants to go on in spite of problems: a setting that is not valid has its default. */
export function readConfig(settings: Settings): { config: Config; problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const config: Record<string, unknown> = {};
  for (const key of Object.keys(OPTIONS) as OptionName[]) {
    const option: Option<unknown> = OPTIONS[key];
    const { value, origin } = rawValue(settings, key, option);
    const result = option.schema.safeParse(value);
    if (result.success) config[key] = result.data;
    else {
      const shown = option.secret || value === undefined ? "" : ` (it is ${JSON.stringify(value)})`;
      const message = `${origin} ${result.error.issues[0]?.message ?? "is not valid"}${shown}.`;
      problems.push({ option: key, message });
      config[key] = option.schema.parse(option.default);
    }
  }
  // Every key of the table was checked by the schema that stands beside it.
  return { config: config as Config, problems };
}

function rawValue(
  settings: Settings,
  key: OptionName,
  option: Option<unknown>,
): { value: string | undefined; origin: string } {
  const flag = settings.flags?.[key];
  if (flag !== undefined) return { value: flag, origin: flagName(option) };
  const name = environmentName(option);
  const fromEnvironment = settings.environment[name];
  // An empty variable is how shells and unit files say "not set".
  if (fromEnvironment !== undefined && fromEnvironment !== "") return { value: fromEnvironment, origin: name };
  return { value: settings.defaults?.[key] ?? option.default, origin: name };
}

/** The source's URL. @throws NovaError CONFIG_INVALID if it was not given */
export function requireSourceUrl(config: Config): string {
  if (config.sourceUrl !== undefined && isReference(config.sourceUrl)) {
    throw new Error("The source's URL was asked for before its secret was read.");
  }
  if (config.sourceUrl !== undefined) return config.sourceUrl;
  throw new NovaError("CONFIG_INVALID", "NOVADRIVE_SOURCE_URL is not set, so there is nothing to read from.", {
    remedy:
      "Set it to postgres://user:password@host:5432/database, or try `npm run demo`, which brings its own database.",
  });
}

/** A URL as it may be shown: without password and query, which may hold a secret too. */
export function redactUrl(url: string): string {
  const [beforeQuery = ""] = url.split("?");
  // To the last @, because passwords are often given without the escapes that URLs ask for.
  return beforeQuery.replace(/^([a-z]+:\/\/)(.*)@/i, (_, scheme: string, login: string) => {
    const [user] = login.split(":");
    return user ? `${scheme}${user}@` : scheme;
  });
}
