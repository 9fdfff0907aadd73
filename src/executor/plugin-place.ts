/** What the paths of plugins begin with where they are imported; see `importPlugin`. */
export const PLUGIN_NAMESPACE = "jobx-plugin:";

const FRAME = new RegExp(`${PLUGIN_NAMESPACE}(.+?:\\d+(?::\\d+)?)\\)?$`, "m");

/** `file:line:column` of the place in a plugin's files where something was thrown; null where that is not known. */
export function placeInPlugin(error: unknown): string | null {
  const place = error instanceof Error && error.stack ? FRAME.exec(error.stack)?.[1] : undefined;
  // The first line has more before it than its author wrote; see `pluginPrelude`.
  return place?.replace(/:1:\d+$/, ":1") ?? null;
}
