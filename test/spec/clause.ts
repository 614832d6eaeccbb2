// One rule of the protocol, and how Capstan stands to it.

/** How an entry of the registry stands: done as the text says, not done yet or not meant to be, done in another way. */
export type ClauseState = "supported" | "deferred" | "divergent";

export interface Clause {
  /**
   * The field of schemas/rpc.capnp that it is about, as `Struct.field`, and where there are several a word of its own
   * behind a slash. Rules of the whole protocol are named `Protocol/word`.
   */
  readonly id: string;
  /** What the text asks for, in own words. */
  readonly text: string;
  readonly state: ClauseState;
  /** Why it is deferred or divergent. */
  readonly why?: string;
  /** The tests that show it: `file: full title`. */
  readonly tests: readonly string[];
}

/** Titles of a suite of a file, as a clause names them. */
export function suite(file: string, title: string): (...tests: string[]) => string[] {
  return (...tests) => tests.map((test) => `test/${file}.test.ts: ${title} ${test}`);
}

export function supported(id: string, text: string, tests: readonly string[]): Clause {
  return { id, text, state: "supported", tests };
}

export function divergent(id: string, text: string, why: string, tests: readonly string[]): Clause {
  return { id, text, state: "divergent", why, tests };
}

export function deferred(id: string, text: string, why: string, tests: readonly string[] = []): Clause {
  return { id, text, state: "deferred", why, tests };
}
