import { hostname } from "node:os";

import { placeOf } from "../store/files.ts";

/**
 * Claims to be the one supervisor of an element on this host; null when another one lives. The claim is an
 * abstract socket, which the kernel frees when its process dies (Linux; elsewhere every claim is granted).
 */
export function claimElement(dir: string, element: number): { release(): void } | null {
  if (process.platform !== "linux") return { release: () => undefined };
  // By name: containers that share a network may each be a host.
  const name = Bun.hash(`${hostname()}\0${placeOf(dir)}\0${element}`).toString(36);
  try {
    const listener = Bun.listen({
      unix: `\0jobx-worker-${process.getuid?.() ?? 0}-${name}`,
      socket: { data: () => undefined },
    });
    listener.unref();
    return { release: () => listener.stop(true) };
  } catch {
    return null;
  }
}
