import { usageError } from "../errors.ts";
import { masterPort } from "../model/task-vars.ts";
import { readSpec } from "../store/jobs.ts";
import { jobContext } from "./context.ts";

/** What libraries such as torch.distributed need to know of one rank. */
export type Distributed = {
  /** Host of rank 0, as the other ranks can reach it. */
  masterAddr: string;
  /** The same on all ranks; differs between tasks and attempts. */
  masterPort: number;
  rank: number;
  worldSize: number;
  localRank: number;
  /** Ranks on this node. */
  localWorldSize: number;
};

/**
 * Says where this rank stands among its task's, and sets MASTER_ADDR, MASTER_PORT, RANK, WORLD_SIZE, LOCAL_RANK and
 * LOCAL_WORLD_SIZE in `process.env` for what the function loads or starts. With the option `distributed` they are
 * set from the start, for commands too. Throws USAGE outside of a job.
 */
export function distributed(): Distributed {
  const { rank, localRank, numRanks, numNodes, hostnames, task, attempt, paths } = jobContext();
  const { MASTER_ADDR, MASTER_PORT, LOCAL_WORLD_SIZE } = process.env;
  const place: Distributed = {
    masterAddr: MASTER_ADDR ?? (numNodes > 1 ? (hostnames[0] ?? "127.0.0.1") : "127.0.0.1"),
    masterPort: MASTER_PORT ? portOf(MASTER_PORT) : masterPort(readSpec(paths.dir).token, task, attempt),
    rank,
    worldSize: numRanks,
    localRank,
    localWorldSize: LOCAL_WORLD_SIZE ? Number(LOCAL_WORLD_SIZE) : Math.ceil(numRanks / numNodes),
  };
  Object.assign(process.env, {
    MASTER_ADDR: place.masterAddr,
    MASTER_PORT: String(place.masterPort),
    RANK: String(rank),
    WORLD_SIZE: String(place.worldSize),
    LOCAL_RANK: String(localRank),
    LOCAL_WORLD_SIZE: String(place.localWorldSize),
  });
  return place;
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_536) return port;
  throw usageError(`MASTER_PORT is not a port: ${JSON.stringify(text)}`);
}
