// What capabilities and table entries need of the connection that they belong to.
import type { ImportId, Limits, QuestionId, TargetKind } from "@capstan/wire";
import type { RpcError } from "../errors.ts";
import type { PayloadEncoder } from "../payload.ts";
import type { Capability, IncomingCall, PendingCall, ReturnSink } from "./capability.ts";

/** The peer at the other end of a connection. */
export interface RemotePeer {
  readonly limits: Limits;
  /** Why the connection is over; undefined while it lives. */
  readonly closedReason: RpcError | undefined;
  /** Writes a Call. Throws what `encoder` throws, with nothing sent and no table changed. */
  sendCall<T>(
    targetKind: TargetKind,
    targetId: number,
    transform: readonly number[],
    interfaceHigh: number,
    interfaceLow: number,
    methodId: number,
    encoder: PayloadEncoder<T>,
    content: T,
    sink: ReturnSink,
  ): PendingCall;
  /** Whether `call` came over this connection and may be answered by `sendTailCall`. */
  canTailCall(call: IncomingCall): boolean;
  /**
   * Answers `call` with the outcome of a call to the peer, which keeps the results to itself. Throws what `encoder` throws,
   * with nothing sent.
   */
  sendTailCall<T>(
    call: IncomingCall,
    targetKind: TargetKind,
    targetId: number,
    transform: readonly number[],
    interfaceHigh: number,
    interfaceLow: number,
    methodId: number,
    encoder: PayloadEncoder<T>,
    content: T,
  ): void;
  /** Gives `count` references on an import back to the peer. */
  releaseImport(id: ImportId, count: number): void;
  /** Ends a question whose outcome nobody waits for. */
  finishQuestion(id: QuestionId, releaseResultCaps: boolean): void;
  /** The question was answered and finished: its id is free. */
  forgetQuestion(id: QuestionId): void;
  /**
   * A reference that the peer has resolved to `target`, where calls may still be on their way through the old path:
   * calls made from now on wait until those have arrived (Disembargo). Takes over and returns a reference.
   */
  embargo(targetKind: TargetKind, targetId: number, transform: readonly number[], target: Capability): Capability;
  /** True when calls on `target` travel over this same connection, so that order holds without an embargo. */
  reaches(target: Capability): boolean;
  /** Calls `listener` when the connection ends. Returns a function that takes the listener off again. */
  whenClosed(listener: (error: RpcError) => void): () => void;
}
