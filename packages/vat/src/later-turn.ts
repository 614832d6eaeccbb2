// Long work in pieces, so that timers, sockets and other links have their turns between them.

/** Runs `next` when timers and sockets have had their turn. */
export const inLaterTurn: (next: () => void) => void =
  typeof setImmediate === "function" ? setImmediate : (next) => setTimeout(next, 0);

/** Runs `step` for each item in order: the first `perTurn` now, and as many in each later turn. */
export function eachInTurns<T>(items: Iterator<T>, perTurn: number, step: (item: T) => void): void {
  for (let done = 0; done < perTurn; done++) {
    const next = items.next();
    if (next.done === true) return;
    step(next.value);
  }
  inLaterTurn(() => eachInTurns(items, perTurn, step));
}
