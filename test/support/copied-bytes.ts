// Counts what is copied from one place in JavaScript's memory to another.

/** How many bytes of JavaScript's memory `work` copied, in copies of at least 64 KiB. */
export async function copiedBytes(work: () => void | Promise<void>): Promise<number> {
  let copied = 0;
  const count = (bytes: number): void => {
    if (bytes >= 64 * 1024) copied += bytes;
  };
  const { set, slice, copyWithin } = Uint8Array.prototype;
  const { concat } = Buffer;
  const { copy } = Buffer.prototype;
  Uint8Array.prototype.set = function (source, at) {
    count(source.length);
    set.call(this, source, at);
  };
  Uint8Array.prototype.slice = function (from, to) {
    const result = slice.call(this, from, to);
    count(result.length);
    return result as Uint8Array<ArrayBuffer>;
  };
  Uint8Array.prototype.copyWithin = function (at, from, to) {
    count((to ?? this.length) - from);
    return copyWithin.call(this, at, from, to);
  };
  Buffer.prototype.copy = function (target: Uint8Array, ...rest: number[]) {
    const bytes = copy.call(this, target, ...rest);
    count(bytes);
    return bytes;
  };
  Buffer.concat = (list, length) => {
    const result = concat(list as Buffer[], length);
    count(result.length);
    return result as Buffer<ArrayBuffer>;
  };
  try {
    await work();
  } finally {
    Object.assign(Uint8Array.prototype, { set, slice, copyWithin });
    Object.assign(Buffer, { concat });
    Object.assign(Buffer.prototype, { copy });
  }
  return copied;
}
