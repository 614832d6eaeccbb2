// What the harness (peer-child.ts) asks of a peer's processes, and what they answer (peer-process.ts).
import type { ClosedLoopOptions, Sample } from "../packages/cli/src/bench/load/closed-loop.ts";
import type { ChainMode } from "../packages/cli/src/bench/metrics.ts";
import type { Usage } from "../packages/cli/src/bench/usage.ts";
import type { Ability } from "./peer.ts";

export type Request =
  /** A closed loop; the client's. Fails where one of its calls does. */
  | ({ readonly kind: "loop" } & ClosedLoopOptions)
  /** Milliseconds of one chain of so many calls; the client's, as all that follow but the last. */
  | { readonly kind: "chain"; readonly length: number; readonly mode: ChainMode }
  /** MiB per second of a stream that takes so many milliseconds. */
  | { readonly kind: "stream"; readonly direction: "upload" | "download"; readonly duration: number }
  /** Holds so many stubs, and gives those back that it held before. */
  | { readonly kind: "hold"; readonly count: number }
  /** Connects to another port: what follows is measured there, until `close`. */
  | { readonly kind: "open"; readonly port: number }
  | { readonly kind: "close" }
  /** What this end has used, if wanted after a garbage collection. */
  | { readonly kind: "usage"; readonly collect: boolean };

/** What comes once, unasked. */
export interface Ready {
  readonly kind: "ready";
  readonly port: number;
  readonly about: string;
  readonly inProcess: boolean;
  /** Versions by package. */
  readonly versions: { readonly [name: string]: string };
  /** The client's. */
  readonly abilities: readonly Ability[];
}

export type Answer =
  | Ready
  | { readonly kind: "sample"; readonly sample: Sample }
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "usage"; readonly usage: Usage }
  | { readonly kind: "done" };
