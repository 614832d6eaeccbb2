// Cap table entries ↔ capabilities.
import { type AnswerId, type CapDescriptor, CapKind, type ExportId, type ImportId, TargetKind } from "@capstan/wire";
import { ProtocolError } from "../errors.ts";
import { BrokenCapability } from "./broken.ts";
import type { Capability } from "./capability.ts";
import { ImportedCapability } from "./imported.ts";
import { LoopedCapability } from "./looped.ts";
import { RemoteCapability } from "./remote.ts";
import type { RemotePeer } from "./remote-peer.ts";

const NO_TRANSFORM: readonly number[] = Object.freeze([]);
const NULL_DESCRIPTOR: CapDescriptor = Object.freeze({ kind: CapKind.none, id: 0, transform: NO_TRANSFORM });

/** The tables that descriptors speak of. */
export interface DescriptorTables extends RemotePeer {
  readonly exports: { get(id: ExportId): Capability | undefined; add(cap: Capability): CapDescriptor };
  readonly imports: {
    get(id: ImportId): ImportedCapability | undefined;
    set(id: ImportId, cap: ImportedCapability): void;
    readonly size: number;
  };
  readonly answers: { get(id: AnswerId): { pipeline(transform: readonly number[]): Capability } | undefined };
}

/** Describes `cap` to the peer, counting an export where it becomes one. Borrows it. */
export function describeCapability(tables: DescriptorTables, cap: Capability | undefined): CapDescriptor {
  if (cap === undefined) return NULL_DESCRIPTOR;
  const end = cap.resolved;
  if (end instanceof RemoteCapability && end.peer === tables) {
    return {
      kind: end.targetKind === TargetKind.importedCap ? CapKind.receiverHosted : CapKind.receiverAnswer,
      id: end.targetId,
      transform: end.transform,
    };
  }
  return tables.exports.add(end);
}

/** The capability that a descriptor of the peer's names; undefined for a null one. The reference belongs to the caller. */
export function receiveCapability(tables: DescriptorTables, descriptor: CapDescriptor): Capability | undefined {
  switch (descriptor.kind) {
    case CapKind.none:
      return undefined;
    case CapKind.senderHosted:
    case CapKind.thirdPartyHosted: // level 1: the vine proxies to the third party
      return receiveImport(tables, descriptor.id as ImportId, false);
    case CapKind.senderPromise:
      return receiveImport(tables, descriptor.id as ImportId, true);
    case CapKind.receiverHosted: {
      const cap = tables.exports.get(descriptor.id as ExportId);
      if (cap === undefined)
        return new BrokenCapability(`Capability table entry names export ${descriptor.id}, which does not exist.`);
      return ownWay(tables, cap.addRef());
    }
    case CapKind.receiverAnswer: {
      const answer = tables.answers.get(descriptor.id as AnswerId);
      if (answer === undefined) {
        return new BrokenCapability(`Capability table entry names answer ${descriptor.id}, which does not exist.`);
      }
      return ownWay(tables, answer.pipeline(descriptor.transform));
    }
    default:
      return new BrokenCapability(`Capability table entry of unknown kind ${String(descriptor.kind)}.`);
  }
}

/**
 * What calls on an export, or an answer, go to from now on, when the peer has been told that it is `cap`. Borrows it; the
 * reference that is returned belongs to the caller.
 */
export function pinCapability(tables: DescriptorTables, cap: Capability): Capability {
  const end = cap.resolved;
  return end instanceof RemoteCapability && end.peer === tables ? end.pin() : cap.addRef();
}

/** What the peer named as ours. Takes over and returns a reference. */
function ownWay(tables: DescriptorTables, cap: Capability): Capability {
  const end = cap.resolved;
  return end instanceof RemoteCapability && end.peer === tables ? new LoopedCapability(cap) : cap;
}

function receiveImport(tables: DescriptorTables, id: ImportId, isPromise: boolean): Capability {
  const known = tables.imports.get(id);
  if (known !== undefined) return known.receiveAgain();
  if (tables.imports.size >= tables.limits.maxImports) {
    throw new ProtocolError(`The link holds ${tables.limits.maxImports} imported capabilities.`);
  }
  const cap = new ImportedCapability(tables, id, isPromise);
  tables.imports.set(id, cap);
  return cap;
}
