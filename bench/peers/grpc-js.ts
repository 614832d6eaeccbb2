// grpc-js: unary calls over one HTTP/2 channel, its service loaded from the .proto file as the guide does.
import { fileURLToPath } from "node:url";
import {
  credentials,
  type handleUnaryCall,
  loadPackageDefinition,
  Server,
  ServerCredentials,
  type ServiceClientConstructor,
  type ServiceError,
} from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";
import { LOOPBACK } from "../loopback.ts";
import type { Peer } from "../peer.ts";

interface Pair {
  readonly a: number;
  readonly b: number;
}

interface Sum {
  readonly sum: number;
}

interface AdderClient {
  add(pair: Pair, callback: (error: ServiceError | null, sum: Sum) => void): void;
  waitForReady(deadline: number, callback: (error?: Error) => void): void;
  close(): void;
}

const file = fileURLToPath(new URL("../schemas/adder.proto", import.meta.url));
const Adder = loadPackageDefinition(loadSync(file)).Adder as ServiceClientConstructor;

export const peer: Peer = {
  about: "grpc-js, unary calls",
  packages: ["@grpc/grpc-js", "@grpc/proto-loader"],
  listen() {
    const server = new Server();
    const add: handleUnaryCall<Pair, Sum> = ({ request: { a, b } }, callback) => callback(null, { sum: a + b });
    server.addService(Adder.service, { add });
    return new Promise((resolve, reject) => {
      server.bindAsync(`${LOOPBACK}:0`, ServerCredentials.createInsecure(), (error, port) =>
        error === null ? resolve(port) : reject(error),
      );
    });
  },
  async connect(port) {
    const client = new Adder(`${LOOPBACK}:${port}`, credentials.createInsecure()) as unknown as AdderClient;
    await new Promise<void>((resolve, reject) => {
      client.waitForReady(Date.now() + 5_000, (error) => (error === undefined ? resolve() : reject(error)));
    });
    return {
      call: (a, b) =>
        new Promise((resolve, reject) => {
          client.add({ a, b }, (error, result) => (error === null ? resolve(result.sum) : reject(error)));
        }),
      close: () => client.close(),
    };
  },
};
