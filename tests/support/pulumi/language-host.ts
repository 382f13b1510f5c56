/**
 * What `pulumi-language-nodejs` does to run a program, for machines whose `pulumi` was built from source and came without it: the
 * engine's request becomes a process `node @pulumi/pulumi/cmd/run …` with the `node` that stands first on PATH.
 */
import { spawn } from "node:child_process";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import * as grpc from "@grpc/grpc-js";
import languageService from "@pulumi/pulumi/proto/language_grpc_pb.js";
import language from "@pulumi/pulumi/proto/language_pb.js";
import plugin from "@pulumi/pulumi/proto/plugin_pb.js";
import { sdkVersion } from "./sdk-types.ts";

/** With this status the program says that it has already told the user what is wrong. */
const ALREADY_REPORTED = 32;

const [engineAddress = ""] = process.argv.slice(2).filter((argument) => !argument.startsWith("-"));

type RunRequest = InstanceType<typeof language.RunRequest>;

function runProgram(request: RunRequest): Promise<{ code: number | null; signal: string | null }> {
  const folder = request.getInfo()?.getProgramDirectory() ?? request.getPwd();
  const run = createRequire(join(folder, "package.json")).resolve("@pulumi/pulumi/cmd/run");
  const options: Record<string, string> = {
    monitor: request.getMonitorAddress(),
    engine: engineAddress,
    organization: request.getOrganization(),
    project: request.getProject(),
    "root-directory": request.getInfo()?.getRootDirectory() ?? "",
    stack: request.getStack(),
    pwd: request.getPwd(),
    parallel: String(request.getParallel()),
  };
  const flags = Object.entries(options).flatMap(([name, value]) => (value === "" ? [] : [`--${name}`, value]));
  if (request.getDryrun()) flags.push("--dry-run");
  const program = request.getInfo()?.getEntryPoint() || request.getProgram() || ".";
  const child = spawn("node", [run, ...flags, program, ...request.getArgsList()], {
    stdio: ["ignore", "inherit", "inherit"],
    env: {
      ...process.env,
      PULUMI_CONFIG: JSON.stringify(Object.fromEntries(request.getConfigMap().getEntryList())),
      PULUMI_CONFIG_SECRET_KEYS: JSON.stringify(request.getConfigsecretkeysList()),
    },
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("exit", (code, signal) => resolve({ code, signal }));
  });
}

const run: grpc.handleUnaryCall<RunRequest, InstanceType<typeof language.RunResponse>> = (call, answer) => {
  runProgram(call.request).then(
    ({ code, signal }) => {
      const response = new language.RunResponse();
      if (code === ALREADY_REPORTED) response.setBail(true);
      else if (code !== 0) response.setError(`The program ended with ${signal ?? `status ${code}`}`);
      answer(null, response);
    },
    (error: Error) => answer({ code: grpc.status.INTERNAL, details: error.message }),
  );
};

const server = new grpc.Server();
server.addService(languageService.LanguageRuntimeService, {
  run,
  getPluginInfo: ((_call, answer) => {
    const info = new plugin.PluginInfo();
    info.setVersion(sdkVersion("pulumi"));
    answer(null, info);
  }) satisfies grpc.handleUnaryCall<unknown, InstanceType<typeof plugin.PluginInfo>>,
  getRequiredPackages: ((_call, answer) => {
    answer(null, new language.GetRequiredPackagesResponse());
  }) satisfies grpc.handleUnaryCall<unknown, InstanceType<typeof language.GetRequiredPackagesResponse>>,
  getRequiredPlugins: ((_call, answer) => {
    answer(null, new language.GetRequiredPluginsResponse());
  }) satisfies grpc.handleUnaryCall<unknown, InstanceType<typeof language.GetRequiredPluginsResponse>>,
});
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  // The engine reads the port from the first line.
  process.stdout.write(`${port}\n`);
});
