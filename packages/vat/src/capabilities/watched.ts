// A capability whose holder is to be known of.
import type { Capability } from "./capability.ts";
import { LoopedCapability } from "./looped.ts";

/**
 * Stands for another capability, and tells when nobody holds it any more. Hides where it leads: else whoever it is given to
 * would hold that instead. However often one is wrapped in another, calls go to what is behind them all at once.
 */
export class WatchedCapability extends LoopedCapability {
  readonly #watched: Capability;
  readonly #letGo: () => void;

  /** Takes over the reference. @param letGo runs when the last reference is gone; must not throw. */
  constructor(watched: Capability, letGo: () => void) {
    const end = watched.resolved;
    super((end instanceof WatchedCapability ? end.behind : watched).addRef());
    this.#watched = watched;
    this.#letGo = letGo;
  }

  protected override dispose(): void {
    super.dispose();
    this.#watched.release();
    this.#letGo();
  }
}
