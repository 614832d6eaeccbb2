// A temporary folder that nobody else can read and that doesn't outlive its use.
import { rmSync } from "node:fs";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const inUse = new Set<string>();

/**
 * Makes a folder, runs `use` with its absolute path, and removes it with all it holds: when `use` has settled, or when
 * the process exits before.
 */
export async function withPrivateFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "capstan-")));
  if (inUse.size === 0) process.on("exit", removeAll);
  inUse.add(folder);
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
    inUse.delete(folder);
    if (inUse.size === 0) process.off("exit", removeAll);
  }
}

function removeAll(): void {
  for (const folder of inUse) rmSync(folder, { recursive: true, force: true });
}
