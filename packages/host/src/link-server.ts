// The bootstrap interface of a host: names become services.
import { readPlainValue, servePush, toException } from "@capstan/client/serving";
import { type Capability, type IncomingCall, type PayloadEncoder, RpcError, type Server } from "@capstan/vat";
import {
  LINK_ID_HIGH,
  LINK_ID_LOW,
  LINK_SERVICE_METHOD,
  type Limits,
  readServiceParams,
  writeServiceResults,
} from "@capstan/wire";

const serviceEncoder: PayloadEncoder<Capability> = {
  encode: (out, service) => writeServiceResults(out.writer, out.at, out.addCapability(service)),
};

/** Finds an entrypoint; throws with the reason where there is none. The reference belongs to the caller. */
export type FindService = (name: string, entrypoint: string, props: unknown) => Capability;

export class LinkServer implements Server {
  readonly #find: FindService;
  readonly #limits: Limits;

  constructor(find: FindService, limits: Limits) {
    this.#find = find;
    this.#limits = limits;
  }

  dispatch(call: IncomingCall): void {
    if (servePush(call, this.#limits)) return;
    if (
      call.interfaceHigh !== LINK_ID_HIGH ||
      call.interfaceLow !== LINK_ID_LOW ||
      call.methodId !== LINK_SERVICE_METHOD
    ) {
      call.returnException(RpcError.unimplemented("A link has no such interface or method."));
      return;
    }
    try {
      const { name, entrypoint, props } = readServiceParams(call.params.reader, call.params.content, this.#limits);
      const value = props === undefined ? undefined : readPlainValue(props, this.#limits);
      const service = this.#find(name, entrypoint, value);
      call.returnResults(serviceEncoder, service);
      service.release();
    } catch (error) {
      call.returnException(error instanceof RpcError ? error : toException(error, this.#limits));
    }
  }
}
