// serve(): Workers behind one port, for HTTP and for links.
import { createServer, type Server as HttpServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { LINK_PATH, Link } from "@capstan/client";
import { endOfTurn, keepAlive } from "@capstan/client/node";
import { makeRealm, type Realm } from "@capstan/client/serving";
import {
  CAPSTAN_PACKED_PROTOCOL,
  type Capability,
  LocalCapability,
  RecordingTransport,
  RpcError,
  type TrafficRecorder,
  type WebSocketLike,
  WebSocketTransport,
} from "@capstan/vat";
import { type LimitOptions, packedBound } from "@capstan/wire";
import { WebSocketServer } from "ws";
import { Admission } from "./admission.ts";
import { RemoteHost, type RemoteStats } from "./bindings.ts";
import { ConfigError } from "./config/config-error.ts";
import { checkServeOptions, urlProblem } from "./config/serve-options.ts";
import { readWorkerConfig, type ServiceBinding } from "./config/worker-config.ts";
import { Environment } from "./environment.ts";
import { type FailureReporter, printFailure } from "./failure.ts";
import { serveRequest, serveUpgrade } from "./http/serve-request.ts";
import { WebSocketAcceptor } from "./http/web-socket.ts";
import type { ServiceFinder } from "./invocation-env.ts";
import { chooseProtocol, type PackedPolicy } from "./link-protocol.ts";
import { type FindService, LinkServer } from "./link-server.ts";
import { loadWorker } from "./loader/load-worker.ts";
import { registerEnvironment } from "./platform/environments.ts";
import { platformModules } from "./platform/modules.ts";
import { exposeWebSocketPair } from "./platform/web-sockets.ts";
import { type InvocationCounter, Worker } from "./worker.ts";

/** A Worker given in code. */
export interface InlineWorker {
  /** What bindings and links call its service. No two Workers of a host have the same. */
  readonly name: string;
  /** Its exports, as a module namespace has them. */
  readonly module: { readonly [name: string]: unknown };
  /** Become `env.NAME`, as they are. Default: none. */
  readonly vars?: { readonly [name: string]: unknown } | undefined;
  /** Its service bindings, which become `env.NAME` too. Default: none. */
  readonly services?: readonly ServiceBinding[] | undefined;
}

/** A Worker with the `env` that it has: its bindings are connected before the first call. */
interface ServedWorker extends Omit<InlineWorker, "vars"> {
  readonly environment: Environment;
  /** Where it came from, for errors. */
  readonly source: string;
}

/** What to serve, and how. */
export interface ServeOptions {
  /** Configuration files, directories that hold one, or Workers given in code. HTTP goes to the first. */
  readonly workers: readonly (string | InlineWorker)[];
  /** The port to listen on, 0 to 65,535. Default 8787; 0 takes a free one. */
  readonly port?: number | undefined;
  /** The address or name to listen on. Default "127.0.0.1": this machine alone. */
  readonly host?: string | undefined;
  /**
   * Gives the server its connections, where it is not to listen on `port` and `host`: makes it listen in a way of the
   * caller's, or emits "connection" for each socket. Called once, when all Workers are loaded; resolves with the address
   * at which others reach it. What it rejects with rejects `serve()`.
   */
  readonly listen?: ((http: HttpServer) => Promise<AddressInfo>) | undefined;
  /**
   * Where services live that are not among `workers`: name → URL (http, https, ws or wss). What is missing is looked up in
   * `CAPSTAN_SERVICE_<NAME>`.
   */
  readonly services?: { readonly [name: string]: string } | undefined;
  /**
   * Whether callers on links may set `ctx.props`. Default false: Workers may take props for what their own configuration
   * says, so switch it on only where everybody who reaches the port is trusted.
   */
  readonly acceptProps?: boolean | undefined;
  /** Whether callers get the stacks of errors, which tell them of paths and code. Default false. */
  readonly sendStacks?: boolean | undefined;
  /**
   * Whether frames of links are packed: less than half the bytes of plain calls, for some processor time at both ends.
   * Default "remote": of callers on other machines, and of those that ask for it. A caller behind a proxy on this machine is
   * taken for one of this machine.
   */
  readonly packed?: PackedPolicy | undefined;
  /** Bounds on what callers may do, on what waits, and on how long things take. Each one left out has its default. */
  readonly limits?: LimitOptions | undefined;
  /** Hears everything that passes over links, those that are accepted and those to other hosts. Default: nobody. */
  readonly record?: TrafficRecorder | undefined;
  /** Told of what goes wrong where no caller is told: HTTP requests, tasks, disposers. Default: standard error. */
  readonly report?: FailureReporter | undefined;
  /** Told, before it listens, of what is odd in configurations and `services`, a line each. Default: standard error. */
  readonly warn?: ((warning: string) => void) | undefined;
}

/** What a host is busy with. */
export interface HostStats {
  /** Invocations that have not ended. */
  readonly liveInvocations: number;
  /** Links that are open. */
  readonly links: number;
  /** The hosts that bindings led to so far. */
  readonly remotes: readonly RemoteStats[];
}

/** Thrown for a binding to a service that nobody names. */
export class BindingError extends Error {
  override readonly name = "BindingError";
}

const UNTRUSTED_PROPS = "This host takes no props from its callers: it must be served with acceptProps.";

/** A serving host. */
export interface Host extends AsyncDisposable {
  /** The port that it listens on. */
  readonly port: number;
  /** `http://HOST:PORT`. */
  readonly url: string;
  /** As things are now. */
  stats(): HostStats;
  /** Stops accepting, waits for invocations up to `limits.gracePeriodMs`, then ends the links. */
  close(): Promise<void>;
}

/**
 * Serves Workers. What their timers, listeners and forgotten promises throw reaches the process as an uncaught exception:
 * whether that ends it is the caller's to decide (`capstan serve` goes on).
 *
 * @throws (as a rejection) ConfigError for options or a configuration that cannot be used, WorkerLoadError or BindingError
 * for a Worker that cannot be served; TypeError or RangeError for limits; the system's error for a port that cannot be had.
 */
export async function serve(options: ServeOptions): Promise<Host> {
  checkServeOptions(options);
  const realm = makeRealm(options.limits, options.sendStacks);
  const report = options.report ?? printFailure;
  const warn = options.warn ?? console.error;
  const counter: InvocationCounter = { live: 0, running: 0 };
  const served = await Promise.all(
    options.workers.map((worker, index) =>
      typeof worker === "string"
        ? load(worker, realm, warn)
        : { ...worker, environment: new Environment(realm, worker), source: `workers[${index}]` },
    ),
  );
  requireDistinctNames(served);
  const admission = new Admission(realm.limits);
  const workers = new Map<string, Worker>();
  for (const { name, module, environment } of served) {
    workers.set(name, new Worker(name, module, environment, realm, counter, admission, report));
  }
  const remotes = new Map<string, RemoteHost>();
  for (const { name, services, environment } of served) {
    for (const binding of services ?? []) {
      environment.connect(binding.binding, finder(binding, name, workers, realm, options, remotes));
    }
  }
  warnOfUnusedServices(options, served, workers, warn);
  const first = workers.values().next().value;
  if (first === undefined) throw new BindingError("There is no Worker to serve.");

  const links = new Set<Link>();
  const http = createServer((req, res) => void serveRequest(first, req, res));
  const acceptLink = linkAcceptor(realm, links, options, (name, entrypoint, props) => {
    if (props !== undefined && options.acceptProps !== true) throw new TypeError(UNTRUSTED_PROPS);
    return find(workers, first, name, entrypoint, props);
  });
  const webSockets = new WebSocketAcceptor(realm.limits);
  http.on("upgrade", (req, socket, head) => {
    if (req.url?.split("?", 1)[0] === LINK_PATH) acceptLink(req, socket, head);
    else void serveUpgrade(first, req, socket, head, webSockets);
  });
  const address = await (options.listen ?? listenOn(options.port ?? 8787, options.host ?? "127.0.0.1"))(http);
  // A server that is given its connections begins to look for idle and slow ones with this event.
  if (!http.listening) http.emit("listening");
  const hostName = address.family === "IPv6" ? `[${address.address}]` : address.address;

  const close = async (): Promise<void> => {
    admission.isClosed = true;
    http.close();
    http.closeIdleConnections();
    webSockets.close();
    const deadline = Date.now() + realm.limits.gracePeriodMs;
    const until = async (isDone: () => boolean): Promise<void> => {
      while (!isDone() && Date.now() < deadline) await new Promise((done) => setTimeout(done, 5));
    };
    await until(() => counter.running === 0);
    // With the links go the references that keep invocations open; what is left are their tasks.
    for (const link of links) link.close();
    await until(() => counter.live === 0);
    for (const remote of remotes.values()) remote.close();
    http.closeAllConnections();
  };
  return {
    port: address.port,
    url: `http://${hostName}:${address.port}`,
    stats: () => ({
      liveInvocations: counter.live,
      links: links.size,
      remotes: [...remotes.values()].map((remote) => remote.stats),
    }),
    close,
    [Symbol.asyncDispose]: close,
  };
}

async function load(path: string, realm: Realm, warn: (warning: string) => void): Promise<ServedWorker> {
  const config = await readWorkerConfig(path);
  for (const warning of config.warnings) warn(warning);
  const environment = new Environment(realm, config);
  exposeWebSocketPair();
  const { exports } = await loadWorker(config, { builtins: platformModules(registerEnvironment(environment.env)) });
  return { name: config.name, module: exports, environment, services: config.services, source: path };
}

function requireDistinctNames(served: readonly ServedWorker[]): void {
  const sources = new Map<string, string>();
  for (const { name, source } of served) {
    const other = sources.get(name);
    if (other !== undefined) throw new ConfigError(source, [`the name "${name}" is taken by ${other}`]);
    sources.set(name, source);
  }
}

function warnOfUnusedServices(
  options: ServeOptions,
  served: readonly ServedWorker[],
  workers: ReadonlyMap<string, Worker>,
  warn: (warning: string) => void,
): void {
  const bound = new Set(served.flatMap(({ services }) => (services ?? []).map(({ service }) => service)));
  for (const [name, url] of Object.entries(options.services ?? {})) {
    if (workers.has(name)) warn(`service ${name}=${url} is not used: "${name}" is served here`);
    else if (!bound.has(name)) warn(`service ${name}=${url} is not used: no binding leads to "${name}"`);
  }
}

/** How to find what a binding leads to. */
function finder(
  wanted: ServiceBinding,
  owner: string,
  workers: ReadonlyMap<string, Worker>,
  realm: Realm,
  options: ServeOptions,
  remotes: Map<string, RemoteHost>,
): ServiceFinder {
  const { binding, service, entrypoint, props } = wanted;
  const local = workers.get(service);
  if (local !== undefined) {
    const name = entrypoint ?? "default";
    const cap = local.entrypoint(name, props ?? {});
    if (cap === undefined)
      throw new BindingError(
        `${owner}: binding ${binding}: no such entrypoint: "${name}" in "${service}"; ${local.exportNames}.`,
      );
    return () => cap;
  }
  const variable = `CAPSTAN_SERVICE_${service.toUpperCase().replaceAll("-", "_")}`;
  const given = options.services?.[service];
  const url = given ?? process.env[variable] ?? "";
  if (url === "") {
    throw new BindingError(
      `${owner}: binding ${binding}: service "${service}" is not served here; name its URL with --service ${service}=URL or ${variable}.`,
    );
  }
  const problem = given === undefined ? urlProblem(url) : undefined;
  if (problem !== undefined) throw new BindingError(`${owner}: binding ${binding}: ${variable}: ${problem}.`);
  const remote = remotes.get(url) ?? new RemoteHost(url, realm.limits, options.record, options.packed);
  remotes.set(url, remote);
  remote.addName(service);
  return () => remote.find(wanted);
}

function find(
  workers: ReadonlyMap<string, Worker>,
  first: Worker,
  name: string,
  entrypoint: string,
  props: unknown,
): Capability {
  const worker = name === "" ? first : workers.get(name);
  if (worker === undefined) throw RpcError.failed(`No such service: "${name}"`);
  const service = worker.entrypoint(entrypoint === "" ? "default" : entrypoint, props);
  if (service === undefined) {
    const more = entrypoint === "" ? ` (service "${worker.name}" has no default export; ${worker.exportNames})` : "";
    throw RpcError.failed(`No such entrypoint: "${entrypoint}"${more}`);
  }
  return service;
}

type AcceptUpgrade = (req: IncomingMessage, socket: Duplex, head: Buffer) => void;

function linkAcceptor(
  realm: Realm,
  links: Set<Link>,
  { record, packed: policy = "remote" }: ServeOptions,
  findService: FindService,
): AcceptUpgrade {
  const { maxFrameBytes } = realm.limits;
  const choose = (offered: Iterable<string>, { socket }: IncomingMessage): string | false =>
    chooseProtocol(offered, policy, socket.remoteAddress) ?? false;
  const accept = (maxPayload: number): WebSocketServer =>
    new WebSocketServer({ noServer: true, perMessageDeflate: false, maxPayload, handleProtocols: choose });
  const plainSockets = accept(maxFrameBytes);
  const packedSockets = accept(packedBound(maxFrameBytes));
  return (req, socket, head) => {
    if (links.size >= realm.limits.maxLinks) {
      socket.on("error", () => {});
      socket.end("HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
      return;
    }
    const offered = (req.headers["sec-websocket-protocol"] ?? "").split(",").map((name) => name.trim());
    const sockets = choose(offered, req) === CAPSTAN_PACKED_PROTOCOL ? packedSockets : plainSockets;
    sockets.handleUpgrade(req, socket, head, (webSocket) => {
      const bootstrap = new LocalCapability(new LinkServer(findService, realm.limits), realm.limits);
      const plain = new WebSocketTransport(webSocket as unknown as WebSocketLike, endOfTurn, realm.limits);
      const transport = record === undefined ? plain : new RecordingTransport(plain, record(addressOf(req)));
      const link = new Link(transport, { limits: realm.limits, bootstrap });
      links.add(link);
      keepAlive(webSocket, realm.limits.heartbeatMs);
      link.onBroken(() => links.delete(link));
    });
  };
}

/** Who asks, for people. */
function addressOf({ socket }: IncomingMessage): string {
  return `${socket.remoteAddress}:${socket.remotePort}`;
}

function listenOn(port: number, host: string): (http: HttpServer) => Promise<AddressInfo> {
  return (http) =>
    new Promise((resolve, reject) => {
      http.once("error", reject);
      http.listen(port, host, () => {
        http.off("error", reject);
        resolve(http.address() as AddressInfo);
      });
    });
}
