// Bodies that a Response's own header says are encoded: Workers give them as they are, and the platform encodes them.
import { Duplex } from "node:stream";
import { constants, createBrotliCompress, createDeflate, createGzip } from "node:zlib";
import { isEncoded, wasDecoded } from "@capstan/client/serving";

/** What a chunk is made of goes out with it: others may wait for it. */
const EACH_CHUNK = { flush: constants.Z_SYNC_FLUSH };

/** As many as Node's fetch() takes off. */
const MAX_ENCODINGS = 5;

const gzip = (): Duplex => createGzip(EACH_CHUNK);

const ENCODERS: ReadonlyMap<string, () => Duplex> = new Map([
  ["gzip", gzip],
  ["x-gzip", gzip],
  ["deflate", () => createDeflate(EACH_CHUNK)],
  ["br", () => createBrotliCompress({ flush: constants.BROTLI_OPERATION_FLUSH })],
]);

/**
 * What encodes the body of `response` as its header says, one after the other. None where it is encoded already, or where
 * the header names an encoding that is not known here, or too many.
 */
export function encodersFor(response: Response): ReadableWritablePair<Uint8Array, Uint8Array>[] {
  const header = response.headers.get("content-encoding");
  if (header === null || isEncoded(response) || wasDecoded(response)) return [];
  const encodings = header.toLowerCase().split(",", MAX_ENCODINGS + 1);
  const encoders = encodings.map((encoding) => ENCODERS.get(encoding.trim()));
  if (encoders.length > MAX_ENCODINGS || !encoders.every((encoder) => encoder !== undefined)) return [];
  return encoders.map((encoder) => Duplex.toWeb(encoder()) as ReadableWritablePair<Uint8Array, Uint8Array>);
}
