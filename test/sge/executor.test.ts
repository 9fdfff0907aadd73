import { expect, test } from "bun:test";

import { admin } from "../helpers/cluster.ts";
import { eventually } from "../helpers/eventually.ts";
import { describeSge, startQmaster, stopQmaster, TestSge } from "../helpers/sge.ts";

describeSge("the executor", () => {
  test("runs a sweep of a hundred tasks as one array, and asks rarely how it goes", async () => {
    const jobx = new TestSge({ user: "jobxsge" });
    const id = await jobx.submit([
      "--sweep",
      "x=1..20",
      "--sweep",
      "y=1..5",
      "--",
      "sh",
      "-c",
      "echo $(({x} * {y}))",
    ]);
    expect(await jobx.wait(id)).toBe(0);
    const tasks = await jobx.tasks(id);
    expect(tasks.filter((task) => task.state === "succeeded")).toHaveLength(100);
    expect(new Set(tasks.map((task) => task.node))).toEqual(new Set(["sge1", "sge2"]));
    expect(jobx.log(id, "99.out")).toBe("100\n");
    expect(jobx.calls("qsub")).toBe(1);
    // Asked of the array as a whole, where it has left qstat a moment before its last record is seen.
    expect(jobx.calls("qacct")).toBeLessThanOrEqual(1);
  });

  test("runs a command in the submitter's environment, with what Grid Engine tells of the job", async () => {
    const jobx = new TestSge();
    const env = { LD_LIBRARY_PATH: "/opt/x/lib", TWO: "a\nb", SGE_TASK_ID: "9", JOB_ID: "8" };
    const id = await jobx.submit(
      ["--", "sh", "-c", 'echo "$LD_LIBRARY_PATH|$TWO|$SGE_TASK_ID|$QUEUE|$PWD|$JOBX_NODE|$(hostname)"'],
      { env },
    );
    expect(await jobx.wait(id)).toBe(0);
    const [library, two, task, queue, folder, node, host] = jobx.log(id).trim().split("|");
    expect([library, two, task, queue, folder]).toEqual([
      "/opt/x/lib",
      "a\nb",
      "undefined",
      "main.q",
      jobx.cwd,
    ]);
    expect(node).toBe(host ?? "");
  });

  test("runs a function, and its value is the result", async () => {
    const jobx = new TestSge({ user: "jobxsge" });
    await jobx.file("add.ts", "export default (a: number, b: number) => ({ sum: a + b });\n");
    const id = await jobx.submit(["add.ts", "--args", "[20,22]"]);
    expect(await jobx.wait(id)).toBe(0);
    expect(await jobx.json<unknown>(["result", id])).toEqual({ sum: 42 });
  });

  test("tells of a failure with its exit code, also of those that mean something to Grid Engine", async () => {
    const jobx = new TestSge();
    const id = await jobx.submit(["--array", "0-2", "--", "sh", "-c", "exit $((98 + {index}))"]);
    expect(await jobx.wait(id)).toBe(1);
    expect((await jobx.tasks(id)).map(({ state, exitCode }) => [state, exitCode])).toEqual([
      ["failed", 98],
      ["failed", 99],
      ["failed", 100],
    ]);
  });

  test("cancels tasks that wait and tasks that run, in one call each time", async () => {
    const jobx = new TestSge();
    const id = await jobx.submit(["--array", "0-5%2", "--", "sh", "-c", "echo started; sleep 100"]);
    await jobx.untilLogged(id, "started", "1.out");
    await jobx.ok(["cancel", `${id}.1`, `${id}.3-4`]);
    await eventually(async () => (await jobx.tasks(id))[1]?.state === "cancelled", { timeoutMs: 30_000 });
    await jobx.untilLogged(id, "started", "2.out");
    const states = async () => (await jobx.tasks(id)).map((task) => task.state).join(" ");
    const wanted = "running cancelled running cancelled cancelled queued";
    await eventually(async () => (await states()) === wanted, { what: wanted });
    await jobx.ok(["cancel", id]);
    expect(await jobx.wait(id, 30)).toBe(1);
    expect(new Set((await jobx.tasks(id)).map((task) => task.state))).toEqual(new Set(["cancelled"]));
    expect(jobx.calls("qdel")).toBe(2);
  });

  test("runs no more tasks at once than --parallel allows", async () => {
    const jobx = new TestSge();
    const script = `mkdir ${jobx.cwd}/{index}; ls ${jobx.cwd} | wc -l; sleep 0.2; rmdir ${jobx.cwd}/{index}`;
    const id = await jobx.submit(["--array", "0-7%2", "--", "sh", "-c", script]);
    expect(await jobx.wait(id)).toBe(0);
    const most = Math.max(...Array.from({ length: 8 }, (_, task) => Number(jobx.log(id, `${task}.out`))));
    expect(most).toBeLessThanOrEqual(2);
  });

  test("holds and releases", async () => {
    const jobx = new TestSge();
    const before = await jobx.submit(["--", "sleep", "2"]);
    const id = await jobx.submit(["--after", before, "--array", "0-1", "--", "true"]);
    await jobx.ok(["hold", id]);
    expect(await jobx.wait(before)).toBe(0);
    expect(await jobx.ok(["status", id])).toContain("held");
    await jobx.ok(["release", id]);
    expect(await jobx.wait(id)).toBe(0);
  });

  test("starts jobs after others, and judges by records how those have ended", async () => {
    const jobx = new TestSge();
    const good = await jobx.submit(["--", "sleep", "1"]);
    const bad = await jobx.submit(["--array", "0-1", "--", "sh", "-c", "sleep 1; exit {index}"]);
    const after = await jobx.submit(["--after", good, "--", "true"]);
    const never = await jobx.submit(["--after", bad, "--", "true"]);
    const any = await jobx.submit(["--after", `${bad}:any`, "--", "true"]);
    const fail = await jobx.submit(["--after", `${bad}:fail`, "--", "true"]);
    const each = await jobx.submit(["--array", "0-1", "--after", `${bad}:each`, "--", "true"]);
    await jobx.run(["wait", "--timeout", "100s", good, bad, after, never, any, fail, each]);
    for (const id of [after, any, fail]) expect(await jobx.tasks(id)).toMatchObject([{ state: "succeeded" }]);
    expect(await jobx.tasks(never)).toMatchObject([
      { state: "cancelled", reason: `job ${bad}, which it waits for, is failed` },
    ]);
    expect(await jobx.tasks(each)).toMatchObject([
      { state: "succeeded" },
      { state: "cancelled", reason: `task ${bad}.1, which it waits for, is failed` },
    ]);
  });

  test("splits what is larger than an array may be", async () => {
    const jobx = new TestSge();
    const id = await jobx.submit(["-o", "begin=203001010000", "--array", "0-2500%5", "--", "true"]);
    expect(await jobx.natives(id)).toHaveLength(3);
    expect(await jobx.json<object>(["status", id])).toMatchObject({ counts: { queued: 2501 } });
    await jobx.ok(["cancel", `${id}.0-1499`]);
    expect(await jobx.json<object>(["status", id])).toMatchObject({
      counts: { queued: 1001, cancelled: 1500 },
    });
    await jobx.ok(["cancel", id]);
    expect(await jobx.wait(id, 30)).toBe(1);
  });

  test("asks for slots, memory, GPUs and time by the site's names", async () => {
    const jobx = new TestSge();
    const asked = ["-c", "3", "--mem", "100M", "--gpus", "2", "-t", "5m", "-p", "main.q", "-A", "dev"];
    const id = await jobx.submit([
      ...asked,
      "-o",
      "account-string=a.b",
      "--",
      "sh",
      "-c",
      "echo $NSLOTS; sleep 2",
    ]);
    await jobx.untilLogged(id, "3");
    const [native = ""] = await jobx.natives(id);
    const shown = await admin("qstat", "-j", native);
    expect(shown).toMatch(
      /hard resource_list: +(?=.*mem_free=102400K)(?=.*gpu=2)h_rt=390|hard resource_list:.*h_rt=390/,
    );
    expect(shown).toMatch(/parallel environment: +smp range: 3/);
    expect(shown).toMatch(/project: +dev/);
    expect(await jobx.wait(id)).toBe(0);
  });

  test("shows Grid Engine's own words when it refuses, and leaves nothing", async () => {
    const jobx = new TestSge();
    const refused = await jobx.run(["submit", "-p", "nope.q", "--", "true"]);
    expect(refused.code).toBe(3);
    expect(refused.err).toContain('unknown queue "nope.q"');
    expect(refused.err).toContain("qconf -sql");
    expect(await jobx.json<unknown[]>(["list"])).toEqual([]);
    expect((await jobx.run(["submit", "--qos", "high", "--", "true"])).code).toBe(2);
  });

  test("runs where the home's path has spaces, quotes and dollar signs", async () => {
    const base = new TestSge();
    const env = { JOBX_HOME: `${base.root}/it's $HOME, 100%:a "home"` };
    const id = await base.submit(["--array", "0-1", "--", "sh", "-c", "echo hi; echo oops >&2"], { env });
    expect((await base.run(["wait", "--timeout", "60s", id], { env })).code).toBe(0);
    expect(await base.ok(["logs", `${id}.1`], { env })).toContain("hi");
  });

  test("submits once a qmaster that was away is back, and waits through its absence", async () => {
    const jobx = new TestSge();
    const running = await jobx.submit(["--", "sh", "-c", "echo started; sleep 5"]);
    await jobx.untilLogged(running, "started");
    await stopQmaster();
    const submitting = jobx.run(["submit", "-q", "--", "true"]);
    const waiting = jobx.wait(running, 100);
    try {
      await eventually(() => jobx.calls("qsub") >= 3, { timeoutMs: 30_000 });
    } finally {
      await startQmaster();
    }
    expect((await submitting).code).toBe(0);
    expect(await waiting).toBe(0);
  });
});
