// Host tags in value bytes: what the value codec leaves to us. Own ones start at 64.

/** Takes one external: a target. */
export const STUB = 1;
/** Takes one external: a sink. */
export const WRITABLE_STREAM = 2;
/** Takes one external: a pushed stream of bytes. */
export const READABLE_STREAM = 3;
export const HEADERS = 4;
export const REQUEST = 5;
export const RESPONSE = 6;
/** Takes one external: a pushed signal. */
export const ABORT_SIGNAL = 9;
export const BLOB = 15;
/** Takes two externals: a target whose value is the promise's, and where calls on it go (or an invalid one). */
export const PROMISE = 64;
export const URL_OBJECT = 65;
/** Like READABLE_STREAM, of chunks of any kind. */
export const VALUE_STREAM = 66;
// 67 is the value codec's.
/** Like STUB, of a service: its receiver gets a binding. */
export const SERVICE = 68;
/** Like RESPONSE, whose body is encoded already, as its `content-encoding` says. */
export const ENCODED_RESPONSE = 69;
/** Like BLOB, with a name and the time of its last change (a double, ms) in front. */
export const FILE = 70;
