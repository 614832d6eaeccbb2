import { expect } from "chai";
import fc from "fast-check";
import { LocalTable } from "../../../packages/vat/src/tables/local-table.ts";
import { RemoteTable } from "../../../packages/vat/src/tables/remote-table.ts";

interface Entry {
  readonly name: string;
}
const entry = (name: string): Entry => ({ name });

describe("vat: a table of ids that we allocate", () => {
  it("hands out small ids, and a freed one again before a new one", () => {
    const table = new LocalTable<number, Entry>();
    expect([table.allocate(entry("a")), table.allocate(entry("b")), table.allocate(entry("c"))]).to.deep.equal([
      0, 1, 2,
    ]);
    expect(table.take(1)?.name).to.equal("b");
    expect(table.allocate(entry("d"))).to.equal(1);
    expect(table.allocate(entry("e"))).to.equal(3);
    expect(table.size).to.equal(4);
  });

  it("frees an id once, however often it is asked to", () => {
    const table = new LocalTable<number, Entry>();
    const id = table.allocate(entry("a"));
    expect(table.take(id)?.name).to.equal("a");
    expect(table.take(id)).to.equal(undefined);
    expect(table.take(99)).to.equal(undefined);
    expect([table.allocate(entry("b")), table.allocate(entry("c"))]).to.deep.equal([0, 1]);
    expect(table.size).to.equal(2);
  });

  it("is empty after a drain, and starts anew", () => {
    const table = new LocalTable<number, Entry>();
    table.allocate(entry("a"));
    table.take(table.allocate(entry("b")));
    table.allocate(entry("c"));
    expect(table.drain().map(({ name }) => name)).to.deep.equal(["a", "c"]);
    expect(table.get(0)).to.equal(undefined);
    expect(table.size).to.equal(0);
    expect(table.allocate(entry("d"))).to.equal(0);
  });
});

describe("vat: a table of ids that the peer allocates", () => {
  for (const id of [0, 7, 4095, 4096, 2 ** 32 - 1]) {
    it(`keeps an entry under the id ${id}, and gives it up once`, () => {
      const table = new RemoteTable<number, Entry>();
      expect(table.get(id)).to.equal(undefined);
      table.set(id, entry("a"));
      expect(table.get(id)?.name).to.equal("a");
      expect(table.size).to.equal(1);
      expect(table.take(id)?.name).to.equal("a");
      expect(table.take(id)).to.equal(undefined);
      expect(table.size).to.equal(0);
    });
  }

  it("is empty after a drain, whatever the ids were", () => {
    const table = new RemoteTable<number, Entry>();
    for (const id of [3, 2 ** 31, 5]) table.set(id, entry(String(id)));
    expect(
      table
        .drain()
        .map(({ name }) => name)
        .sort(),
    ).to.deep.equal(["2147483648", "3", "5"]);
    expect([...table.values()]).to.deep.equal([]);
    expect(table.get(2 ** 31)).to.equal(undefined);
  });

  it("holds what a Map would hold, whatever the order of ids", () => {
    const ids = fc.oneof(fc.nat(20), fc.integer({ min: 4090, max: 4110 }), fc.integer({ min: 0, max: 2 ** 32 - 1 }));
    const steps = fc.array(fc.record({ id: ids, takes: fc.boolean() }), { maxLength: 300 });
    fc.assert(
      fc.property(fc.boolean(), steps, (isFull, wanted) => {
        const table = new RemoteTable<number, Entry>();
        const model = new Map<number, Entry>();
        const set = (id: number): void => {
          const one = entry(String(id));
          table.set(id, one);
          model.set(id, one);
        };
        // Past these, ids that follow one another are in the array too.
        if (isFull) for (let id = 0; id < 4096; id++) set(id);
        for (const { id, takes } of wanted) {
          expect(table.get(id)).to.equal(model.get(id));
          if (takes) {
            expect(table.take(id)).to.equal(model.get(id));
            model.delete(id);
          } else if (!model.has(id)) set(id);
          expect(table.size).to.equal(model.size);
        }
        expect([...table.values()]).to.have.members([...model.values()]);
        for (const id of model.keys()) expect(table.take(id)).to.equal(model.get(id));
        expect(table.size).to.equal(0);
      }),
      { numRuns: 60 },
    );
  });
});
