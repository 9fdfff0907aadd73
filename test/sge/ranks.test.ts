import { expect, test } from "bun:test";

import { admin } from "../helpers/cluster.ts";
import { eventually } from "../helpers/eventually.ts";
import { describeSge, TestSge } from "../helpers/sge.ts";

const TWO_NODES = ["-N", "2", "--ranks-per-node", "2"];
const LOGS = ["0.out", "0.1.out", "0.2.out", "0.3.out"];

const logsOf = (jobx: TestSge, id: string) => LOGS.map((name) => jobx.log(id, name).trim());

describeSge("a task of several ranks", () => {
  test("runs them on one node in its slots", async () => {
    const jobx = new TestSge();
    const script = "echo $JOBX_RANK of $NSLOTS; echo $JOBX_RANK >$JOBX_RESULT";
    const id = await jobx.submit(["--ranks-per-node", "2", "--", "sh", "-c", script]);
    expect(await jobx.wait(id)).toBe(0);
    expect([jobx.log(id), jobx.log(id, "0.1.out")]).toEqual(["0 of 2\n", "1 of 2\n"]);
    expect(await jobx.json<number[]>(["result", id])).toEqual([0, 1]);
  });

  test("runs on several nodes, and each rank knows its place and has the job's environment, a log and a value", async () => {
    const jobx = new TestSge({ user: "jobxsge" });
    const script =
      'echo "$JOBX_RANK $JOBX_LOCAL_RANK $RANK $LOCAL_RANK $WORLD_SIZE $LOCAL_WORLD_SIZE $TWO $JOBX_NODE $(hostname) $PWD"; echo $JOBX_RANK >$JOBX_RESULT';
    const env = { TWO: "a'\n\"b", LD_LIBRARY_PATH: "/opt/x" };
    const id = await jobx.submit([...TWO_NODES, "--distributed", "--", "sh", "-c", script, "two words"], {
      env,
    });
    expect(await jobx.wait(id)).toBe(0);
    expect(logsOf(jobx, id).map((log) => log.split(" ").slice(0, 6).join(" "))).toEqual([
      "0 0 0 0 4 2",
      "1 1 1 1 4 2",
      "2 0 2 0 4 2",
      "3 1 3 1 4 2",
    ]);
    const places = logsOf(jobx, id).map((log) => log.split(" ").slice(6));
    for (const [two, node, host, folder] of places)
      expect([two, node, folder]).toEqual([env.TWO, host, jobx.cwd]);
    expect(places[0]?.[1]).not.toBe(places[2]?.[1] ?? "");
    expect(await jobx.json<number[]>(["result", id])).toEqual([0, 1, 2, 3]);
  });

  test("calls a function once per rank, each with its own context", async () => {
    const jobx = new TestSge();
    const file = await jobx.file(
      "place.ts",
      `import { jobContext } from "jobx";
      export default function () {
        const { rank, localRank, numRanks, numNodes, hostnames, node } = jobContext();
        return [rank, localRank, numRanks, numNodes, hostnames.indexOf(node)];
      }`,
    );
    const id = await jobx.submit([...TWO_NODES, file]);
    expect(await jobx.wait(id)).toBe(0);
    expect(await jobx.json<unknown[]>(["result", id])).toEqual([
      [0, 0, 4, 2, 0],
      [1, 1, 4, 2, 0],
      [2, 0, 4, 2, 1],
      [3, 1, 4, 2, 1],
    ]);
  });

  test("fails as a whole, soon, when one rank does", async () => {
    const jobx = new TestSge();
    const id = await jobx.submit([
      ...TWO_NODES,
      "--",
      "sh",
      "-c",
      "test $JOBX_RANK = 3 && exit 7; exec sleep 300",
    ]);
    expect(await jobx.wait(id, 40)).toBe(1);
    const [task] = await jobx.tasks(id);
    expect(task).toMatchObject({ state: "failed", reason: "ended because rank 3 failed (exit code 7)" });
  });

  test("is warned on every node, and leaves to run again", async () => {
    const jobx = new TestSge();
    const script = "trap 'echo heard; exit 85' USR2; echo ready; while :; do sleep 0.1; done";
    const id = await jobx.submit([...TWO_NODES, "--", "sh", "-c", script]);
    for (const name of LOGS) await jobx.untilLogged(id, "ready", name);
    await admin("qmod", "-rj", ...(await jobx.natives(id)));
    for (const name of LOGS) await jobx.untilLogged(id, "heard", name);
    await eventually(async () => (await jobx.tasks(id))[0]?.attempt === 1, { timeoutMs: 30_000 });
    await jobx.ok(["cancel", id]);
    // Ends what stays in state Rt; else it may have gone by then.
    await admin("qdel", "-f", ...(await jobx.natives(id))).catch(() => null);
  });
});
