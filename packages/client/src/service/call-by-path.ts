// A call whose names come from elsewhere: none of them is taken by the stub itself.
import { baseOf, startCall } from "../stubs/stub.ts";

/**
 * Calls the method at the end of `path` on what `stub` leads to. All names are remote ones, those too that stubs have
 * themselves, like `dup`, `then` or `toString`.
 *
 * @throws TypeError where `stub` is none. Everything else rejects the promise.
 */
export function callByPath(stub: object, path: readonly string[], args: readonly unknown[]): Promise<unknown> {
  return startCall(baseOf(stub), path, args) as Promise<unknown>;
}
