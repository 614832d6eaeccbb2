import { expect } from "chai";
import { JS_RPC_TARGET_ID_HIGH, JS_RPC_TARGET_ID_LOW } from "../../../packages/wire/src/gen/js-rpc.ts";
import { LINK_ID_HIGH, LINK_ID_LOW } from "../../../packages/wire/src/gen/link.ts";
import { nameMethod } from "../../../packages/wire/src/rpc/method-names.ts";

describe("nameMethod", () => {
  it("names what is known, and numbers the rest", () => {
    expect(nameMethod(LINK_ID_HIGH, LINK_ID_LOW, 0)).to.equal("Link.service");
    expect(nameMethod(JS_RPC_TARGET_ID_HIGH, JS_RPC_TARGET_ID_LOW, 0)).to.equal("JsRpcTarget.call");
    expect(nameMethod(JS_RPC_TARGET_ID_HIGH, JS_RPC_TARGET_ID_LOW, 9)).to.equal("JsRpcTarget.9");
    expect(nameMethod(1, 0xffff_ffff, 3)).to.equal("00000001ffffffff.3");
  });
});
