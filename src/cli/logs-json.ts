import { JobxError } from "../errors.ts";
import { formatSize } from "../model/sizes.ts";
import { type LogFile, readLog } from "../orchestrator/logs.ts";
import type { Answer } from "./output.ts";

/** One JSON document has to fit into memory several times over. */
const MOST_BYTES = 256 * 1024 * 1024;

/**
 * Logs as JSON: an array of `{task, rank, stream, path, text}`. Bytes that are no UTF-8 become U+FFFD.
 * Throws PAYLOAD where they are too large for one document.
 */
export async function logsJson(files: readonly LogFile[], lines: number | null): Promise<Answer> {
  const json: (LogFile & { text: string })[] = [];
  let total = 0;
  for (const file of files) {
    const chunks: Uint8Array[] = [];
    for await (const bytes of readLog(file.path, lines)) {
      total += bytes.length;
      if (total > MOST_BYTES) throw tooLarge();
      chunks.push(bytes);
    }
    const { task, rank, stream, path } = file;
    json.push({ task, rank, stream, path, text: new TextDecoder().decode(Buffer.concat(chunks)) });
  }
  return { json, quiet: [], text: () => "" };
}

function tooLarge(): JobxError {
  return new JobxError(
    "PAYLOAD",
    `The logs are larger than ${formatSize(MOST_BYTES)}, too large for --json`,
    {
      hint: "Leave --json out, or take the last lines only: -n 1000",
    },
  );
}
