import { expect, test } from "bun:test";

import { parseArraySpec } from "../../src/model/array-spec.ts";
import { parseDirectives } from "../../src/model/directives.ts";
import { problemOf } from "./problem.ts";

const read = (...lines: string[]) =>
  parseDirectives(["#!/bin/bash", ...lines.map((line) => `#SBATCH ${line}`)].join("\n"));

test("the usual lines become jobx's flags", () => {
  const found = read(
    "--job-name=my job",
    "-J 'my job'",
    "--time 1-12:00:00",
    "--mem=4G -c 4",
    "-p gpu # the queue",
    "--account=dev",
    "--qos long",
    "-a0-9%2",
    "-D /data",
    "--nodes=2 --ntasks-per-node=4",
    "--requeue",
  );
  expect(found.flags).toEqual({
    name: "my job",
    time: "1-12:00:00",
    mem: "4G",
    cpus: "4",
    partition: "gpu",
    account: "dev",
    qos: "long",
    array: "0-9%2",
    chdir: "/data",
    nodes: "2",
    "ranks-per-node": "4",
    requeue: true,
  });
  expect(found.unknown).toEqual(["line 2: job is no option of sbatch"]);
  expect(found.notes).toEqual([
    "jobx starts the script once per rank (8 times), where sbatch starts it once",
  ]);
});

test("lines count up to the first command only, and only when written as sbatch wants them", () => {
  const script =
    "#!/bin/bash\r\n\n# about\n##SBATCH -c 1\n #SBATCH -c 2\n#SBATCH -c 3\r\n#SBATCHX\necho\n#SBATCH -c 4\n";
  expect(parseDirectives(script)).toEqual({
    count: 1,
    flags: { cpus: "3" },
    options: {},
    notes: [],
    unknown: [],
  });
  expect(parseDirectives("echo hi\n").count).toBe(0);
  expect(parseDirectives("").count).toBe(0);
});

test("a bare array index keeps sbatch's meaning", () => {
  const { flags } = read("--array=10%1");
  expect(flags.array).toBe("10-10%1");
  expect(parseArraySpec(String(flags.array))).toEqual({ indices: [10], parallel: 1 });
});

test.each([
  [["--gpus-per-node=a100:2"], "a100:2"],
  [["--gpus-per-node=a100"], "a100:1"],
  [["--gres=gpu:a100:2"], "a100:2"],
  [["--gres=gpu"], "1"],
  [["--gres=gres/gpu:3"], "3"],
  [["-G 4", "-N 2"], "2"],
  [["--gpus=v100:4"], "v100:4"],
])("GPUs of %p are %p per node", (lines, gpus) => {
  expect(read(...lines).flags.gpus).toBe(gpus);
});

test.each([
  [["-n 8"], { "ranks-per-node": "8" }],
  [["-n 1"], {}],
  [["-n 8", "-N 2-2"], { nodes: "2", "ranks-per-node": "4" }],
  [["-n 8", "--ntasks-per-node=4"], { nodes: "2", "ranks-per-node": "4" }],
  [["-n 8", "-N 2", "--ntasks-per-node=4"], { nodes: "2", "ranks-per-node": "4" }],
])("the ranks of %p are %p", (lines, flags) => {
  const found = read(...lines);
  expect(found.flags).toEqual(flags);
  expect(found.unknown).toEqual([]);
});

test("what does not divide into equal nodes is listed", () => {
  expect(read("-n 7 -N 2").unknown).toEqual([
    "line 2: --ntasks=7 does not divide into equal nodes: write --nodes and --ntasks-per-node",
  ]);
  expect(read("-N 1-4").unknown[0]).toContain("no fixed number of nodes");
  expect(read("-G 3 -N 2").unknown[0]).toContain("--gpus-per-node");
});

test("what jobx does by itself is left out with a note, and what only Slurm knows is kept apart", () => {
  const found = read(
    "-o out.%j -e err",
    "--mail-user=me@x --exclusive",
    "--mem=0 -C 'a|b'",
    "--time=UNLIMITED",
    "--gres=gpu:1,disk:2",
  );
  expect(found.flags).toEqual({ gpus: "1" });
  expect(found.options).toEqual({
    "mail-user": "me@x",
    exclusive: true,
    mem: "0",
    constraint: "a|b",
    gres: "disk:2",
  });
  expect(found.notes).toEqual([
    "--output is ignored: jobx keeps the output itself: `jobx logs` shows it",
    "--error is ignored: jobx keeps the output itself: `jobx logs` shows it",
    "--time=UNLIMITED is ignored: no limit",
  ]);
  expect(found.unknown).toEqual([]);
});

test("unknown options are listed with their line and the nearest", () => {
  expect(read("--partiton=x", "-Z", "--time").unknown).toEqual([
    "line 2: --partiton=x is no option of sbatch (did you mean --partition?)",
    "line 3: -Z is no option of sbatch",
    "line 4: --time has no value",
  ]);
});

test("signals and environments are carried over as far as they can be", () => {
  const found = read("--signal=B:USR1@120", "--export=NONE");
  expect(found.flags).toEqual({ "signal-delay": "120s", "clean-env": true });
  expect(found.notes[0]).toContain("120 s before its limit");
  expect(read("--export=ALL").unknown).toEqual([]);
  expect(read("--export=A=1,B").unknown[0]).toContain("--env NAME=VALUE");
  expect(read("--requeue", "--no-requeue").flags).toEqual({ "no-requeue": true });
});

test("quotes and backslashes are read as a shell does", () => {
  expect(read(`-J "a \\"b\\" c"d\\ e'f g'#h`).flags.name).toBe('a "b" cd ef g#h');
  const { message } = problemOf(() => read("-J 'x"));
  expect(message).toBe(`Line 2: a quote in "#SBATCH -J 'x" never ends`);
});
