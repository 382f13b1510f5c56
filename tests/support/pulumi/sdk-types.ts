/** Checks inputs against the type declarations of a provider's SDK, as the real provider does against its schema. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as pulumi from "@pulumi/pulumi";

export interface Field {
  readonly optional: boolean;
  /** Type as the declaration writes it. */
  readonly type: string;
}

/** Stands for a value that only the real update will know. */
const UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";
const SIGNATURE = "4dabf18193072939515e22adb298388d";

const texts = new Map<string, string>();

function declarations(sdk: string, file: string): string {
  const path = join(sdkFolder(sdk), file);
  let text = texts.get(path);
  if (text === undefined) {
    text = readFileSync(path, "utf8").replaceAll(/\/\*[\s\S]*?\*\//g, "");
    texts.set(path, text);
  }
  return text;
}

function sdkFolder(sdk: string): string {
  return dirname(createRequire(import.meta.url).resolve(`@pulumi/${sdk}/package.json`));
}

export function sdkVersion(sdk: string): string {
  const { version } = JSON.parse(readFileSync(join(sdkFolder(sdk), "package.json"), "utf8")) as { version: string };
  return version;
}

/** Fields of `interface <name>`, the first one behind `from`. */
function fieldsOf(text: string, name: string, from = 0): ReadonlyMap<string, Field> {
  const head = new RegExp(`interface ${name} \\{\\n`, "g");
  head.lastIndex = from;
  const start = head.exec(text);
  if (!start) throw new Error(`The SDK declares no ${name}`);
  const indent = /\n( *)(?:export )?$/.exec(text.slice(0, start.index))?.[1] ?? "";
  const body = text.slice(head.lastIndex, text.indexOf(`\n${indent}}`, head.lastIndex));
  const field = new RegExp(`^${indent} {4}(?:readonly )?(\\w+)(\\??): ([\\s\\S]*?);$`, "gm");
  return new Map(
    [...body.matchAll(field)].map(([, key = "", mark, type = ""]) => [key, { optional: mark === "?", type }]),
  );
}

/** `aws:ec2/instance:Instance` → the fields of InstanceArgs; for a function, those of its arguments. */
export function inputFields(token: string): ReadonlyMap<string, Field> {
  const [sdk = "", module = "", name = ""] = token.split(":");
  const file = module.replace(/^index\//, "");
  const interfaceName = `${name.charAt(0).toUpperCase()}${name.slice(1)}Args`;
  return fieldsOf(declarations(sdk, `${file}.d.ts`), interfaceName);
}

const nestedTypes = new Map<string, ReadonlyMap<string, Field>>();

function nestedFields(sdk: string, namespace: string | undefined, name: string): ReadonlyMap<string, Field> {
  const key = `${sdk}:${namespace ?? ""}:${name}`;
  let fields = nestedTypes.get(key);
  if (!fields) {
    const text = declarations(sdk, "types/input.d.ts");
    fields = fieldsOf(
      text,
      name,
      namespace === undefined ? 0 : text.indexOf(`export declare namespace ${namespace} {`),
    );
    nestedTypes.set(key, fields);
  }
  return fields;
}

/** One line a problem: an unknown property, a missing one, a value of another type. */
export function inputProblems(token: string, inputs: Readonly<Record<string, unknown>>): string[] {
  const [sdk = ""] = token.split(":");
  return objectProblems(sdk, inputFields(token), inputs, "");
}

function objectProblems(
  sdk: string,
  fields: ReadonlyMap<string, Field>,
  value: Readonly<Record<string, unknown>>,
  path: string,
): string[] {
  const problems: string[] = [];
  for (const [key, field] of fields) {
    if (!field.optional && value[key] === undefined) problems.push(`${path}${key} is missing`);
  }
  for (const [key, entry] of Object.entries(value)) {
    if (key.startsWith("__") || entry === undefined) continue;
    const field = fields.get(key);
    if (field) problems.push(...valueProblems(sdk, field.type, entry, `${path}${key}`));
    else problems.push(`${path}${key} is not a property`);
  }
  return problems;
}

function valueProblems(sdk: string, type: string, value: unknown, path: string): string[] {
  if (value === UNKNOWN || value === null) return [];
  if (Array.isArray(value)) {
    if (!type.includes("[]")) return [`${path} is a list, not ${type}`];
    return value.flatMap((entry, index) => valueProblems(sdk, type.replace("[]", ""), entry, `${path}[${index}]`));
  }
  if (type.includes("[]")) return [`${path} is no list`];
  if (typeof value === "object") {
    const nested = /inputs\.(?:(\w+)\.)?(\w+)/.exec(type);
    if (!nested) return type.includes("[key: string]") ? [] : [`${path} is an object, not ${type}`];
    return objectProblems(
      sdk,
      nestedFields(sdk, nested[1], nested[2] ?? ""),
      value as Readonly<Record<string, unknown>>,
      `${path}.`,
    );
  }
  const scalar = typeof value;
  const allowed = new RegExp(`\\b${scalar}\\b`).test(type) || (scalar === "string" && /enums\./.test(type));
  return allowed ? [] : [`${path} is a ${scalar}, not ${type}`];
}

/** A value without the wrappers in which the engine sends secrets and outputs. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  // A file to upload: what is in it is the test's business.
  const isFile: boolean = pulumi.asset.Asset.isInstance(value);
  if (isFile) return UNKNOWN;
  if (SIGNATURE in value) return "value" in value ? plain(value.value) : UNKNOWN;
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]));
}
