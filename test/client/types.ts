/**
 * Not run: `bun check` reads it. A line that stops being wrong, or a type that is no longer inferred, fails there.
 */
import {
  asCompleted,
  bind,
  call,
  command,
  createExecutor,
  defineTask,
  type ExecutorOptions,
  Job,
  type Rank,
  sequence,
  type Task,
  type TaskContext,
} from "../../src/index.ts";
import { add, double, later } from "./functions.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
declare function same<A, B>(yes: Same<A, B>): void;

export async function submissions() {
  const executor = await createExecutor({ time: "2h", gpus: "a100:2", slurm: { partition: "gpu" } });

  const sum = await executor.submit(add, 1, 2);
  same<typeof sum, Job<number>>(true);
  same<Awaited<ReturnType<typeof sum.result>>, number>(true);
  const text = await executor.submit(later, "x");
  same<typeof text, Job<string>>(true);
  const inline = await executor.submit((x: number) => ({ x }), 1);
  same<typeof inline, Job<{ x: number }>>(true);
  const bound = await executor.submit(
    bind((x: number) => x + 1, { k: 2 }),
    1,
  );
  same<typeof bound, Job<number>>(true);
  const reference = await executor.submit<Date>("fit.ts#fit", 1, "two");
  same<typeof reference, Job<Date>>(true);

  // @ts-expect-error an argument is missing
  await executor.submit(add, 1);
  // @ts-expect-error an argument is of another type
  await executor.submit(add, 1, "2");
  // @ts-expect-error there is one argument too many
  await executor.submit(double, 1, 2);
  // @ts-expect-error a number is nothing to call
  await executor.submit(1);
}

export async function arrays() {
  const executor = await createExecutor();
  const mapped = await executor.map(add, [1, 2], new Set([3, 4]));
  same<typeof mapped, Job<number>>(true);
  const values = await mapped.results();
  same<typeof values, number[]>(true);
  for await (const task of asCompleted(mapped)) same<typeof task, Task<number>>(true);
  for await (const job of asCompleted([mapped])) same<typeof job, Job<number>>(true);
  // @ts-expect-error the elements are of another type
  await executor.map(add, [1, 2], ["3", "4"]);
  // @ts-expect-error the second iterable is missing
  await executor.map(add, [1, 2]);

  const mixed = await executor.submitAll([call(add, 1, 2), call(later, "x")]);
  same<typeof mixed, Job<number | string>>(true);
  // @ts-expect-error the arguments of a call are those of its function
  call(add, "1", 2);

  // @ts-expect-error what is made of the values does not change their type
  const texts: string[] = await mapped.results();
  const perRank: string[][] = await mixed.results<string[]>();
  void [texts, perRank];

  const steps = await executor.submit(sequence([call(add, 1, 2), call(later, "x")]));
  same<typeof steps, Job<[number, string]>>(true);
}

export async function commands() {
  const executor = await createExecutor();
  const output = await executor.submit(command(["echo"]));
  same<typeof output, Job<string>>(true);
  const quiet = await executor.submit(command(["true"], { capture: false }));
  same<typeof quiet, Job<string | null>>(true);
  // @ts-expect-error a command is words, no line
  command("echo x");
  // @ts-expect-error the option does not exist
  command(["echo"], { shell: true });
}

export async function batches() {
  const executor = await createExecutor();
  const [a, b] = await executor.batch(
    (batch) => [batch.submit(add, 1, 2), batch.submit(later, "x")] as const,
  );
  same<typeof a, Task<number>>(true);
  same<typeof b, Task<string>>(true);
}

export async function tasks() {
  const executor = await createExecutor();
  const fit = defineTask({
    async run(ctx: TaskContext<{ epoch: number }>, args: { epochs: number }) {
      return (ctx.restored?.epoch ?? 0) + args.epochs;
    },
  });
  const job = await executor.submit(fit, { epochs: 3 });
  same<typeof job, Job<number>>(true);
  const sweep = await executor.map(fit, [{ epochs: 3 }]);
  same<typeof sweep, Job<number>>(true);
  // @ts-expect-error the arguments are those of run, without ctx
  await executor.submit(fit, { epoch: 3 });
}

export async function handles(selector: string) {
  same<Awaited<ReturnType<typeof Job.attach<number>>>, Job<number> | Task<number> | Rank<number>>(true);
  const job = await Job.attach<number>("12");
  same<typeof job, Job<number>>(true);
  const task = await Job.attach<number>("12.3");
  same<typeof task, Task<number>>(true);
  const rank = await Job.attach<number>("12.3:1");
  same<typeof rank, Rank<number>>(true);
  const last = await Job.attach("last");
  same<typeof last, Job<unknown>>(true);
  const any = await Job.attach<number>(selector);
  same<Awaited<ReturnType<typeof any.result>>, number>(true);
  await using kept = job;
  same<typeof kept, Job<number>>(true);
}

export const options: ExecutorOptions[] = [
  { time: 90, mem: 1e9, pack: { tasks: 4, slots: 2 }, after: [12, "last", { job: "13.0-9", kind: "any" }] },
  // @ts-expect-error the option does not exist
  { tiem: 90 },
  // @ts-expect-error a limit is a number or a text
  { time: true },
  // @ts-expect-error there is no such kind
  { after: { job: 12, kind: "sometimes" } },
];
