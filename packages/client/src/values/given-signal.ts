// Which signals of a call's arguments are there to cancel it.

/** Whether `signal` is given to the call: as an argument, or as the `signal` of an argument that holds options. */
export function isGiven(signal: AbortSignal, args: readonly unknown[]): boolean {
  return args.some((arg) => {
    if (arg === signal) return true;
    if (typeof arg !== "object" || arg === null || Object.getPrototypeOf(arg) !== Object.prototype) return false;
    // Not through a getter: it ran when the call was written.
    return Object.getOwnPropertyDescriptor(arg, "signal")?.value === signal;
  });
}
