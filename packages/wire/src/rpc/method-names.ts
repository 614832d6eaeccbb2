// What people call the interfaces and methods that Capstan speaks.
import {
  ABORT_TRIGGER_ABORT_METHOD,
  ABORT_TRIGGER_ID,
  ABORT_TRIGGER_RELEASE_METHOD,
  BYTE_STREAM_END_METHOD,
  BYTE_STREAM_GET_SUBSTREAM_METHOD,
  BYTE_STREAM_ID,
  BYTE_STREAM_START_TLS_METHOD,
  BYTE_STREAM_WRITE_METHOD,
  EXTERNAL_PUSHER_ID,
  EXTERNAL_PUSHER_PUSH_ABORT_SIGNAL_METHOD,
  EXTERNAL_PUSHER_PUSH_BYTE_STREAM_METHOD,
  EXTERNAL_PUSHER_PUSH_DELAYED_CHANNEL_TOKEN_METHOD,
  JS_RPC_TARGET_CALL_METHOD,
  JS_RPC_TARGET_ID,
} from "../gen/js-rpc.ts";
import {
  LINK_ID,
  LINK_SERVICE_METHOD,
  SERVICE_CONNECT_METHOD,
  SERVICE_FETCH_METHOD,
  SERVICE_ID,
  SOURCE_FORWARD_TO_METHOD,
  SOURCE_ID,
  VALUE_SINK_ABORT_METHOD,
  VALUE_SINK_ID,
  VALUE_SINK_WRITE_METHOD,
  WATCHED_CLOSED_METHOD,
  WATCHED_ID,
} from "../gen/link.ts";

interface NamedInterface {
  readonly name: string;
  readonly methods: { readonly [id: number]: string };
}

const INTERFACES = new Map<string, NamedInterface>();

function add(id: bigint, name: string, methods: NamedInterface["methods"]): void {
  INTERFACES.set(id.toString(16).padStart(16, "0"), { name, methods });
}

add(LINK_ID, "Link", { [LINK_SERVICE_METHOD]: "service" });
add(SERVICE_ID, "Service", { [SERVICE_FETCH_METHOD]: "fetch", [SERVICE_CONNECT_METHOD]: "connect" });
add(JS_RPC_TARGET_ID, "JsRpcTarget", { [JS_RPC_TARGET_CALL_METHOD]: "call" });
add(EXTERNAL_PUSHER_ID, "ExternalPusher", {
  [EXTERNAL_PUSHER_PUSH_BYTE_STREAM_METHOD]: "pushByteStream",
  [EXTERNAL_PUSHER_PUSH_ABORT_SIGNAL_METHOD]: "pushAbortSignal",
  [EXTERNAL_PUSHER_PUSH_DELAYED_CHANNEL_TOKEN_METHOD]: "pushDelayedChannelToken",
});
add(ABORT_TRIGGER_ID, "AbortTrigger", {
  [ABORT_TRIGGER_ABORT_METHOD]: "abort",
  [ABORT_TRIGGER_RELEASE_METHOD]: "release",
});
add(BYTE_STREAM_ID, "ByteStream", {
  [BYTE_STREAM_WRITE_METHOD]: "write",
  [BYTE_STREAM_END_METHOD]: "end",
  [BYTE_STREAM_GET_SUBSTREAM_METHOD]: "getSubstream",
  [BYTE_STREAM_START_TLS_METHOD]: "startTls",
});
add(VALUE_SINK_ID, "ValueSink", { [VALUE_SINK_WRITE_METHOD]: "write", [VALUE_SINK_ABORT_METHOD]: "abort" });
add(WATCHED_ID, "Watched", { [WATCHED_CLOSED_METHOD]: "closed" });
add(SOURCE_ID, "Source", { [SOURCE_FORWARD_TO_METHOD]: "forwardTo" });

/**
 * `Interface.method`, with the interface's id in hexadecimal, or the method's number, where they have no name here.
 *
 * @param interfaceHigh upper half of the interface's id, unsigned.
 */
export function nameMethod(interfaceHigh: number, interfaceLow: number, methodId: number): string {
  const id = hex(interfaceHigh) + hex(interfaceLow);
  const known = INTERFACES.get(id);
  return `${known?.name ?? id}.${known?.methods[methodId] ?? methodId}`;
}

function hex(half: number): string {
  return half.toString(16).padStart(8, "0");
}
