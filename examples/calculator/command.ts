// A command with one argument: where the calculator is.

/** Runs it, and says what is wrong. */
export async function command(name: string, run: (address: string) => Promise<void>): Promise<void> {
  const [address] = process.argv.slice(2);
  if (address === undefined) {
    console.error(`usage: ${name} HOST:PORT | unix:PATH | ws://HOST:PORT`);
    process.exitCode = 2;
    return;
  }
  try {
    await run(address);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  }
}
