/**
 * A provider that has no cloud behind it: `node stand-in-provider.ts <aws | snowflake> <engine address>`. It refuses what the real
 * one would refuse by its schema, and keeps no state but what the engine keeps for it, unless a test gives it a place for that:
 *
 * - STAND_IN_CLOUD: a folder with a file for each object of AWS.
 * - STAND_IN_SNOWFLAKE: address of a server that executes what the real provider would send.
 *
 * Two more make it fail, each naming a type, or a type and a resource as `<type> <name>`:
 *
 * - STAND_IN_REFUSES: nothing is made.
 * - STAND_IN_FAILS: the object is made, but is not what it should become; the engine learns its id and that it failed, as the bridge
 *   to Terraform's providers tells it (pulumi-terraform-bridge, pkg/tfbridge/provider.go, Create).
 */
import { randomUUID } from "node:crypto";
import process from "node:process";
import { isDeepStrictEqual } from "node:util";
import providerMessages from "@pulumi/pulumi/proto/provider_pb.js";
import * as provider from "@pulumi/pulumi/provider/index.js";
import { autoName, BEHAVIOURS, FUNCTIONS, physicalId, type Behaviour, type Properties } from "./behaviour.ts";
import { Cloud } from "./cloud.ts";
import { snowflakeAccount } from "./snowflake-account.ts";
import { statementsFor } from "./snowflake-sql.ts";
import { inputFields, inputProblems, plain, sdkVersion } from "./sdk-types.ts";

const [sdk = "", ...engineArguments] = process.argv.slice(2);
const folder = process.env["STAND_IN_CLOUD"];
const cloud = sdk === "aws" && folder !== undefined ? new Cloud(folder) : undefined;
const account = sdk === "snowflake" ? snowflakeAccount(process.env) : undefined;

function typeOf(urn: string): string {
  const types = urn.split("::")[2] ?? "";
  return types.slice(types.lastIndexOf("$") + 1);
}

/** Whether the variable names the resource, or its type. */
function isMeant(urn: string, variable: string): boolean {
  return [typeOf(urn), `${typeOf(urn)} ${urn.split("::").at(-1)}`].includes(process.env[variable] ?? "");
}

/** What the SDK's server tells the engine as "made, but failed to initialize". */
class NotWell extends Error {
  readonly id: string;
  readonly properties: Properties;
  readonly reasons = ["The stand-in was told to let this fail"];

  constructor(id: string, properties: Properties) {
    super("made, but not well");
    this.id = id;
    this.properties = properties;
  }
}

function behaviourOf(urn: string): Behaviour {
  const behaviour = BEHAVIOURS[typeOf(urn)];
  if (!behaviour) throw new Error(`The stand-in for ${sdk} knows no ${typeOf(urn)}`);
  return behaviour;
}

/** Inputs that differ from the state, as the provider compares them: what the program leaves out and the service chose is equal. */
function changedKeys(urn: string, olds: Properties, news: Properties): string[] {
  const chosen = behaviourOf(urn).computed?.("", news) ?? {};
  return [...inputFields(typeOf(urn)).keys()].filter((key) => {
    if (news[key] === undefined && key in chosen) return false;
    return !isDeepStrictEqual(plain(olds[key]), plain(news[key]));
  });
}

function complaints(token: string, inputs: Properties): provider.CheckFailure[] {
  const problems = inputProblems(token, plain(inputs) as Properties);
  return problems.map((reason) => ({ property: reason.split(/[ .[]/)[0] ?? "", reason }));
}

const standIn: provider.Provider = {
  version: sdkVersion(sdk),
  async check(urn, olds: Properties, news: Properties) {
    const named = behaviourOf(urn).autoNamed && news["name"] === undefined;
    const inputs = named ? { ...news, name: olds["name"] ?? autoName(urn) } : news;
    return { inputs, failures: complaints(typeOf(urn), inputs) };
  },
  async diff(_id, urn, olds: Properties, news: Properties) {
    const changed = changedKeys(urn, olds, news);
    const replaces = changed.filter((key) => behaviourOf(urn).replaces?.includes(key));
    return { changes: changed.length > 0, replaces: [...replaces, ...changed.map((key) => `${CHANGED}${key}`)] };
  },
  async create(urn, inputs: Properties) {
    const type = typeOf(urn);
    if (isMeant(urn, "STAND_IN_REFUSES")) throw new Error("The stand-in was told to refuse this");
    // Where objects are kept, what replaces one is not mistaken for it.
    const seed = cloud ? `${urn}${randomUUID()}` : urn;
    const behaviour = behaviourOf(urn);
    const chosen = behaviour.chosenId?.(plain(inputs) as Properties);
    const id = chosen ?? physicalId(behaviour.idPrefix ?? `${type.split(":").at(-1)}-`, seed);
    const outs = { ...behaviour.computed?.(id, inputs), ...inputs };
    const object = { type, id, urn, state: plain(outs) as Properties };
    if (chosen === undefined) cloud?.create(object);
    else cloud?.put(object);
    await account?.run(statementsFor(type, undefined, plain(inputs) as Properties));
    if (isMeant(urn, "STAND_IN_FAILS")) throw new NotWell(id, outs);
    return { id, outs };
  },
  async read(id, _urn, props: Properties) {
    return { id, props };
  },
  async update(id, urn, olds: Properties, news: Properties) {
    const behaviour = behaviourOf(urn);
    const inputs = plain(news) as Properties;
    const state = behaviour.update?.(plain(olds) as Properties, inputs) ?? inputs;
    const outs = { ...behaviour.computed?.(id, inputs), ...state };
    cloud?.update({ type: typeOf(urn), id, urn, state: outs });
    await account?.run(statementsFor(typeOf(urn), plain(olds) as Properties, inputs));
    return { outs };
  },
  async delete(id, urn, state: Properties) {
    const refusal = behaviourOf(urn).refusesDeletion?.(plain(state) as Properties);
    if (refusal !== undefined) throw new Error(refusal);
    await account?.run(statementsFor(typeOf(urn), plain(state) as Properties, undefined));
    cloud?.delete(id);
    const { takesAlong } = behaviourOf(urn);
    const gone = cloud?.objects().filter((object) => takesAlong?.(plain(state) as Properties, object.id)) ?? [];
    for (const object of gone) cloud?.delete(object.id);
  },
  async invoke(token, inputs: Properties) {
    const read = FUNCTIONS[token];
    if (!read) throw new Error(`The stand-in for ${sdk} knows no function ${token}`);
    const failures = complaints(token, inputs);
    return failures.length > 0 ? { failures } : { outputs: read(plain(inputs) as Properties) };
  },
};

// Which properties changed is what the engine asks replaceOnChanges about, and what the SDK's server has no way to tell it: such
// keys travel among those that replace, and are sorted out here.
const CHANGED = "changed:";
const { prototype } = providerMessages.DiffResponse;
const setReplaces = prototype.setReplacesList;
prototype.setReplacesList = function sortOut(keys: string[]) {
  this.setDiffsList(keys.filter((key) => key.startsWith(CHANGED)).map((key) => key.slice(CHANGED.length)));
  return setReplaces.call(
    this,
    keys.filter((key) => !key.startsWith(CHANGED)),
  );
};

await provider.main(standIn, engineArguments);
