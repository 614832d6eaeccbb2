// Describes a value so exactly that two of the same description differ in nothing that structured clone keeps.

/** Text with every kind, property, element, hole and identity of `value`; cycles and shared objects as numbers. */
export function shapeOf(value: unknown): string {
  const ids = new Map<object, number>();

  function describe(item: unknown): string {
    if (typeof item === "number") return Object.is(item, -0) ? "-0" : String(item);
    if (typeof item === "string") return JSON.stringify(item);
    if (typeof item === "bigint") return `${item}n`;
    if ((typeof item !== "object" && typeof item !== "function") || item === null) return String(item);
    const known = ids.get(item);
    if (known !== undefined) return `#${known}`;
    ids.set(item, ids.size);
    return `${ids.size - 1}:${className(item)}${content(item)}`;
  }

  function content(object: object): string {
    if (ArrayBuffer.isView(object)) {
      const end = (object as Partial<Uint8Array>).length ?? object.byteLength;
      return `(${describe(object.buffer)} ${object.byteOffset} ${end})`;
    }
    if (object instanceof ArrayBuffer) {
      const { resizable, maxByteLength } = object as ArrayBuffer & { resizable?: boolean; maxByteLength?: number };
      return `(${resizable === true ? maxByteLength : "fixed"} ${new Uint8Array(object).join()})`;
    }
    if (object instanceof Date) return `(${object.getTime()})`;
    if (object instanceof RegExp) return `(${describe(object.source)} ${object.flags})`;
    if (object instanceof Map)
      return `{${[...object].map(([key, item]) => `${describe(key)}=>${describe(item)}`).join()}}`;
    if (object instanceof Set) return `{${[...object].map(describe).join()}}`;
    if (object instanceof Boolean || object instanceof Number || object instanceof BigInt || object instanceof String) {
      return `(${describe(object.valueOf())})`;
    }
    const length = Array.isArray(object) ? object.length : "";
    return `${length}{${keysOf(object)
      .map((key) => property(object, key))
      .join()}}`;
  }

  function property(object: object, key: string): string {
    const { value: item, enumerable, writable, configurable } = Object.getOwnPropertyDescriptor(object, key) ?? {};
    const flags = `${enumerable === true ? "" : "!e"}${writable === true ? "" : "!w"}${configurable === true ? "" : "!c"}`;
    return `${JSON.stringify(key)}${flags}:${describe(item)}`;
  }

  return describe(value);
}

function keysOf(object: object): string[] {
  return Object.getOwnPropertyNames(object).filter(
    (key) => key !== "stack" && !(Array.isArray(object) && key === "length"),
  );
}

function className(object: object): string {
  return (Object.getPrototypeOf(object) as { constructor: { name: string } } | null)?.constructor.name ?? "null";
}
