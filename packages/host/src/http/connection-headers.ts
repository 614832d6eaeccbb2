// Headers that speak of one connection, not of the message on it: they stop at whoever reads them.

const CONNECTION_HEADERS: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
]);

/** Tells whether the header `name`, in lower case, is about the connection, given that message's `connection` header. */
export function connectionHeaders(connection: string | null | undefined): (name: string) => boolean {
  if (!connection) return (name) => CONNECTION_HEADERS.has(name);
  const named = new Set(connection.toLowerCase().split(/[\s,]+/));
  // An upgrade is an offer that Workers answer themselves; a connection header always names it.
  named.delete("upgrade");
  return (name) => CONNECTION_HEADERS.has(name) || named.has(name);
}
