// The live line: how far the run is, and what it does. On a terminal, one line that the next overwrites; elsewhere nothing.

const BAR = 20;
const REDRAW_MS = 200;

export class Progress {
  private done = 0;
  private step = { name: "", expected: 0, since: 0 };
  private readonly total: number;
  private readonly stream: NodeJS.WriteStream | undefined;
  private readonly timer: NodeJS.Timeout | undefined;
  private readonly started = performance.now();

  /** @param total expected milliseconds of all steps. */
  constructor(total: number, stream: NodeJS.WriteStream | undefined) {
    this.total = total;
    if (stream?.isTTY !== true) return;
    this.stream = stream;
    this.timer = setInterval(() => this.draw(), REDRAW_MS).unref();
  }

  /** The step before is over, another begins. */
  next(name: string, expected: number): void {
    this.done += this.step.expected;
    this.step = { name, expected, since: performance.now() };
    this.draw();
  }

  /** Removes the line for the last time. */
  end(): void {
    clearInterval(this.timer);
    this.clear();
  }

  /** Removes the line, to make room for another. */
  clear(): void {
    this.stream?.write("\r\x1b[K");
  }

  private draw(): void {
    if (this.stream === undefined) return;
    const now = performance.now();
    this.stream.write(`\r\x1b[K${progressLine(this.fraction(now), now - this.started, this.step.name, this.columns)}`);
  }

  private fraction(now: number): number {
    const { expected, since } = this.step;
    return Math.min(1, (this.done + Math.min(expected, now - since)) / Math.max(1, this.total));
  }

  private get columns(): number {
    return this.stream?.columns ?? 80;
  }
}

/** @param elapsed milliseconds so far; from it and `fraction` the time that is left is guessed. */
export function progressLine(fraction: number, elapsed: number, name: string, columns: number): string {
  const full = Math.round(fraction * BAR);
  const bar = `${"█".repeat(full)}${"░".repeat(BAR - full)}`;
  const percent = `${Math.floor(fraction * 100)} %`.padStart(5);
  const left = fraction > 0.02 ? `, ${Math.ceil((elapsed * (1 - fraction)) / fraction / 1_000)} s left` : "";
  // A line that wraps could not be overwritten.
  return `${bar} ${percent}${left}  ${name}`.slice(0, columns - 1);
}
