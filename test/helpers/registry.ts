import { afterAll } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

import { tempDir } from "./temp.ts";

const installed = resolve(import.meta.dir, "../../node_modules");

/**
 * A package registry on this machine that has the packages of this project's node_modules, and those whose folders
 * it is given by name. It ends with the test file.
 */
export function serveRegistry(own: Record<string, { tarball: string }>): { url: string } {
  const archives = tempDir("registry");
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    async fetch(request): Promise<Response> {
      const path = decodeURIComponent(new URL(request.url).pathname).slice(1);
      const name = path.replace(/\.tgz$/, "");
      const given = own[name];
      if (!given && !existsSync(join(installed, name))) return new Response(null, { status: 404 });
      const tarball = given?.tarball ?? join(archives, `${name.replaceAll("/", "-")}.tgz`);
      if (!existsSync(tarball)) await pack(join(installed, name), tarball);
      if (path.endsWith(".tgz")) return new Response(Bun.file(tarball));
      const manifest = await manifestIn(tarball);
      const dist = { tarball: `${server.url.origin}/${name}.tgz` };
      return Response.json({
        name,
        "dist-tags": { latest: manifest.version },
        versions: { [manifest.version]: { ...manifest, dist } },
      });
    },
  });
  afterAll(() => server.stop(true));
  return { url: server.url.href };
}

type Manifest = { version: string; optionalDependencies?: Record<string, string> };

/** What a package needs; of the optional ones, which other platforms have, only those that are here. */
async function manifestIn(tarball: string): Promise<Manifest> {
  const files = await new Bun.Archive(await Bun.file(tarball).bytes()).files("package/package.json");
  const text = await files.get("package/package.json")?.text();
  const manifest: Manifest = JSON.parse(text ?? "{}");
  const optional = Object.entries(manifest.optionalDependencies ?? {});
  const here = optional.filter(([name]) => existsSync(join(installed, name)));
  return { ...manifest, optionalDependencies: Object.fromEntries(here) };
}

async function pack(folder: string, tarball: string): Promise<void> {
  const files: Record<string, Uint8Array> = {};
  for (const name of new Bun.Glob("**/*").scanSync({ cwd: folder, dot: true })) {
    files[`package/${name}`] = readFileSync(join(folder, name));
  }
  await Bun.write(tarball, await new Bun.Archive(files, { compress: "gzip" }).bytes());
}
