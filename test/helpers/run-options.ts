import type { RunOptions } from "../../src/model/job.ts";

/** How tasks run where nothing else was asked for. */
export const RUN: RunOptions = {
  retries: 0,
  maxTimeouts: 3,
  requeue: null,
  signalDelaySeconds: 90,
  parallel: null,
  pack: { tasks: 1, slots: 1 },
  after: [],
  setup: [],
  teardown: [],
  launcher: [],
  capture: false,
  mergeOutput: false,
  distributed: false,
  cleanEnv: false,
  env: {},
  maxPayloadBytes: 1 << 30,
};
