// An error that nobody catches, which a test waits for.

/** The next uncaught error, which then ends nothing else. Wait for it: until it comes no other one is heard of. */
export function uncaught(): Promise<Error> {
  return new Promise((resolve) => {
    const others = process.listeners("uncaughtException");
    process.removeAllListeners("uncaughtException");
    process.once("uncaughtException", (error) => {
      for (const other of others) process.on("uncaughtException", other);
      resolve(error);
    });
  });
}
