// Long work in pieces, so that timers, sockets and everybody else have their turns between them. All of it shares one budget.

/** Time for long work in one turn of the event loop, in ms, whoever asks for it. */
const SLICE_MS = 5;
/** Steps of `eachInTurns` that are run before the clock is looked at. */
const STEPS_PER_LOOK = 64;

/** Work that was put off. */
export interface LongWork {
  /** Does a small piece of it. False when there is no more. */
  goOn(): boolean;
}

/** Runs `next` when timers and sockets have had their turn. */
const inLaterTurn: (next: () => void) => void =
  typeof setImmediate === "function" ? setImmediate : (next) => setTimeout(next, 0);

/** Piece by piece, one after the other. */
const waiting: LongWork[] = [];
let isScheduled = false;
/** When this turn was first seen to be a busy one; undefined before that. */
let busySince: number | undefined;

/** Whether this turn has taken so long, whatever it did, that what is left of a long work is to be put off. */
export function isLongTurn(): boolean {
  const now = performance.now();
  if (busySince === undefined) {
    busySince = now;
    schedule();
  }
  return now - busySince > SLICE_MS;
}

/** Goes on with `work` in a later turn. */
export function putOff(work: LongWork): void {
  waiting.push(work);
  schedule();
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  inLaterTurn(beginTurn);
}

function beginTurn(): void {
  isScheduled = false;
  busySince = undefined;
  try {
    while (waiting.length > 0 && !isLongTurn()) {
      const work = waiting.shift();
      if (work?.goOn() === true) waiting.push(work);
    }
  } finally {
    // What sockets bring before the next turn of what waits has a budget of its own.
    busySince = undefined;
    if (waiting.length > 0) schedule();
  }
}

/**
 * Runs `step` for each item in order: the first ones now, the others in later turns.
 *
 * @param perPiece the steps' cost in one turn at most: `step` returns its own, 1 for a small one. It must not throw.
 */
export function eachInTurns<T>(items: Iterator<T>, perPiece: number, step: (item: T) => number): void {
  const work = { goOn: () => runPiece(items, perPiece, step) };
  if (work.goOn()) putOff(work);
}

function runPiece<T>(items: Iterator<T>, perPiece: number, step: (item: T) => number): boolean {
  let cost = 0;
  for (let steps = 1; cost < perPiece; steps++) {
    const next = items.next();
    if (next.done === true) return false;
    cost += step(next.value);
    if (steps % STEPS_PER_LOOK === 0 && isLongTurn()) return true;
  }
  return true;
}
