/** What the paths of plugins begin with where they are imported; see `importPlugin`. */
export const PLUGIN_NAMESPACE = "jobx-plugin:";

const FRAME = new RegExp(`${PLUGIN_NAMESPACE}(.+?:\\d+(?::\\d+)?)\\)?$`, "m");

/** `file:line:column` of the place in a plugin's files where something was thrown; null where that is not known. */
export function placeInPlugin(error: unknown): string | null {
  return (error instanceof Error && error.stack && FRAME.exec(error.stack)?.[1]) || null;
}
