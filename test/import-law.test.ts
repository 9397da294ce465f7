import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');

/**
 * Who may import whom (docs/architecture.md, "Imports go one way"). The longest prefix of a file's path decides. A
 * `type`-only import counts too: what a file knows the shape of, it depends on.
 */
const LAW: readonly (readonly [folder: string, may: readonly string[], why: string])[] = [
  ['api/client/', ['api/', 'kit/'], 'the client does I/O: it may use the kit'],
  ['api/', ['api/'], 'the kinds are shared by every process and know none of them'],
  ['kit/', ['kit/'], 'the kit is the lowest floor'],
  ['certs/workload/', ['api/', 'kit/', 'certs/workload/', 'certs/x509/'], 'a workload must never hold the authority'],
  ['certs/', ['api/', 'kit/', 'certs/'], 'identity stands on api and kit alone'],
  ['discovery/', ['api/', 'kit/', 'discovery/'], 'discovery stands on api and kit alone'],
  [
    'proxy/',
    ['api/', 'kit/', 'certs/workload/', 'proxy/', 'xds/'],
    'a proxy is driven by xDS, not by our control plane',
  ],
  [
    'agent/',
    ['api/', 'kit/', 'certs/workload/', 'discovery/dns/', 'agent/'],
    'the agent starts a proxy as a process and never imports it',
  ],
  [
    'control/',
    ['api/', 'kit/', 'certs/', 'discovery/registry/', 'control/', 'xds/'],
    'the control plane never imports what it drives',
  ],
  [
    'cli/up/',
    ['api/', 'kit/', 'cli/', 'control/', 'agent/', 'certs/', 'discovery/'],
    'only the all-in-one command assembles',
  ],
  [
    'cli/process/',
    ['api/', 'kit/', 'cli/', 'control/', 'agent/', 'proxy/', 'certs/', 'discovery/'],
    'the commands that are processes load their folder',
  ],
  ['cli/', ['api/', 'kit/', 'cli/'], 'commands are clients of the API'],
  ['examples/', ['examples/'], 'examples are unaware of the mesh'],
  ['tools/', ['tools/', 'cli/', 'kit/'], 'tools build the repository and are not part of it'],
  [
    'bench/',
    [
      'api/',
      'kit/',
      'certs/',
      'discovery/',
      'proxy/',
      'control/',
      'agent/',
      'cli/',
      'bench/',
      'test/',
      'xds/',
      'tools/',
    ],
    'anything',
  ],
  [
    'test/',
    [
      'api/',
      'kit/',
      'certs/',
      'discovery/',
      'proxy/',
      'control/',
      'agent/',
      'cli/',
      'bench/',
      'test/',
      'xds/',
      'tools/',
    ],
    'anything',
  ],
];

// A room's tests may use the shared test support, and the store-backed control plane where a client needs a server.
const TESTS_MAY = ['test/', 'control/', 'certs/', 'api/', 'kit/', 'tools/'];

interface Import {
  readonly from: string;
  readonly to: string;
}

function sourceFiles(): string[] {
  const folders = LAW.map(([folder]) => folder).filter((folder) => folder.indexOf('/') === folder.length - 1);
  return folders.flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.includes('node_modules'))
      .map((name) => join(folder, name)),
  );
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found = text.matchAll(
    /(?:^|\n)\s*(?:import|export)[^'"\n;]*?(?:\{[^}]*\}\s*from\s*)?['"](\.[^'"]+)['"]|import\(\s*['"](\.[^'"]+)['"]\s*\)/g,
  );
  return [...found].map((match) => {
    const target = match[1] ?? match[2] ?? '';
    return { from: file, to: relative(root, join(root, dirname(file), target)) };
  });
}

/** Tests, and what a room's tests stand on: conformance suites, models, harnesses. */
function isTest(file: string): boolean {
  return /\.test\.ts$|\/(?:testing|test-support|conformance)\/|\/conformance\.ts$|^(?:test|bench)\//.test(file);
}

function verdict({ from, to }: Import): string | undefined {
  const rule = LAW.find(([folder]) => from.startsWith(folder));
  if (rule === undefined) return `${from}: no rule names its folder`;
  const [folder, may, why] = rule;
  const allowed = isTest(from) ? [...may, ...TESTS_MAY] : may;
  if (isTest(to) && !isTest(from)) return `${from} imports ${to}: what tests stand on is not for the product`;
  return allowed.some((prefix) => to.startsWith(prefix))
    ? undefined
    : `${from} imports ${to}: ${folder} may import ${may.join(', ')}; ${why}`;
}

test('imports go one way, as the architecture says', () => {
  const broken = sourceFiles()
    .flatMap(importsOf)
    .map(verdict)
    .filter((line) => line !== undefined);
  assert.deepEqual(broken, []);
});

test('the law sees imports of every form, and refuses one that goes up', () => {
  assert.match(verdict({ from: 'proxy/main.ts', to: 'control/server/verbs.ts' }) ?? '', /driven by xDS/);
  assert.match(
    verdict({ from: 'certs/workload/svid.ts', to: 'certs/authority/issue.ts' }) ?? '',
    /never hold the authority/,
  );
  assert.equal(verdict({ from: 'agent/main.ts', to: 'kit/clock.ts' }), undefined);
  assert.ok(importsOf('test/import-law.test.ts').length === 0);
  assert.ok(importsOf('api/client/client.ts').some(({ to }) => to === 'api/kinds/kind.ts'));
});
