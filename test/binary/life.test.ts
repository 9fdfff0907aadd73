import { describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { readSpec, writeSpec } from "../../src/store/jobs.ts";
import { eventually } from "../helpers/eventually.ts";
import { TestJobx } from "../helpers/jobx.ts";

const jobx = new TestJobx();

type Task = { index: number; state: string; attempt: number; reason: string | null; exitCode: number | null };
type Status = { id: number; state: string; counts: Record<string, number>; tasks: Task[] };

const status = (id: string) => jobx.json<Status>(["status", "--tasks", id]);

describe("the life of a job", () => {
  test("submit answers with the documented JSON, and wait with the exit code of the tasks", async () => {
    const answer = await jobx.json<{ id: number }>(["submit", "--", "true"]);
    expect(answer).toMatchObject({
      name: "true",
      executor: "local",
      tasks: 1,
      dir: join(jobx.home, "jobs", String(answer.id)),
    });
    expect((await jobx.run(["wait", String(answer.id)])).code).toBe(0);
    const failed = await jobx.submit(["--", "false"]);
    const waited = await jobx.run(["wait", failed]);
    expect(waited.code).toBe(1);
    expect(waited.err).toContain("exit code 1");
  });

  test("a failed task is tried again as often as --retries says", async () => {
    const file = join(jobx.cwd, "tries");
    const id = await jobx.submit([
      "--retries",
      "3",
      "--wait",
      "--",
      "sh",
      "-c",
      `echo x >> ${file}; test $(wc -l < ${file}) -eq 3`,
    ]);
    const { tasks, state } = await status(id);
    expect(state).toBe("succeeded");
    expect(tasks[0]?.attempt).toBe(2);
    expect(readFileSync(file, "utf8")).toBe("x\nx\nx\n");
  });

  test("a time limit ends the whole process group and says so", async () => {
    const file = join(jobx.cwd, "grandchild");
    const ran = await jobx.run([
      "submit",
      "--time",
      "1s",
      "--wait",
      "--",
      "sh",
      "-c",
      `sleep 1000 & echo $! > ${file}; wait`,
    ]);
    expect(ran.code).toBe(1);
    expect(ran.err).toContain("1s");
    expect((await status("last")).state).toBe("timeout");
    const pid = readFileSync(file, "utf8").trim();
    await eventually(() => isGone(pid));
  });

  test("cancel ends running tasks with their grandchildren, and waiting ones never start", async () => {
    const file = join(jobx.cwd, "cancelled-grandchild");
    const id = await jobx.submit([
      "--parallel",
      "1",
      "--array",
      "0-3",
      "--",
      "sh",
      "-c",
      `(setsid sleep 1000 & echo $! > ${file}); sleep 1000`,
    ]);
    const pid = await eventually(() => (existsSync(file) ? readFileSync(file, "utf8").trim() : null));
    const cancelled = await jobx.run(["cancel", id]);
    expect(cancelled.code).toBe(0);
    expect((await jobx.run(["wait", id])).code).toBe(1);
    expect((await status(id)).counts).toMatchObject({ cancelled: 4 });
    await eventually(() => isGone(pid));
    const again = await jobx.run(["cancel", id]);
    expect(again.code).toBe(0);
    expect(again.out + again.err).toContain("already");
  });

  test("cancelling a job whose setup runs ends the setup", async () => {
    const file = join(jobx.cwd, "setup-pid");
    const line = `sleep 1000 & echo $! > ${file}; wait`;
    const id = await jobx.submit(["--setup", line, "--", "true"]);
    const pid = await eventually(() => (existsSync(file) ? readFileSync(file, "utf8").trim() : null));
    await jobx.ok(["cancel", id]);
    expect((await jobx.run(["wait", id])).code).toBe(1);
    expect((await status(id)).tasks[0]?.state).toBe("cancelled");
    await eventually(() => isGone(pid));
  });

  test("seen from another host, a job whose queue is silent says where it belongs", async () => {
    const id = await jobx.submit(["--", "sleep", "1000"]);
    await jobx.until(id, ["running"]);
    const dir = join(jobx.home, "jobs", id);
    const spec = readSpec(dir);
    writeSpec(dir, { ...spec, host: "elsewhere" });
    const seen = await status(id);
    writeSpec(dir, spec);
    expect(seen.tasks[0]).toMatchObject({ state: "running", reason: expect.stringContaining("elsewhere") });
    await jobx.ok(["cancel", id]);
  });

  test("one task can be cancelled alone", async () => {
    const id = await jobx.submit(["--array", "0-2", "--", "true"]);
    await jobx.run(["wait", id]);
    const slow = await jobx.submit(["--array", "0-1", "--parallel", "1", "--", "sleep", "1000"]);
    await jobx.until(slow, ["running"]);
    await jobx.ok(["cancel", `${slow}.0`]);
    await eventually(async () => (await status(slow)).tasks[1]?.state === "running");
    expect((await status(slow)).tasks[0]?.state).toBe("cancelled");
    await jobx.ok(["cancel", slow]);
  });

  test("held tasks wait until they are released", async () => {
    const gate = await jobx.submit(["--", "sh", "-c", "while ! test -e gate; do sleep 0.05; done"]);
    const id = await jobx.submit(["--after", gate, "--", "true"]);
    await jobx.ok(["hold", id]);
    await jobx.file("gate", "");
    await jobx.ok(["wait", gate]);
    const { state, tasks } = await status(id);
    expect(state).toBe("queued");
    expect(tasks[0]?.reason).toContain("release");
    await jobx.ok(["release", id]);
    await jobx.ok(["wait", id]);
  });

  test("a job starts after the one it waits for, and is cancelled by name when that fails", async () => {
    const first = await jobx.submit(["--", "sh", "-c", "while ! test -e open; do sleep 0.05; done; exit 3"]);
    const ok = await jobx.submit(["--after", first, "--", "true"]);
    const any = await jobx.submit(["--after", `${first}:any`, "--", "true"]);
    const fail = await jobx.submit(["--after", `${first}:fail`, "--", "true"]);
    expect((await status(ok)).tasks[0]?.reason).toContain(first);
    await jobx.file("open", "");
    expect((await jobx.run(["wait", any, fail])).code).toBe(0);
    expect((await jobx.run(["wait", ok])).code).toBe(1);
    const { tasks } = await status(ok);
    expect(tasks[0]).toMatchObject({ state: "cancelled" });
    expect(tasks[0]?.reason).toContain(first);
    const refused = await jobx.run(["submit", "--after", first, "--", "true"]);
    expect(refused.code).toBe(3);
    expect(refused.err).toContain(first);
  });

  test("the end goes down a chain of waiting jobs, also to a wait that began before", async () => {
    const first = await jobx.submit(["--", "sh", "-c", "while ! test -e chain; do sleep 0.05; done; exit 3"]);
    const second = await jobx.submit(["--after", first, "--", "true"]);
    const third = await jobx.submit(["--after", second, "--", "true"]);
    const last = await jobx.submit(["--after", `${third}:any`, "--", "true"]);
    const waits = Promise.all([second, third, last].map((id) => jobx.run(["wait", id])));
    await jobx.file("chain", "");
    expect((await waits).map((ran) => ran.code)).toEqual([1, 1, 0]);
    expect((await status(third)).tasks[0]?.reason).toContain(`job ${second}`);
  });

  test("some tasks of a held job can be released alone", async () => {
    const gate = await jobx.submit(["--", "sh", "-c", "while ! test -e held; do sleep 0.05; done"]);
    const id = await jobx.submit(["--after", gate, "--array", "0-3", "--", "true"]);
    await jobx.ok(["hold", id]);
    await jobx.file("held", "");
    await jobx.ok(["release", `${id}.1`]);
    await jobx.ok(["wait", `${id}.1`]);
    const { tasks } = await status(id);
    expect(tasks.map((task) => task.state)).toEqual(["queued", "succeeded", "queued", "queued"]);
    expect(tasks[3]?.reason).toContain("release");
    await jobx.ok(["release", id]);
    await jobx.ok(["wait", id]);
  });

  test("retry --failed runs the failed tasks again, with the same arguments, as a new job", async () => {
    const id = await jobx
      .submit([
        "--array",
        "0-3",
        "--wait",
        "--capture",
        "--",
        "sh",
        "-c",
        "test {index} -lt 2 || test -e mended && echo {index}",
      ])
      .catch(async () => "last");
    expect((await jobx.run(["wait", id])).code).toBe(1);
    await jobx.file("mended", "");
    const again = (await jobx.ok(["retry", "-q", "--failed", id])).trim();
    await jobx.ok(["wait", again]);
    expect(await jobx.json<unknown>(["result", again])).toEqual(["2", "3"]);
  });

  test("retry --dry-run says what would be submitted, and submits nothing", async () => {
    const id = await jobx.submit(["--array", "0-3", "--", "sh", "-c", "test {index} -lt 2"]);
    await jobx.run(["wait", id]);
    const before = await jobx.ok(["list", "-q"]);
    const plan = await jobx.ok(["retry", "--dry-run", "--failed", "-c", "1", id]);
    expect(plan).toStartWith("Would submit 2 tasks to local");
    expect(plan).toContain("1 CPUs");
    expect(plan).toContain(`again from  ${id}.2-3`);
    expect(plan).toContain("task 1: sh -c 'test 3 -lt 2'");
    expect(await jobx.ok(["list", "-q"])).toBe(before);
  });

  test("retry --wait and --follow stay to the end of the new job, and end as it does", async () => {
    const id = await jobx.submit(["--", "sh", "-c", "echo said; test -e whole"]);
    expect((await jobx.run(["wait", id])).code).toBe(1);
    const failed = await jobx.run(["retry", "--wait", id]);
    expect(failed.code).toBe(1);
    expect(failed.err).toContain("exit code 1");
    await jobx.file("whole", "");
    const followed = await jobx.run(["retry", "--follow", id]);
    expect(followed.code).toBe(0);
    expect(followed.out).toContain("said");
    expect((await jobx.run(["--json", "retry", "--follow", id])).code).toBe(2);
  });

  test("a local job inside an allocation is said to end with it, unless it is waited for", async () => {
    const env = { SLURM_JOB_ID: "4211" };
    const note = /ends with slurm-4211, which this runs in: wait for it, by --wait or jobx wait \d+\n/;
    expect((await jobx.run(["submit", "--", "true"], { env })).err).toMatch(note);
    expect((await jobx.run(["submit", "--wait", "--", "true"], { env })).err).not.toContain("slurm-4211");
    expect((await jobx.run(["submit", "--", "true"])).err).not.toContain("ends with");
  });

  test("never more tasks at once than --parallel", async () => {
    const script =
      'mkdir run-$JOBX_TASK; n=$(ls -d run-* | wc -l); echo $n; sleep 0.05; rmdir run-$JOBX_TASK; test "$n" -le 1';
    const id = await jobx.submit(["--array", "0-5", "--parallel", "1", "--", "sh", "-c", script]);
    await jobx.ok(["wait", id]);
  });

  test("ranks run side by side with a log and a result each", async () => {
    const id = await jobx.submit([
      "--ranks-per-node",
      "2",
      "-c",
      "1",
      "--capture",
      "--wait",
      "--",
      "sh",
      "-c",
      "echo rank $JOBX_RANK",
    ]);
    expect(await jobx.json<unknown>(["result", id])).toEqual(["rank 0", "rank 1"]);
    expect(await jobx.json<unknown>(["result", `${id}.0:1`])).toBe("rank 1");
    expect(await jobx.ok(["logs", "--stdout", `${id}.0:1`])).toContain("rank 1");
  });

  test("the wait ends at its own time limit, and the job goes on", async () => {
    const id = await jobx.submit(["--", "sleep", "1000"]);
    const waited = await jobx.run(["wait", "--timeout", "1s", id]);
    expect(waited.code).toBe(5);
    await jobx.until(id, ["running"]);
    await jobx.ok(["cancel", id]);
  });

  test("memory above --mem ends the task as OUT_OF_MEMORY", async () => {
    const hog = "x=$(head -c 300000000 /dev/zero | tr '\\0' x); sleep 30";
    const ran = await jobx.run(["submit", "--mem", "100M", "--wait", "--", "bash", "-c", hog]);
    expect(ran.code).toBe(1);
    expect((await status("last")).tasks[0]?.reason).toContain("OUT_OF_MEMORY");
  });

  test("exit code 85 asks for another run, up to --max-timeouts", async () => {
    const id = await jobx.submit([
      "--max-timeouts",
      "5",
      "--",
      "sh",
      "-c",
      'echo x >> "$JOBX_CHECKPOINT_DIR/steps"; test $(wc -l < "$JOBX_CHECKPOINT_DIR/steps") -ge 3 || exit 85',
    ]);
    await jobx.ok(["wait", id]);
    expect((await status(id)).tasks[0]?.attempt).toBe(2);
  });

  test("exit code 85 without end says what stopped it", async () => {
    const reason = async (...options: string[]) => {
      await jobx.run(["submit", "--wait", ...options, "--", "sh", "-c", "exit 85"]);
      return (await status("last")).tasks[0]?.reason;
    };
    expect(await reason("--max-timeouts", "1")).toBe(
      "exit code 85 asks for another run, and --max-timeouts 1 allows no further one",
    );
    expect(await reason("--no-requeue")).toBe(
      "exit code 85 asks for another run, and --no-requeue forbids it",
    );
  });
});

function isGone(pid: string): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.startsWith("Z") ?? true;
  } catch {
    return true;
  }
}
