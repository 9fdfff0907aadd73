import { openChannel } from "./channel.ts";
import { prepareProcess } from "./process-state.ts";
import { runFunction, type RunningFunction, unsentReply } from "./run-function.ts";
import { isRequest } from "./runner-protocol.ts";

/** The descriptor that the supervisor talks over. */
const CHANNEL = 3;

/**
 * The process that runs functions, one at a time, for a supervisor that talks to it over descriptor 3.
 * It ends, with every process of its group, when the supervisor does.
 */
export async function runRunner(_argv: string[]): Promise<number> {
  prepareProcess();
  const ended = Promise.withResolvers<number>();
  let running: RunningFunction | null = null;

  const channel = openChannel(CHANNEL, {
    message(message) {
      if (!isRequest(message)) return ended.resolve(70);
      if (message.type === "abort") {
        const warned = running?.warning;
        if (!warned) return;
        // First, since the function's own answer may take its time.
        void channel.then((end) => {
          end.send({ kind: "heard", heeded: warned.isHeeded });
          warned.give(message.kind);
        });
        return;
      }
      const started = runFunction(message.task);
      running = started;
      void Promise.all([channel, started.reply]).then(([end, reply]) => {
        running = null;
        try {
          end.send(reply);
        } catch (error) {
          // Without a reply the supervisor would wait for ever.
          end.send(unsentReply(reply, error));
        }
      });
    },
    closed: () => ended.resolve(0),
  });
  await channel;
  const code = await ended.promise;
  endGroup();
  return code;
}

/** Nobody is left to tell: what the tasks started goes with this process. */
function endGroup(): void {
  try {
    process.kill(-process.pid, "SIGKILL");
  } catch {
    // Not the leader of a group of its own, for example when started by hand.
  }
}
