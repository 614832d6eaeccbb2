// Link.service: the first call on every link, for each service that is used over it.
import {
  LINK_SERVICE_PARAMS_ENTRYPOINT_POINTER,
  LINK_SERVICE_PARAMS_NAME_POINTER,
  LINK_SERVICE_RESULTS_SERVICE_POINTER,
} from "../gen/link.ts";
import { setCapabilityPointer, setStructPointer } from "../segment/pointers.ts";
import type { SegmentReader } from "../segment/reader.ts";
import { writeText } from "../segment/text.ts";
import type { SegmentWriter } from "../segment/writer.ts";

export interface ServiceParams {
  /** Name of the service, "" for the host's first one. */
  readonly name: string;
  /** Name of the entrypoint, "" for the default export. */
  readonly entrypoint: string;
}

/** Appends the params and points the pointer at `at` to them. */
export function writeServiceParams(out: SegmentWriter, at: number, { name, entrypoint }: ServiceParams): void {
  const pointers = out.length;
  out.ensure(16);
  out.bytes.fill(0, pointers, pointers + 16);
  setStructPointer(out.view, at, pointers, 0, 2);
  out.length = pointers + 16;
  // Null is "".
  if (name !== "") writeText(out, pointers + 8 * LINK_SERVICE_PARAMS_NAME_POINTER, name);
  if (entrypoint !== "") writeText(out, pointers + 8 * LINK_SERVICE_PARAMS_ENTRYPOINT_POINTER, entrypoint);
}

/** Reads the params that the pointer at `at` leads to. Throws DecodeError. */
export function readServiceParams(reader: SegmentReader, at: number): ServiceParams {
  reader.enterStruct(at);
  const name = reader.pointer(LINK_SERVICE_PARAMS_NAME_POINTER);
  const entrypoint = reader.pointer(LINK_SERVICE_PARAMS_ENTRYPOINT_POINTER);
  return { name: reader.text(name), entrypoint: reader.text(entrypoint) };
}

/** Appends the results: the service at `capIndex` of the cap table. Points the pointer at `at` to them. */
export function writeServiceResults(out: SegmentWriter, at: number, capIndex: number): void {
  const pointers = out.length;
  out.ensure(8);
  setStructPointer(out.view, at, pointers, 0, 1);
  setCapabilityPointer(out.view, pointers + 8 * LINK_SERVICE_RESULTS_SERVICE_POINTER, capIndex);
  out.length = pointers + 8;
}

/** Reads the results that the pointer at `at` leads to: the service's index in the cap table, or -1. */
export function readServiceResults(reader: SegmentReader, at: number): number {
  reader.enterStruct(at);
  return reader.capabilityIndex(reader.pointer(LINK_SERVICE_RESULTS_SERVICE_POINTER));
}
