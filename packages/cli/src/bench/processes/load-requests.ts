// What the benchmark asks of its client process, and what that answers. Times are in milliseconds.
import type { ChainOptions } from "../load/chains.ts";
import type { ErrorCounts } from "../load/errors.ts";
import type { Target } from "../load/session.ts";
import type { CurveReading, Reading } from "../results.ts";

export type LoadRequest =
  /** Opens the links that the following requests use, and makes a call on each. */
  | {
      readonly kind: "connect";
      readonly url: string;
      readonly target: Target;
      readonly connections: number;
      readonly timeout: number;
    }
  | { readonly kind: "closed"; readonly inFlight: number; readonly duration: number; readonly requests?: number }
  | { readonly kind: "open"; readonly rate: number; readonly duration: number; readonly requests?: number }
  | ({ readonly kind: "chains" } & ChainOptions)
  | { readonly kind: "fan-out"; readonly width: number; readonly duration: number }
  | { readonly kind: "payload"; readonly size: number; readonly duration: number }
  | { readonly kind: "stream"; readonly direction: "upload" | "download"; readonly duration: number }
  | { readonly kind: "set-up"; readonly duration: number }
  | { readonly kind: "heap" }
  /** Exactly so many calls on a link of their own, which the same request with no calls opens. */
  | { readonly kind: "counted"; readonly url: string; readonly calls: number; readonly inFlight: number };

export interface LoadReply {
  readonly readings: readonly Reading[];
  readonly curves: readonly CurveReading[];
  readonly errors: ErrorCounts;
  /** Calls that succeeded, where calls were counted. */
  readonly calls?: number;
}
