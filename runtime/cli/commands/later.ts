/** Commands that the design names and this version does not have yet: they say so, rather than "unknown command". */
import { Command } from "commander";
import { NovaError } from "../../core/errors.ts";

const LATER: Readonly<Record<string, string>> = {
  ls: "Until then, `novadrive compile` names every model and test.",
  show: "Until then, `novadrive compile --select <model>` prints a model's SQL.",
  docs: "Until then, see README.md, docs/errors.md and `novadrive --help`.",
};

export function laterCommands(): readonly Command[] {
  return Object.entries(LATER).map(([name, remedy]) =>
    new Command(name)
      .description("comes in a later version")
      .allowUnknownOption()
      .allowExcessArguments()
      .action(() => {
        throw new NovaError("NOT_AVAILABLE", `\`novadrive ${name}\` is not part of this version yet.`, { remedy });
      }),
  );
}
