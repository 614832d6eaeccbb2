// What a failing run says: its seed, how to run it again, and a test that replays what was sent.

/** The seed that was asked for, where one was: then that run alone is done. */
export const ONLY_SEED = process.env.FUZZ_SEED === undefined ? undefined : Number(process.env.FUZZ_SEED);

/** Runs `run`, and where it fails (or something throws outside of it meanwhile) tells how to repeat it. */
export async function reporting(title: string, seed: number, replay: () => string, run: () => Promise<void>) {
  const tell = (): void => {
    console.error(
      `\nTo repeat this: FUZZ_SEED=${seed} npx mocha -g ${JSON.stringify(title)}\nA test that replays it:\n\n${replay()}\n`,
    );
  };
  process.once("uncaughtExceptionMonitor", tell);
  try {
    await run();
  } catch (error) {
    tell();
    throw error;
  } finally {
    process.off("uncaughtExceptionMonitor", tell);
  }
}
