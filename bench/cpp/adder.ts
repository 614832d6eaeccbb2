// A peer whose ends are both the C++ program, over one transport.
import { toSample } from "../../packages/cli/src/bench/load/closed-loop.ts";
import { LatencyRecorder } from "../../packages/cli/src/bench/load/latency.ts";
import { cppVersions } from "../../scripts/cpp-program.ts";
import { LOOPBACK } from "../loopback.ts";
import { NativeEnd } from "../native-end.ts";
import type { Peer } from "../peer.ts";
import { buildAdder } from "./build.ts";

/** What the program answers to `loop`. */
interface Loop {
  readonly calls: number;
  readonly seconds: number;
  readonly callsInAll: number;
  /** Of the calls that were timed. */
  readonly nanoseconds: readonly number[];
}

/** @param about one line for the report. */
export function cppPeer(transport: "ws" | "tcp", about: string): Peer {
  let end: NativeEnd | undefined;

  async function start(...args: string[]): Promise<[string, NativeEnd]> {
    const built = await buildAdder();
    if ("missing" in built) throw new Error(built.missing);
    return NativeEnd.start(built.binary, args);
  }

  return {
    about,
    packages: [],
    async versions() {
      const [compiler, capnp] = await cppVersions();
      return { "Cap'n Proto C++": capnp.replace(/^.* /, ""), "g++": compiler.replace(/^.* /, "") };
    },
    async listen() {
      const [first, server] = await start("serve", `--${transport}`);
      end = server;
      return Number(first.replace("listening on ", ""));
    },
    async connect(port) {
      const [, client] = await start("call", `--${transport}`, `${LOOPBACK}:${port}`);
      end ??= client;
      return {
        async measure({ inFlight, duration, requests = 0 }) {
          const answer = await client.ask(`loop ${inFlight} ${Math.round(duration)} ${requests}`);
          const { nanoseconds, ...loop } = JSON.parse(answer) as Loop;
          const latencies = new LatencyRecorder();
          for (const time of nanoseconds) latencies.record(time / 1e6);
          return toSample(loop, latencies);
        },
        chain: async (length, mode) => Number(await client.ask(`chain ${length} ${mode}`)),
        close: () => client.stop(),
      };
    },
    async cpu() {
      return Number(await end?.ask("cpu"));
    },
  };
}
