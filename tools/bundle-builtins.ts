import { isBuiltin } from 'node:module';
import type { Plugin } from 'esbuild';

/**
 * Node's own modules by `process.getBuiltinModule` instead of imports. An import reads every export of a module, those behind getters too:
 * of node:crypto it loads all of Web Crypto, of node:http all of undici. This way nothing is read that is not used, and nothing is linked.
 */
export const builtinsByName: Plugin = {
  name: 'builtins by name',
  setup: (build) => {
    build.onResolve({ filter: /^[a-z_:/0-9]+$/ }, ({ path, kind, importer }) => {
      if (!isBuiltin(path)) return undefined;
      const name = path.replace(/^node:/, '');
      if (kind === 'require-call') return { path: name, namespace: 'required', sideEffects: false };
      // Each importer has its own few lines: as one for all they would be files of their own where a bundle is split.
      return { path: name, suffix: `?${importer}`, namespace: 'imported', sideEffects: false };
    });
    build.onLoad({ filter: /.*/, namespace: 'required' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('node:${path}');`,
    }));
    build.onLoad({ filter: /.*/, namespace: 'imported' }, ({ path }) => ({ contents: exportsOf(path) }));
  },
};

/** Each by itself, so that esbuild leaves away what nobody imports. */
function exportsOf(name: string): string {
  const exports = Object.keys(process.getBuiltinModule(`node:${name}`) ?? {}).filter((key) => key !== 'default');
  return [
    `const all = process.getBuiltinModule('node:${name}');`,
    'export default all;',
    ...exports.map((key, at) => `const e${at} = /* @__PURE__ */ (() => all.${key})(); export { e${at} as ${key} };`),
  ].join('\n');
}
