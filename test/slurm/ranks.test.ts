import { expect, test } from "bun:test";

import { admin, describeSlurm, TestSlurm } from "../helpers/slurm.ts";

const TWO_NODES = ["-N", "2", "--ranks-per-node", "2"];

const MPI = `
#include <mpi.h>
#include <stdio.h>
int main(int argc, char **argv) {
  int rank, size, sum;
  MPI_Init(&argc, &argv);
  MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  MPI_Comm_size(MPI_COMM_WORLD, &size);
  MPI_Allreduce(&rank, &sum, 1, MPI_INT, MPI_SUM, MPI_COMM_WORLD);
  printf("rank %d of %d, sum %d\\n", rank, size, sum);
  MPI_Finalize();
  return 0;
}
`;

const logsOf = (jobx: TestSlurm, id: string) =>
  ["0.out", "0.1.out", "0.2.out", "0.3.out"].map((name) => jobx.log(id, name).trim());

describeSlurm("a task of several ranks", () => {
  test("runs on its nodes, and each rank knows its place and has a log and a value", async () => {
    const jobx = new TestSlurm({ user: "jobxtest" });
    const script =
      'echo "$JOBX_RANK $JOBX_LOCAL_RANK $RANK $LOCAL_RANK $WORLD_SIZE $LOCAL_WORLD_SIZE $JOBX_NODE $(hostname)"; echo $JOBX_RANK >$JOBX_RESULT';
    const id = await jobx.submit([...TWO_NODES, "--distributed", "--", "sh", "-c", script]);
    expect(await jobx.wait(id)).toBe(0);
    const nodes = jobx.log(id).split(" ")[6];
    expect(logsOf(jobx, id).map((log) => log.split(" ").slice(0, 6).join(" "))).toEqual([
      "0 0 0 0 4 2",
      "1 1 1 1 4 2",
      "2 0 2 0 4 2",
      "3 1 3 1 4 2",
    ]);
    for (const log of logsOf(jobx, id)) expect(log.split(" ")[6]).toBe(log.split(" ")[7] ?? "");
    expect(logsOf(jobx, id)[2]?.split(" ")[6]).not.toBe(nodes ?? "");
    expect(await jobx.json<number[]>(["result", id])).toEqual([0, 1, 2, 3]);
  });

  test("is an MPI program when srun is told how to start one", async () => {
    const jobx = new TestSlurm();
    const source = await jobx.file("sum.c", MPI);
    await admin("mpicc.mpich", "-o", `${jobx.cwd}/sum`, source);
    const id = await jobx.submit([...TWO_NODES, "-o", "srun-args=--mpi=pmi2", "--", "./sum"]);
    expect(await jobx.wait(id)).toBe(0);
    expect(logsOf(jobx, id)).toEqual([0, 1, 2, 3].map((rank) => `rank ${rank} of 4, sum 6`));
  });

  test("calls a function once per rank, each with its own context", async () => {
    const jobx = new TestSlurm();
    const file = await jobx.file(
      "place.ts",
      `import { jobContext } from "jobx";
      export default function () {
        const { rank, localRank, numRanks, numNodes, hostnames, node } = jobContext();
        return [rank, localRank, numRanks, numNodes, hostnames.indexOf(node), process.env.MASTER_ADDR === hostnames[0]];
      }`,
    );
    const id = await jobx.submit([...TWO_NODES, "--distributed", file]);
    expect(await jobx.wait(id)).toBe(0);
    expect(await jobx.json<unknown[]>(["result", id])).toEqual([
      [0, 0, 4, 2, 0, true],
      [1, 1, 4, 2, 0, true],
      [2, 0, 4, 2, 1, true],
      [3, 1, 4, 2, 1, true],
    ]);
  });

  test("fails as a whole, soon, when one rank does", async () => {
    const jobx = new TestSlurm();
    const id = await jobx.submit([
      ...TWO_NODES,
      "--",
      "sh",
      "-c",
      "test $JOBX_RANK = 3 && exit 7; exec sleep 300",
    ]);
    expect(await jobx.wait(id, 60)).toBe(1);
    const [task] = await jobx.tasks(id);
    expect(task).toMatchObject({
      state: "failed",
      reason: "ended because rank 3 failed (exit code 7)",
    });
  });

  test("is warned on every node where it listens, and all its ranks run again", async () => {
    const jobx = new TestSlurm();
    const script =
      "test $JOBX_ATTEMPT -gt 0 && exit 0; trap 'exit 85' USR2; echo ready; while :; do sleep 0.1; done";
    const id = await jobx.submit([...TWO_NODES, "--", "sh", "-c", script]);
    for (const name of ["0.out", "0.1.out", "0.2.out", "0.3.out"]) await jobx.untilLogged(id, "ready", name);
    await jobx.ok(["interrupt", id]);
    expect(await jobx.wait(id)).toBe(0);
    expect(await jobx.tasks(id)).toMatchObject([{ state: "succeeded", attempt: 1 }]);
  });

  test("is ended on every node when it is cancelled", async () => {
    const jobx = new TestSlurm();
    const script = "trap 'echo told; exit 0' TERM; echo ready; while :; do sleep 0.1; done";
    const id = await jobx.submit([...TWO_NODES, "--", "sh", "-c", script]);
    for (const name of ["0.out", "0.3.out"]) await jobx.untilLogged(id, "ready", name);
    await jobx.ok(["cancel", id]);
    await jobx.wait(id);
    expect(await jobx.tasks(id)).toMatchObject([{ state: "cancelled" }]);
    for (const log of logsOf(jobx, id)) expect(log).toContain("told");
  });

  test("says which rank ran out of memory, and where", async () => {
    const jobx = new TestSlurm();
    const hog = `test $JOBX_RANK = 0 && exec sleep 60; exec perl -e 'my $x = q(a) x (600 * 1024 * 1024); sleep 5'`;
    const id = await jobx.submit([
      "-N",
      "2",
      "--ranks-per-node",
      "1",
      "--mem",
      "200M",
      "--",
      "sh",
      "-c",
      hog,
    ]);
    expect(await jobx.wait(id)).toBe(1);
    const [task] = await jobx.tasks(id);
    expect(task?.reason).toMatch(/rank 1 failed \(OUT_OF_MEMORY on node\d; retry with --mem 400M\)/);
  });

  test("tells what its ranks used", async () => {
    const jobx = new TestSlurm();
    const busy = "i=0; while test $i -lt 200000; do i=$((i + 1)); done";
    const id = await jobx.submit(["-N", "2", "--ranks-per-node", "1", "--", "sh", "-c", busy]);
    expect(await jobx.wait(id)).toBe(0);
    const [task] = (await jobx.json<{ tasks: { maxRssBytes: number | null }[] }>(["status", "--tasks", id]))
      .tasks;
    expect(task?.maxRssBytes).toBeGreaterThan(0);
  });
});
