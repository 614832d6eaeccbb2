// Values for people to look at: what passes by reference is named, and nothing is taken or made.
import {
  DecodeError,
  type External,
  type HostObjectReader,
  type JsValueRef,
  type Limits,
  readJsValue,
  type ValueReader,
} from "@capstan/wire";
import { readHeaders } from "./fetch-objects.ts";
import * as Tag from "./host-tags.ts";

/** The status of a response that hands over a WebSocket. */
const SWITCHING_PROTOCOLS = 101;

/**
 * Reads a value of anybody's: objects that pass by reference, and those that would hold a body, become stand-ins that
 * Node's `inspect` prints as `[stub cap 0]`, with their index in the message's cap table. Throws DecodeError.
 */
export function previewValue(ref: JsValueRef, limits: Limits): unknown {
  return readJsValue(ref, new PreviewReader(ref.externals), limits);
}

class PreviewReader implements HostObjectReader {
  readonly #externals: readonly External[];
  #next = 0;

  constructor(externals: readonly External[]) {
    this.#externals = externals;
  }

  readHostObject(input: ValueReader, tag: number): object {
    switch (tag) {
      case Tag.STUB:
        return this.#take("stub");
      case Tag.PROMISE: {
        const promise = this.#take("promise");
        this.#next++;
        return promise;
      }
      case Tag.READABLE_STREAM:
      case Tag.VALUE_STREAM:
        return this.#take("ReadableStream");
      case Tag.WRITABLE_STREAM:
        return this.#take("WritableStream");
      case Tag.ABORT_SIGNAL:
        return this.#take("AbortSignal");
      case Tag.HEADERS:
        return readHeaders(input);
      case Tag.URL_OBJECT:
        return new StandIn(`URL ${input.readString()}`);
      case Tag.BLOB: {
        const type = input.readString();
        return new StandIn(`Blob${type === "" ? "" : ` ${type}`} of ${input.readBytes().length} bytes`);
      }
      case Tag.REQUEST:
        return readRequest(input);
      case Tag.RESPONSE:
        return readResponse(input);
      default:
        throw new DecodeError(`a value holds a host object of unknown kind ${tag}`);
    }
  }

  #take(name: string): StandIn {
    const index = this.#externals[this.#next++]?.capIndex ?? -1;
    return new StandIn(index < 0 ? name : `${name} cap ${index}`);
  }
}

function readRequest(input: ValueReader): StandIn {
  const method = input.readString();
  const url = input.readString();
  input.readString(); // what to do with redirects
  readHeaders(input);
  return new StandIn(`Request ${method} ${url}${bodyOf(input)}`);
}

function readResponse(input: ValueReader): StandIn {
  const status = input.readVarint();
  const statusText = input.readString();
  input.readString(); // where it came from
  readHeaders(input);
  const body = bodyOf(input);
  if (status === SWITCHING_PROTOCOLS) {
    input.readValue();
    input.readValue();
  }
  return new StandIn(`Response ${status}${statusText === "" ? "" : ` ${statusText}`}${body}`);
}

function bodyOf(input: ValueReader): string {
  const body = input.readValue();
  return body instanceof StandIn ? `, body ${body.text}` : "";
}

/** An object that is not here. */
class StandIn {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return `[${this.text}]`;
  }
}
