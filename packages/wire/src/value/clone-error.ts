// The DataCloneErrors of the value codec, with the texts that programs know from V8 and from Cloudflare's runtime.

/** Prototypes of V8's own kinds of object that cannot be cloned, and how V8 calls them where it is not by class. */
const UNCLONABLE = new Map<object, string>([
  [Promise.prototype, ""],
  [WeakMap.prototype, ""],
  [WeakSet.prototype, ""],
  [WeakRef.prototype, ""],
  [FinalizationRegistry.prototype, ""],
  [Symbol.prototype, "[object Symbol]"],
  [Object.getPrototypeOf(function* () {}).prototype as object, "[object Generator]"],
  [Object.getPrototypeOf(async function* () {}).prototype as object, "[object AsyncGenerator]"],
  [Object.getPrototypeOf([][Symbol.iterator]()) as object, "#<Array Iterator>"],
  [Object.getPrototypeOf(""[Symbol.iterator]()) as object, "#<String Iterator>"],
  [Object.getPrototypeOf(new Map()[Symbol.iterator]()) as object, "#<Map Iterator>"],
  [Object.getPrototypeOf(new Set()[Symbol.iterator]()) as object, "#<Set Iterator>"],
]);
if (typeof SharedArrayBuffer === "function") UNCLONABLE.set(SharedArrayBuffer.prototype, "");

/** A DOMException named DataCloneError. */
export function cloneError(text: string): DOMException {
  return new DOMException(text, "DataCloneError");
}

/** For a symbol, a function, or an object of V8's that is never cloned. */
export function notClonable(described: string): DOMException {
  return cloneError(`${described} could not be cloned.`);
}

/** For a function that the host does not want. Reads none of its properties: it may be a stub. */
export function functionNotClonable(callable: object): DOMException {
  return notClonable(Function.prototype.toString.call(callable));
}

/** For an object that neither the codec nor the host knows. */
export function objectNotClonable(object: object, isProxy: boolean): DOMException {
  if (isProxy) {
    return cloneError(
      "Proxy could not be serialized because it is not a valid RPC receiver type. The Proxy must emulate either a " +
        "plain object or an RpcTarget, as indicated by the Proxy's prototype chain.",
    );
  }
  for (let proto = prototypeOf(object); proto !== null; proto = prototypeOf(proto)) {
    const described = UNCLONABLE.get(proto);
    if (described !== undefined) return notClonable(described === "" ? `#<${className(object)}>` : described);
  }
  return cloneError(
    `Could not serialize object of type "${className(object)}". This type does not support serialization.`,
  );
}

/** For an ArrayBuffer that was transferred away, or a view of one. */
export function detachedBuffer(): DOMException {
  return cloneError("An ArrayBuffer is detached and could not be cloned.");
}

/** For a value of more bytes than `limits.maxBytes`. */
export function tooLarge(maxBytes: number, size: number): DOMException {
  const mebibytes = maxBytes / (1024 * 1024);
  const limit = Number.isInteger(mebibytes) ? `${mebibytes}MiB` : `${maxBytes} bytes`;
  return cloneError(
    `Serialized RPC arguments or return values are limited to ${limit}, but the size of this value was: ${size} bytes.`,
  );
}

/** For containers nested deeper than `limits.maxDepth`. */
export function tooDeep(maxDepth: number): DOMException {
  return cloneError(`The value is nested too deeply to be sent (max ${maxDepth}).`);
}

/** For more objects than `limits.maxObjects`. */
export function tooMany(maxObjects: number): DOMException {
  return cloneError(`The value has too many objects to be sent (max ${maxObjects}).`);
}

/** Name of the class of `object`, as far as it can be read without its help. */
function className(object: object): string {
  for (let proto = prototypeOf(object); proto !== null; proto = prototypeOf(proto)) {
    const constructor: unknown = dataProperty(proto, "constructor");
    if (typeof constructor !== "function") continue;
    const name: unknown = dataProperty(constructor, "name");
    if (typeof name === "string" && name !== "") return name;
  }
  return "Object";
}

/** A property's value unless a getter or a Proxy's trap stands in the way: those are not to run for a message. */
function dataProperty(object: object, key: string): unknown {
  try {
    return Object.getOwnPropertyDescriptor(object, key)?.value;
  } catch {
    return undefined;
  }
}

function prototypeOf(object: object): object | null {
  try {
    return Object.getPrototypeOf(object) as object | null;
  } catch {
    return null;
  }
}
