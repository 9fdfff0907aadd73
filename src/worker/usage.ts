import type { Usage } from "../model/records.ts";

/**
 * What an ended process used. The kernel's peak of a small process is that of the supervisor's own image
 * before exec; then the sampled figure is taken, and where there is none the kernel's as an upper bound.
 */
export function usageOf(used: Bun.ResourceUsage | undefined, sampledPeakBytes: number): Usage | null {
  if (!used) return null;
  const userSeconds = Number(used.cpuTime.user) / 1e6;
  const systemSeconds = Number(used.cpuTime.system) / 1e6;
  const ambiguous = used.maxRSS <= ownPeakBytes();
  const sampled = ambiguous && sampledPeakBytes > 0;
  return {
    maxRssBytes: sampled ? sampledPeakBytes : Math.max(used.maxRSS, sampledPeakBytes),
    maxRssIsUpperBound: ambiguous && !sampled,
    userSeconds,
    systemSeconds,
  };
}

function ownPeakBytes(): number {
  return process.resourceUsage().maxRSS * 1024;
}
