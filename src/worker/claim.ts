/**
 * Claims to be the one supervisor of an element and rank on this host; null when another one lives. The
 * claim is an abstract socket, which the kernel frees when its process dies (Linux; elsewhere every
 * claim is granted).
 */
export function claimElement(dir: string, element: number, rank: number): { release(): void } | null {
  if (process.platform !== "linux") return { release: () => undefined };
  const name = Bun.hash(`${dir}\0${element}\0${rank}`).toString(36);
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
