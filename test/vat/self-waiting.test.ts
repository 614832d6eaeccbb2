import { expect } from "chai";
import type { Capability } from "../../packages/vat/src/index.ts";
import { type ExportId, encodeResolveCap } from "../../packages/wire/src/index.ts";
import { CAP, start } from "../support/pair.ts";
import { bootstrap, call, finish, noteContent, receiverAnswer, senderPromise } from "../support/raw-messages.ts";
import { RawPeer } from "../support/raw-peer.ts";

describe("vat: a call that waits for itself", () => {
  for (const isFinished of [false, true]) {
    it(`is cancelled with the link${isFinished ? ", though it was finished before" : ""}`, async () => {
      const victim = new RawPeer();
      const content = { caps: [senderPromise(7)], content: noteContent() };
      victim.send(bootstrap(0), call(1, { exported: 0 }, content));
      const param = victim.keeper.calls[0]?.note.cap as Capability;
      // What the call was given turns out to be its own result, and the callee calls that.
      victim.send((w) => encodeResolveCap(w, 7 as ExportId, receiverAnswer(1, CAP)));
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
