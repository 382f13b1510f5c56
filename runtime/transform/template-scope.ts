/** What dbt's templates can use: ref, source, config, var and the rest, for one node at a time. */
import { closestMatch } from "leven";
import { NovaError } from "../core/errors.ts";
import type { Target } from "./project.ts";
import { templateFunction, type TemplateScope } from "./template-function.ts";
import type { RawConfig } from "./node-config.ts";

export interface ScopeOptions {
  readonly target: Target;
  readonly vars: RawConfig;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly projectName: string;
  /** The node that is rendered; absent for on-run-start and -end. */
  readonly node?: ScopeNode | undefined;
  /** False while the project is read: what depends on the warehouse is not known yet. */
  readonly execute: boolean;
  readonly incremental: boolean;
  readonly fullRefresh: boolean;
  /** SQL for `ref()`. */
  readonly ref: (name: string, packageName: string | undefined) => string;
  readonly source: (source: string, table: string) => string;
  /** Called for each `config()`. */
  readonly configure?: ((config: RawConfig) => void) | undefined;
  readonly log?: ((message: string, level: "info" | "warn") => void) | undefined;
  /** For adapter.dispatch. */
  readonly macro: (name: string) => ((...handed: unknown[]) => unknown) | undefined;
}

export interface ScopeNode {
  readonly id: string;
  readonly name: string;
  readonly resourceType: string;
  /** SQL that names the node's own table or view. */
  readonly relation: string;
  readonly schema: string;
  readonly alias: string;
  readonly config: RawConfig;
  readonly tags: readonly string[];
}

export function templateScope(options: ScopeOptions): TemplateScope {
  const { target, node, execute } = options;
  return {
    ...references(options),
    ...settings(options),
    ...thisScope(options),
    target: { ...target, database: target.database ?? "", profile_name: options.projectName },
    execute,
    project_name: options.projectName,
    flags: { FULL_REFRESH: options.fullRefresh },
    model: node
      ? {
          unique_id: node.id,
          name: node.name,
          resource_type: node.resourceType,
          schema: node.schema,
          alias: node.alias,
          tags: node.tags,
          config: node.config,
        }
      : {},
    is_incremental: templateFunction([], () => options.incremental),
    should_full_refresh: templateFunction([], () => options.fullRefresh),
    log: templateFunction(["msg", "info"], ({ msg, info }) => {
      if (execute && info === true) options.log?.(String(msg), "info");
      return "";
    }),
    print: templateFunction(["msg"], ({ msg }) => {
      if (execute) options.log?.(String(msg), "info");
      return "";
    }),
    tojson: templateFunction(["value", "default", "sort_keys"], ({ value }) => JSON.stringify(value)),
    fromjson: templateFunction(["string", "default"], ({ string, default: fallback }) =>
      parseJson(String(string), fallback),
    ),
    exceptions: {
      raise_compiler_error: templateFunction(["msg", "node"], ({ msg }) => {
        throw new NovaError("MODEL_COMPILE_FAILED", String(msg), {
          remedy: "The project's own macro or model raised this; do what it says.",
        });
      }),
      warn: templateFunction(["msg", "node"], ({ msg }) => {
        if (execute) options.log?.(String(msg), "warn");
        return "";
      }),
    },
    adapter: { dispatch: dispatch(options) },
    ...unsupported(execute),
  };
}

function references({ ref, source }: ScopeOptions): TemplateScope {
  return {
    ref: templateFunction(["package_or_name", "name", "v", "version"], (values) => {
      const first = text("ref", "its model", values["package_or_name"] ?? values["name"]);
      const second = values["package_or_name"] === undefined ? undefined : values["name"];
      return second === undefined ? ref(first, undefined) : ref(text("ref", "its model", second), first);
    }),
    source: templateFunction(["source_name", "table_name"], ({ source_name, table_name }) =>
      source(text("source", "its source", source_name), text("source", "its table", table_name)),
    ),
  };
}

function settings({ node, configure, vars, environment }: ScopeOptions): TemplateScope {
  return {
    config: templateFunction(
      ["config"],
      ({ config, ...keywords }) => {
        configure?.({ ...(typeof config === "object" ? config : {}), ...keywords });
        return "";
      },
      { anyKeyword: true },
    ),
    config_get: templateFunction(
      ["name", "default", "validator"],
      ({ name, default: fallback }) => node?.config[String(name)] ?? fallback,
    ),
    config_require: templateFunction(["name", "validator"], ({ name }) => {
      const value = node?.config[String(name)];
      if (value === undefined || value === null)
        throw new NovaError("MODEL_COMPILE_FAILED", `the setting ${String(name)} is required here but not set`, {
          remedy: `Add ${String(name)}=… to config().`,
        });
      return value;
    }),
    var: templateFunction(["name", "default"], (values) => {
      const name = text("var", "a variable", values["name"]);
      if (vars[name] !== undefined) return vars[name];
      if ("default" in values) return values["default"];
      const guess = closestMatch(name, Object.keys(vars), { maxDistance: 3 });
      throw new NovaError("MODEL_COMPILE_FAILED", `the variable ${name} has no value`, {
        remedy: `${guess ? `Did you mean ${guess}? Otherwise a` : "A"}dd it under vars: in dbt_project.yml, or give a default: var('${name}', …).`,
      });
    }),
    env_var: templateFunction(["var", "default"], (values) => {
      const name = text("env_var", "an environment variable", values["var"]);
      if (!/^DBT_(?!ENV_SECRET)/.test(name)) {
        throw new NovaError("MODEL_COMPILE_FAILED", `a template may not read the environment variable ${name}`, {
          remedy:
            "Only names that begin with DBT_ (but not DBT_ENV_SECRET) can be read; everything else may hold a secret.",
        });
      }
      const value = environment[name];
      if (value !== undefined) return value;
      if ("default" in values) return values["default"];
      throw new NovaError("MODEL_COMPILE_FAILED", `the environment variable ${name} is not set`, {
        remedy: `Set it, or give a default: env_var('${name}', '…').`,
      });
    }),
  };
}

function thisScope({ node, target }: ScopeOptions): TemplateScope {
  const identifier = node?.alias ?? "";
  const schema = node?.schema ?? target.schema;
  const database = target.database ?? "";
  return {
    this: node?.relation ?? "",
    this_schema: schema,
    this_identifier: identifier,
    this_name: identifier,
    this_table: identifier,
    this_database: database,
    this_type: "",
    schema,
    database,
  };
}

function dispatch({ macro, target }: ScopeOptions) {
  return templateFunction(["macro_name", "macro_namespace"], ({ macro_name }) => {
    const name = text("adapter.dispatch", "a macro", macro_name);
    const found = macro(`${target.type}__${name}`) ?? macro(`default__${name}`);
    if (found) return found;
    throw new NovaError("MODEL_COMPILE_FAILED", `no macro ${target.type}__${name} or default__${name}`, {
      remedy: `Define default__${name} in the project's macros.`,
    });
  });
}

/** What would read the warehouse while a template is rendered. */
function unsupported(execute: boolean): TemplateScope {
  const names = ["run_query", "statement", "load_result", "store_result"];
  return Object.fromEntries(
    names.map((name) => [
      name,
      templateFunction(
        ["a", "b", "c", "d"],
        () => {
          if (!execute) return null;
          throw new NovaError(
            "MODEL_COMPILE_FAILED",
            `${name}() is not supported: templates are rendered without the warehouse`,
            {
              remedy: "Write it as SQL (a subquery or a join), or as a var.",
            },
          );
        },
        { anyKeyword: true },
      ),
    ]),
  );
}

function text(functionName: string, what: string, value: unknown): string {
  if (typeof value === "string") return value;
  throw new NovaError(
    "MODEL_COMPILE_FAILED",
    `${functionName}() needs the name of ${what} as text, not ${JSON.stringify(value ?? null)}`,
    {
      remedy: `Write ${functionName}('name').`,
    },
  );
}

function parseJson(value: string, fallback: unknown): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return fallback ?? null;
  }
}
