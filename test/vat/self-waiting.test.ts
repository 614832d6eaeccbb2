import { expect } from "chai";
import type { Capability } from "../../packages/vat/src/index.ts";
import { type ExportId, encodeResolveCap } from "../../packages/wire/src/index.ts";
import { CAP, start } from "../support/pair.ts";
import { bootstrap, call, finish, inAnswer, noteContent, promised } from "../support/raw-messages.ts";
import { Victim } from "../support/victim.ts";

describe("vat: a call that waits for itself", () => {
  for (const isFinished of [false, true]) {
    it(`is cancelled with the link${isFinished ? ", though it was finished before" : ""}`, async () => {
      const victim = new Victim();
      const content = { caps: [promised(7)], content: noteContent() };
      victim.send(bootstrap(0), call(1, { exported: 0 }, content));
      const param = victim.keeper.calls[0]?.note.cap as Capability;
      // What the call was given turns out to be its own result, and the callee calls that.
      victim.send((w) => encodeResolveCap(w, 7 as ExportId, inAnswer(1, CAP)));
      const { outcome } = start(param, 0);
      if (isFinished) victim.send(finish(1));
      victim.connection.close();
      expect(victim.keeper.cancelled).to.equal(1);
      victim.keeper.fail("cancelled");
      await Promise.resolve();
      expect(outcome.error?.message).to.equal("The link was closed.");
    });
  }
});
