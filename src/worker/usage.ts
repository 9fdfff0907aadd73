import type { Usage } from "../model/records.ts";

/**
 * What an ended process used. The kernel's peak of a small process is that of the supervisor's own image
 * before exec; then the sampled figure is taken, and where there is none the kernel's as an upper bound.
 */
export function usageOf(used: Bun.ResourceUsage | undefined, sampledPeakBytes: number): Usage | null {
  if (!used) return null;
  const userSeconds = Number(used.cpuTime.user) / 1e6;
  const systemSeconds = Number(used.cpuTime.system) / 1e6;
  const ambiguous = isWithinOwnPeak(used.maxRSS);
  const sampled = ambiguous && sampledPeakBytes > 0;
  return {
    maxRssBytes: sampled ? sampledPeakBytes : Math.max(used.maxRSS, sampledPeakBytes),
    maxRssIsUpperBound: ambiguous && !sampled,
    userSeconds,
    systemSeconds,
  };
}

let knownPeakBytes = 0;

/** A peak never shrinks, so the kernel is asked again only about a figure above the one it gave last. */
function isWithinOwnPeak(bytes: number): boolean {
  if (bytes > knownPeakBytes) knownPeakBytes = process.resourceUsage().maxRSS * 1024;
  return bytes <= knownPeakBytes;
}
