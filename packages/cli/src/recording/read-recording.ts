// Reads a recording from its file, piece by piece.
import { createReadStream } from "node:fs";
import { type LinkRecord, RecordReader } from "@capstan/wire";

/**
 * The records in the file at `path`. Returns how many bytes at the end make no whole record: those of one that was cut
 * off. Throws the system's error, or DecodeError for what is no recording.
 */
export async function* readRecording(path: string): AsyncGenerator<LinkRecord, number> {
  const reader = new RecordReader();
  for await (const piece of createReadStream(path)) yield* reader.read(piece as Buffer);
  if (!reader.hasHeader) throw new TypeError(`${path} is no recording.`);
  return reader.restBytes;
}
