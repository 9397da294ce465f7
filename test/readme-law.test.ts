import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');

/** Made, fetched or written at run time; and images, which are whole by themselves and described where they are used. */
const NOT_OURS = ['**/node_modules', '**/.*', 'dist', 'xds', 'examples/*/images', 'test/support/trial-image'];

/** A name in backticks that is a file of the repository, wildcards included: `clock.ts`, `*-rules.ts`, `sqlite/owner.ts`. */
const FILE_NAME = /^[\w./*-]+\.(?:ts|js|md|yaml)$/;

function filesOf(pattern: string): readonly string[] {
  return globSync(pattern, { cwd: root, exclude: NOT_OURS });
}

const TEST_FILES = filesOf('**/*.test.ts');

function spansOf(text: string): readonly string[] {
  return [...text.matchAll(/`([^`\n]+)`/g)].map(([, span = '']) => span);
}

/** What a README's tables name and neither its folder has nor one that stands in the same row (`verbs/`, `sqlite/x.ts`). */
function missingFiles(folder: string, page: string): readonly string[] {
  const rows = page.split('\n').filter((line) => line.startsWith('|'));
  return rows.flatMap((row) => {
    const spans = spansOf(row);
    const rooms = spans.filter((span) => span.includes('/')).map((span) => span.slice(0, span.lastIndexOf('/')));
    const places = ['.', ...rooms].map((room) => join(root, folder, room));
    return spans
      .filter((span) => FILE_NAME.test(span))
      .filter((name) => ![...places, root].some((cwd) => hasFile(cwd, name)));
  });
}

/** A path may start at the repository's root, a bare name may not. */
function hasFile(cwd: string, name: string): boolean {
  return (cwd !== root || name.includes('/')) && globSync(name, { cwd }).length > 0;
}

/** Links to places in the repository that are not there. */
function deadLinks(folder: string, page: string): readonly string[] {
  const targets = [...page.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets
    .filter((target) => !/^(?:[a-z]+:|#)/.test(target))
    .filter((target) => {
      const [path = ''] = target.split('#');
      return !existsSync(join(root, folder, path));
    });
}

/** Commands that would run no test: `node --test 'kit/*.test.ts'`, `npm test -- test/e2e`. */
function emptyCommands(page: string): readonly string[] {
  const indented = page.split('\n').filter((line) => line.startsWith('    '));
  return [...spansOf(page), ...indented].filter((command) => {
    const [, runner, given] = /^\s*(node --test|npm test --) ([^#]+)/.exec(command) ?? [];
    if (given === undefined) return false;
    const patterns = given.replace(/--test-name-pattern '[^']*'/, '').match(/[^\s']+/g) ?? [];
    const finds = (pattern: string): boolean =>
      runner === 'node --test' ? filesOf(pattern).length > 0 : TEST_FILES.some((file) => file.includes(pattern));
    return !patterns.every(finds);
  });
}

function problemsOf(path: string, page: string): readonly string[] {
  const folder = dirname(path);
  const missing = basename(path) === 'README.md' ? missingFiles(folder, page) : [];
  return [
    ...missing.map((name) => `${path} names "${name}", which ${folder} does not have`),
    ...deadLinks(folder, page).map((target) => `${path} links to "${target}", which is not there`),
    ...emptyCommands(page).map((command) => `${path} says "${command.trim()}", which finds no test for all it names`),
  ];
}

test('every folder of sources has a README.md', () => {
  const folders = new Set(filesOf('**/*.ts').map(dirname));
  const bare = [...folders].filter((folder) => !existsSync(join(root, folder, 'README.md')));
  assert.deepEqual(bare.sort(), []);
});

test('what a page names is there: files of a README’s tables, links, and tests of its commands', () => {
  const pages = filesOf('**/*.md').map(normalize).sort();
  assert.ok(pages.includes('README.md') && pages.includes('kit/README.md'));
  assert.deepEqual(
    pages.flatMap((path) => problemsOf(path, readFileSync(join(root, path), 'utf8'))),
    [],
  );
});

for (const [what, page, problem] of [
  [
    'a file that is gone',
    '| `clock.ts`, `sundial.ts` | what time it is |',
    /kit\/README.md names "sundial.ts", which kit/,
  ],
  ['a wildcard that nothing fits', '| `*-sundial.ts` | what time it is |', /names "\*-sundial.ts"/],
  ['a path that leads nowhere', '| `../api/sundial.ts` | what time it is |', /names "..\/api\/sundial.ts"/],
  ['a link that leads nowhere', 'See [the sundial](sundial.md#noon).', /links to "sundial.md#noon"/],
  ['a command without tests', "Test: `node --test 'kit/sundial/*.test.ts'`.", /finds no test/],
  ['a pattern without tests', 'Test: `npm test -- kit/clock kit/sundial`.', /finds no test/],
] as const) {
  test(`the law refuses ${what}`, () => {
    const problems = problemsOf('kit/README.md', page);
    assert.equal(problems.length, 1);
    assert.match(problems[0] ?? '', problem);
  });
}

test('the law takes what is there, in every form', () => {
  const page = `| \`clock.ts\`, \`fake-*.ts\` | as \`../api/README.md\`, \`test/import-law.test.ts\` and \`state.json\` say |
[api](../api), [far](https://example.org/x.md) and \`node --test 'kit/*.test.ts'\`, not \`sundial.ts\` in prose`;
  assert.deepEqual(problemsOf('kit/README.md', page), []);
});
