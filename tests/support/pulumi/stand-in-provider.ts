/**
 * A provider that has no cloud behind it: `node stand-in-provider.ts <aws | snowflake> <engine address>`. It refuses what the real
 * one would refuse by its schema, and keeps no state but what the engine keeps for it.
 */
import process from "node:process";
import { isDeepStrictEqual } from "node:util";
import providerMessages from "@pulumi/pulumi/proto/provider_pb.js";
import * as provider from "@pulumi/pulumi/provider/index.js";
import { autoName, BEHAVIOURS, FUNCTIONS, physicalId, type Behaviour, type Properties } from "./behaviour.ts";
import { inputFields, inputProblems, plain, sdkVersion } from "./sdk-types.ts";

const [sdk = "", ...engineArguments] = process.argv.slice(2);

function typeOf(urn: string): string {
  const types = urn.split("::")[2] ?? "";
  return types.slice(types.lastIndexOf("$") + 1);
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
    if (typeOf(urn) === process.env["STAND_IN_REFUSES"]) throw new Error("The stand-in was told to refuse this");
    const id = physicalId(behaviourOf(urn).idPrefix ?? `${typeOf(urn).split(":").at(-1)}-`, urn);
    return { id, outs: { ...behaviourOf(urn).computed?.(id, inputs), ...inputs } };
  },
  async read(id, _urn, props: Properties) {
    return { id, props };
  },
  async update(id, urn, olds: Properties, news: Properties) {
    const behaviour = behaviourOf(urn);
    const inputs = plain(news) as Properties;
    const state = behaviour.update?.(plain(olds) as Properties, inputs) ?? inputs;
    return { outs: { ...behaviour.computed?.(id, inputs), ...state } };
  },
  async delete(_id, urn, state: Properties) {
    // Nothing but the engine's own state remembers the object.
    const refusal = behaviourOf(urn).refusesDeletion?.(plain(state) as Properties);
    if (refusal !== undefined) throw new Error(refusal);
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
