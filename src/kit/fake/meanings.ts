import type { SchedulerDefinition } from "../../executor/scheduler/definition.ts";
import type { NativeArray, StatusQuery, StatusStage, Target } from "../../executor/scheduler/native.ts";

/** What a command of a plugin is for, in the core's own terms. */
export type Meaning =
  | { verb: "submit"; array: NativeArray; script: string }
  | { verb: "status"; stage: StatusStage; query: StatusQuery }
  | { verb: "cancel" | "hold" | "release" | "requeue"; targets: Target[] }
  | { verb: "interrupt"; targets: Target[]; kind: "preempted" | "timeout" }
  | { verb: "limits" }
  | { verb: "partitions" }
  | { verb: "find"; token: string };

/**
 * Listens to a plugin while it makes commands, so that the pretended scheduler knows what each one is for without
 * being able to read any scheduler's options. Whether the words say what they should is the pure level's business.
 */
export class Meanings {
  readonly #known = new Map<string, Meaning>();
  /** The plugin, listened to. */
  readonly definition: SchedulerDefinition;

  constructor(plugin: SchedulerDefinition) {
    const { submit, limits, partitions, find, interrupt } = plugin;
    const verb = (name: "cancel" | "hold" | "release" | "requeue") => {
      const own = plugin[name];
      return own && ((targets: Target[]) => this.#note(own(targets), { verb: name, targets }));
    };
    this.definition = {
      ...plugin,
      submit: {
        ...submit,
        argv: (array, script) => this.#noteOne(submit.argv(array, script), { verb: "submit", array, script }),
      },
      status: plugin.status.map((stage) => ({
        ...stage,
        argv: (query) => this.#note(stage.argv(query), { verb: "status", stage, query }),
      })),
      cancel: (targets) => this.#note(plugin.cancel(targets), { verb: "cancel", targets }),
      hold: verb("hold"),
      release: verb("release"),
      requeue: verb("requeue"),
      interrupt:
        interrupt &&
        ((targets, kind) => this.#note(interrupt(targets, kind), { verb: "interrupt", targets, kind })),
      find: find && {
        ...find,
        argv: (uid, token) => this.#noteOne(find.argv(uid, token), { verb: "find", token }),
      },
    };
    if (limits) this.#noteOne(limits.argv, { verb: "limits" });
    if (partitions) this.#noteOne(partitions.argv, { verb: "partitions" });
  }

  /** What a command is for; null for one that the plugin did not make for any verb. */
  of(argv: string[]): Meaning | null {
    return this.#known.get(keyOf(argv)) ?? null;
  }

  #note(commands: string[][], meaning: Meaning): string[][] {
    for (const argv of commands) this.#known.set(keyOf(argv), meaning);
    return commands;
  }

  #noteOne(argv: string[], meaning: Meaning): string[] {
    this.#known.set(keyOf(argv), meaning);
    return argv;
  }
}

function keyOf(argv: string[]): string {
  return argv.join("\0");
}
