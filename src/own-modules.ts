/**
 * Makes `import "jobx"`, `"jobx/plugin"` and `"jobx/plugin/test"` in users' files give this very program's modules,
 * so that nothing needs to be installed where they run. They load when first asked for. Call it once,
 * before any user's file is imported.
 */
export function registerOwnModules(): void {
  if (registered) return;
  registered = true;
  Bun.plugin({
    name: "jobx",
    setup(build) {
      build.module("jobx", async () => ({ exports: await import("./index.ts"), loader: "object" }));
      build.module("jobx/plugin", async () => ({ exports: await import("./plugin.ts"), loader: "object" }));
      build.module("jobx/plugin/test", async () => ({
        exports: await import("./plugin-test.ts"),
        loader: "object",
      }));
    },
  });
}

let registered = false;
