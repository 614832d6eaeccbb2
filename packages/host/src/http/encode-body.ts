// Bodies that a Response's own header says are encoded: Workers give them as they are, and the platform encodes them.
import { Duplex } from "node:stream";
import { constants, createBrotliCompress, createDeflate, createGzip } from "node:zlib";
import { isEncoded, wasDecoded } from "@capstan/client/serving";

/** What a chunk is made of goes out with it: others may wait for it. */
const EACH_CHUNK = { flush: constants.Z_SYNC_FLUSH };

const ENCODERS: { readonly [encoding: string]: () => Duplex } = {
  gzip: () => createGzip(EACH_CHUNK),
  deflate: () => createDeflate(EACH_CHUNK),
  br: () => createBrotliCompress({ flush: constants.BROTLI_OPERATION_FLUSH }),
};

/** What encodes the body of `response` as its header says; undefined where nothing does, or it is encoded already. */
export function encoderFor(response: Response): ReadableWritablePair<Uint8Array, Uint8Array> | undefined {
  const encoding = response.headers.get("content-encoding")?.trim().toLowerCase() ?? "";
  if (!Object.hasOwn(ENCODERS, encoding) || isEncoded(response) || wasDecoded(response)) return undefined;
  return Duplex.toWeb(ENCODERS[encoding]?.() as Duplex) as ReadableWritablePair<Uint8Array, Uint8Array>;
}
