import { errnoOf, JobxError, usageError } from "../errors.ts";
import { REPLACEMENT } from "../model/utf8.ts";
import { type Invocation, parseInvocation } from "./args/strict.ts";
import { CliContext, type Globals } from "./context.ts";
import { failureExit, showFailure } from "./failure.ts";
import { isTerminal, makeOutput, wantsColor } from "./output.ts";

/** Runs one command line and gives the process's exit code: the number that the command gave back, else 0. Throws nothing. */
export async function runCommandLine(argv: string[], version: string): Promise<number> {
  const env = process.env;
  const plain = outputFor({ json: false, quiet: false, verbose: false, color: undefined });
  let verbose = argv.includes("-v") || argv.includes("--verbose");
  const fail = (error: unknown) => {
    showFailure(error, plain, { verbose, version, argv });
    return failureExit(error);
  };
  process.on("uncaughtException", (error) => process.exit(fail(error)));
  process.on("unhandledRejection", (error) => process.exit(fail(error)));
  try {
    if (argv.some((word) => word.includes(REPLACEMENT)))
      (await import("./args/foreign-words.ts")).checkWords();
    const invocation = await parseInvocation(argv);
    verbose = invocation.globals.verbose;
    const output = outputFor(invocation.globals);
    if (invocation.kind === "version") {
      output.result({ json: { version }, quiet: [version], text: () => version });
      return 0;
    }
    if (invocation.kind === "help") {
      output.write(await helpFor(invocation, output.style));
      return 0;
    }
    const context = new CliContext({
      globals: invocation.globals,
      output,
      env,
      cwd: currentFolder(),
      positionals: invocation.positionals,
      rest: invocation.rest,
      values: invocation.values,
    });
    process.on("SIGINT", () => {
      if (!context.interrupt()) process.exit(130);
    });
    const { command } = invocation;
    if (!command.run) throw new JobxError("BUG", `${argv.join(" ")} names a command that does nothing`);
    // citty types `args` by each command's own declaration, which the strict layer has just followed.
    const call = { rawArgs: argv, args: invocation.args, cmd: command, data: context };
    const code: unknown = await Reflect.apply(command.run, command, [call]);
    return typeof code === "number" ? code : 0;
  } catch (error) {
    return fail(error);
  }
}

function currentFolder(): string {
  try {
    return process.cwd();
  } catch (error) {
    if (errnoOf(error) !== "ENOENT") throw error;
    throw usageError("The current folder is gone: it was removed", "Go to another one, e.g. cd ~");
  }
}

async function helpFor(
  invocation: Extract<Invocation, { kind: "help" }>,
  style: ReturnType<typeof makeOutput>["style"],
): Promise<string> {
  const { renderCommandHelp, renderRootHelp } = await import("./args/help.ts");
  return invocation.command ? renderCommandHelp(invocation.command, style) : renderRootHelp(style);
}

function outputFor(globals: Omit<Globals, "home" | "profile">) {
  return makeOutput({
    ...globals,
    color: {
      get out() {
        return wantsColor(globals.color, process.env, () => isTerminal(1));
      },
      get err() {
        return wantsColor(globals.color, process.env, () => isTerminal(2));
      },
    },
  });
}
