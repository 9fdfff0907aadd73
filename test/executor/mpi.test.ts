import { expect, test } from "bun:test";

import { mpiRanks } from "../../src/executor/scheduler/mpi.ts";

test.each([
  ["Open MPI", { OMPI_COMM_WORLD_RANK: "5", OMPI_COMM_WORLD_LOCAL_RANK: "1" }],
  ["MPICH and Intel MPI", { PMI_RANK: "5", MPI_LOCALRANKID: "1" }],
  ["MVAPICH", { MV2_COMM_WORLD_RANK: "5", MV2_COMM_WORLD_LOCAL_RANK: "1" }],
  ["Cray PALS", { PALS_RANKID: "5", PALS_LOCAL_RANKID: "1", PMI_RANK: "7" }],
  ["IBM JSM", { JSM_NAMESPACE_RANK: "5", JSM_NAMESPACE_LOCAL_RANK: "1" }],
])("a rank learns its number from %s", async (_, env) => {
  const { command, variables } = mpiRanks(["env", "A=b c"]);
  const [rank, local] = variables.split(" ");
  const child = Bun.spawn([...command, "sh", "-c", `echo "$${rank} $${local} $A $0"`, "it's me"], {
    env: { PATH: process.env["PATH"], ...env },
  });
  expect(await child.stdout.text()).toBe("5 1 b c it's me\n");
});

test("a rank without a number ends with an error, instead of passing for the first one", async () => {
  const { command } = mpiRanks(["env"]);
  const child = Bun.spawn([...command, "echo", "ran"], {
    env: { PATH: process.env["PATH"] },
    stdout: "pipe",
    stderr: "pipe",
  });
  expect(await child.stderr.text()).toContain("the launcher sets none of OMPI_COMM_WORLD_RANK");
  expect([await child.stdout.text(), (await child.exited) === 0]).toEqual(["", false]);
});
