// What the README shows is run here, as it stands there.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect } from "chai";

const root = fileURLToPath(new URL("../", import.meta.url));
const capstan = join(root, "packages/cli/bin/capstan.js");

/** The fenced blocks of a Markdown text, by the path that their first line names in a comment. */
function filesIn(markdown: string): Map<string, string> {
  const files = new Map<string, string>();
  for (const [, body = ""] of markdown.matchAll(/```\w+\n([\s\S]*?)```/g)) {
    const path = /^(?:#|\/\/) ([\w./-]+)\n/.exec(body)?.[1];
    if (path !== undefined) files.set(path, body);
  }
  return files;
}

describe("README", () => {
  const running: ChildProcess[] = [];
  let folder: string;
  let readme: string;

  before(async () => {
    readme = await readFile(join(root, "README.md"), "utf8");
    // Within the repository, so that its packages are found.
    await mkdir(join(root, "node_modules/.cache"), { recursive: true });
    folder = await mkdtemp(join(root, "node_modules/.cache/readme-"));
    await writeFile(join(folder, "package.json"), '{ "type": "module" }');
    for (const [path, text] of filesIn(readme)) {
      await mkdir(dirname(join(folder, path)), { recursive: true });
      await writeFile(join(folder, path), text);
    }
  });

  after(async () => {
    for (const child of running) {
      if (child.exitCode !== null) continue;
      child.kill("SIGKILL");
      await once(child, "exit");
    }
    await rm(folder, { recursive: true, force: true });
  });

  /** Runs `capstan` in the folder; resolves with its first output. */
  async function run(...args: string[]): Promise<string> {
    const child = spawn(process.execPath, [capstan, ...args], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
    running.push(child);
    const [chunk] = (await once(child.stdout!, "data")) as [Buffer];
    return chunk.toString().trim();
  }

  it("shows two Workers that call each other in two processes", async () => {
    const b = (await run("serve", "worker-b", "--port", "0")).replace("listening on ", "");
    const a = (await run("serve", "worker-a", "--port", "0", "--service", `worker-b=${b}`)).replace(
      "listening on ",
      "",
    );
    expect(await (await fetch(a)).text()).to.equal("Hello: 3");
    expect(await run("call", b, "--entrypoint", "MyWorker", "add", "1", "2")).to.equal("3");
  });

  it("shows a client and a host in code", async () => {
    const script = join(folder, "client.ts");
    const child = spawn(process.execPath, ["--import", "tsx", script], {
      cwd: root,
      stdio: ["ignore", "pipe", "inherit"],
    });
    running.push(child);
    let output = "";
    child.stdout!.on("data", (chunk: Buffer) => {
      output += chunk.toString();
    });
    expect(await once(child, "exit")).to.deep.equal([0, null]);
    expect(output).to.equal("3\n42\n");
  });

  it("names only scripts that there are", async () => {
    const { scripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
    for (const [, name] of readme.matchAll(/npm (?:run )?(start|test|\w+)/g)) {
      if (name !== "install") expect(scripts).to.have.property(name!);
    }
  });
});
