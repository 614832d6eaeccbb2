// Holds many stubs of remote objects.

/** Stubs that come with one result. */
const BATCH = 10_000;

/** So many stubs, until the result is disposed of. @param take gives a result that holds as many as it is told. */
export async function holdStubs(count: number, take: (count: number) => PromiseLike<Disposable>): Promise<Disposable> {
  const held: Disposable[] = [];
  for (let left = count; left > 0; left -= BATCH) held.push(await take(Math.min(left, BATCH)));
  return {
    [Symbol.dispose]() {
      for (const result of held) result[Symbol.dispose]();
    },
  };
}
