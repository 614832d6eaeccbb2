// What the benchmark asks of its client process, and what that answers. Times are in milliseconds.
import type { ChainOptions } from "../load/chains.ts";
import type { ErrorCounts } from "../load/errors.ts";
import type { Target } from "../load/session.ts";
import type { HostMachine } from "../machine.ts";
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
  | { readonly kind: "closed-loop"; readonly inFlight: number; readonly duration: number; readonly requests?: number }
  | { readonly kind: "open-loop"; readonly rate: number; readonly duration: number; readonly requests?: number }
  | ({ readonly kind: "chains" } & ChainOptions)
  | { readonly kind: "fan-out"; readonly width: number; readonly duration: number }
  | { readonly kind: "payload"; readonly size: number; readonly duration: number }
  | { readonly kind: "stream"; readonly direction: "upload" | "download"; readonly duration: number }
  | { readonly kind: "set-up"; readonly duration: number }
  | { readonly kind: "heap" }
  /** Opens a link for `counted`, and makes a call on it. */
  | { readonly kind: "open-counted"; readonly url: string }
  /** So many calls on that link, or as many of them as the timeout leaves time for. */
  | { readonly kind: "counted"; readonly calls: number; readonly inFlight: number };

export interface LoadReply {
  readonly readings: readonly Reading[];
  readonly curves: readonly CurveReading[];
  readonly errors: ErrorCounts;
  /** Calls that succeeded, where calls are counted; each of the others is one of `errors`. */
  readonly calls?: number;
  /** What the benchmark's own Worker runs on, where that is called; answered to `connect`. */
  readonly host?: HostMachine;
}
