// One of several processes behind one port: the other end of process-group.ts.
import type { Server as HttpServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import type { Host } from "@capstan/host";
import { thrownText } from "../print.ts";
import type { Note, Order } from "./messages.ts";
import { withholdStandardOutput } from "./standard-output.ts";

/** What a process serves with. */
export interface MemberPlace {
  readonly serial: number;
  /** `listen` of `serve()`. */
  readonly listen: (http: HttpServer) => Promise<AddressInfo>;
}

/** Serves what the primary process says, and ends when that says so or is gone. */
export function joinGroup<Task>(serve: (task: Task, place: MemberPlace) => Promise<Host>): void {
  // Ctrl-C and service managers signal whole groups of processes; the primary one decides what ends.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => {});
  const releaseOutput = withholdStandardOutput();
  let host: Host | undefined;
  let http: HttpServer | undefined;
  let open: (address: AddressInfo) => void = () => {};
  const listen = (server: HttpServer): Promise<AddressInfo> => {
    http = server;
    tell("loaded");
    return new Promise((resolve) => {
      open = resolve;
    });
  };
  process.on("message", (order: Order<Task>, socket: Socket | undefined) => {
    switch (order.kind) {
      case "load":
        serve(order.task, { serial: order.serial, listen }).then((serving) => {
          host = serving;
        }, fail);
        break;
      case "open":
        releaseOutput();
        open(order.address);
        break;
      case "connection":
        take(http as HttpServer, socket);
        break;
      case "stop":
        if (host === undefined) endUnopened();
        else void host.close().then(() => process.exit(0));
    }
  });
  process.on("disconnect", () => {
    if (host === undefined) endUnopened();
    else process.exit(0);
  });
}

function tell(kind: Note["kind"]): void {
  process.send?.({ kind } satisfies Note);
}

function take(http: HttpServer, socket: Socket | undefined): void {
  tell("taken");
  if (socket === undefined) return tell("closed");
  socket.once("close", () => tell("closed"));
  // As the sockets are that an HTTP server accepts itself.
  socket.allowHalfOpen = true;
  http.emit("connection", socket);
}

function fail(error: unknown): void {
  console.error(thrownText(error));
  process.exit(1);
}

/** The loader takes an end of the process for the Worker's own doing, and would report it. */
function endUnopened(): void {
  process.stderr.write = () => true;
  process.exit(0);
}
