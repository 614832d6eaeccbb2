// Bytes that open each value in V8's serialization format, and the tags of host objects.

/** First byte of a value: the format's version follows. */
export const VERSION = 0xff;
/** The version that is written, and the newest that is read. */
export const WRITTEN_VERSION = 15;
/** The oldest version that is read: from it on host objects have a tag of their own. */
export const OLDEST_VERSION = 13;
/** From this version on views carry a varint of flags. */
export const VIEW_FLAGS_VERSION = 14;

export const PADDING = 0x00;
export const OBJECT_COUNT = 0x3f; // ?
export const HOLE = 0x2d; // -
export const UNDEFINED = 0x5f; // _
export const NULL = 0x30; // 0
export const TRUE = 0x54; // T
export const FALSE = 0x46; // F
export const INT32 = 0x49; // I
export const UINT32 = 0x55; // U
export const DOUBLE = 0x4e; // N
export const BIGINT = 0x5a; // Z
export const LATIN1 = 0x22; // "
export const UTF16 = 0x63; // c
export const UTF8 = 0x53; // S
export const REFERENCE = 0x5e; // ^
export const OBJECT = 0x6f; // o
export const OBJECT_END = 0x7b; // {
export const DENSE_ARRAY = 0x41; // A
export const DENSE_ARRAY_END = 0x24; // $
export const SPARSE_ARRAY = 0x61; // a
export const SPARSE_ARRAY_END = 0x40; // @
export const DATE = 0x44; // D
export const BOXED_TRUE = 0x79; // y
export const BOXED_FALSE = 0x78; // x
export const BOXED_NUMBER = 0x6e; // n
export const BOXED_BIGINT = 0x7a; // z
export const BOXED_STRING = 0x73; // s
export const REGEXP = 0x52; // R
export const MAP = 0x3b; // ;
export const MAP_END = 0x3a; // :
export const SET = 0x27; // '
export const SET_END = 0x2c; // ,
export const ARRAY_BUFFER = 0x42; // B
export const RESIZABLE_ARRAY_BUFFER = 0x7e; // ~
export const VIEW = 0x56; // V
export const ERROR = 0x72; // r
export const HOST_OBJECT = 0x5c; // \

/** Tags behind `HOST_OBJECT` that the codec itself writes and reads; the others belong to the host. */
export const HostTag = {
  domException: 8,
  nativeError: 10,
  /** Like domException, and then an object of its other properties. A tag of ours. */
  fullDomException: 67,
} as const;

/** Flags of a view: it follows its buffer's end, and its buffer is resizable. */
export const VIEW_TRACKS_LENGTH = 1;
export const VIEW_OF_RESIZABLE = 2;

/** The flags of a regular expression, lowest bit first. The space is V8's "linear", which no script can ask for. */
export const REGEXP_FLAGS = "gimyus dv";
