// Why a link could not be opened, in words for whoever gave its URL.

/** Where hosts take links; stated here too, as the platform's files know nothing of the rest. */
const LINK_PATH = "/_capstan";

/** What to say instead of `message`, which the socket library or OpenSSL gave. */
export function openErrorText(message: string, url: string): string {
  const status = /^Unexpected server response: (\d{3})$/.exec(message)?.[1];
  if (status === "503") return "the server takes no more links (it answered 503)";
  if (status !== undefined) return noLink(new URL(url).pathname, status);
  const tls = /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1];
  return tls === undefined ? message : `${tls}: does the other end speak TLS?`;
}

function noLink(path: string, status: string): string {
  const hint = path === LINK_PATH ? "" : `; links are at ${LINK_PATH}`;
  return `no link at ${path} (the server answered ${status})${hint}`;
}
