// Not the package's main entry: that looks for a native addon wherever this was built, also from within the binary.
import { addExtension, Packr } from "msgpackr/pack";

import { JobxError, messageOf } from "../errors.ts";
import { fromErrorData, toErrorData } from "./error-data.ts";
import { NegativeZero, withStandIns } from "./negative-zero.ts";
import { walk } from "./walk.ts";

addExtension({ Class: Error, type: 0x65, write: toErrorData, read: fromErrorData });
addExtension({ Class: NegativeZero, type: 0x7a, write: () => null, read: () => -0 });

// Exactly this setting: with others Maps become objects, or cycles are lost.
const packr = new Packr({ structuredClone: true });

/**
 * Encodes any value that msgpack can bring back unchanged: JSON, `undefined`, -0, Date, Map, Set, BigInt,
 * RegExp, typed arrays, ArrayBuffer, DataView, Error, cycles. Throws PAYLOAD, naming the path, for all else.
 */
export function encode(value: unknown): Uint8Array {
  return encodeAt(value, "value");
}

/** As `encode`; errors call the value `path`. */
export function encodeAt(value: unknown, path: string): Uint8Array {
  const { negativeZero } = walk(value, path);
  try {
    const bytes = packr.encode(negativeZero ? withStandIns(value) : value);
    // It would hold on to its working memory, of which these bytes are a part, until the next value.
    if (bytes.length >= LARGE_BYTES) packr.useBuffer(Buffer.allocUnsafe(WORKING_BYTES));
    return bytes;
  } catch (error) {
    throw new JobxError("PAYLOAD", `${path || "The value"} cannot be stored: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

const LARGE_BYTES = 1024 * 1024;
const WORKING_BYTES = 8192;

/** Decodes what `encode` made. Data only: no code of the value's runs. Check its checksum first. Throws DAMAGED. */
export function decode(bytes: Uint8Array): unknown {
  try {
    return packr.decode(bytes);
  } catch (error) {
    throw new JobxError("DAMAGED", `Stored bytes do not decode: ${messageOf(error)}`, { cause: error });
  }
}

/** Throws PAYLOAD where `encode` would: `args[0].model.fn is a function`. `path` is what the value is called; may be empty. */
export function checkEncodable(value: unknown, path: string): void {
  walk(value, path);
}
