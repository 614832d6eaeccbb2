// The base class of Durable Objects. Capstan does not store them: it is here so that modules which define one load.

/** Sets `this.ctx` and `this.env`, as the runtime's own base class does. */
export class DurableObject<Env = unknown> {
  protected readonly ctx: unknown;
  protected readonly env: Env;

  constructor(ctx: unknown, env: Env) {
    this.ctx = ctx;
    this.env = env;
  }
}
