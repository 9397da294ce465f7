import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DockerfileError, type ImageConfig, parseDockerfile } from './dockerfile.ts';

const CASES: readonly (readonly [name: string, text: string, expected: Partial<ImageConfig>])[] = [
  [
    'the exec form is taken word by word',
    'FROM a\nENTRYPOINT ["node", "server.ts"]\nCMD ["--x", "a b"]',
    {
      entrypoint: ['node', 'server.ts'],
      cmd: ['--x', 'a b'],
    },
  ],
  [
    'the shell form runs in a shell',
    'FROM a\nCMD node server.ts $PORT',
    { cmd: ['/bin/sh', '-c', 'node server.ts $PORT'] },
  ],
  ['a broken exec form is the shell form', "FROM a\nCMD ['node']", { cmd: ['/bin/sh', '-c', "['node']"] }],
  [
    'SHELL changes the shell form after it',
    'FROM a\nSHELL ["/bin/bash", "-c"]\nENTRYPOINT x',
    {
      entrypoint: ['/bin/bash', '-c', 'x'],
    },
  ],
  [
    'a continued line is one, comments between do not count',
    'FROM a\nENV A=1 \\\n# why\n\n  B=2\nCMD ["x"]',
    {
      env: { A: '1', B: '2' },
      cmd: ['x'],
    },
  ],
  [
    'the escape directive changes what continues a line',
    '# escape=`\nFROM a\nENV A=1 `\n B=c:\\d',
    {
      env: { A: '1', B: 'c:\\d' },
    },
  ],
  ['quotes and escapes join words', 'FROM a\nENV A="b c" D=e\\ f G=\'$H\'', { env: { A: 'b c', D: 'e f', G: '$H' } }],
  [
    'the old form of ENV takes the rest of the line',
    'FROM a\nENV GREETING hello  world',
    {
      env: { GREETING: 'hello  world' },
    },
  ],
  [
    'variables are replaced, with their defaults',
    'FROM a\nENV A=1\nENV B=$A/${A}x C=${D:-no} E=${A:+yes} F=\\$A',
    {
      env: { A: '1', B: '1/1x', C: 'no', E: 'yes', F: '$A' },
    },
  ],
  [
    'one ENV line sees the values from before it',
    'FROM a\nENV abc=hello\nENV abc=bye def=$abc\nENV ghi=$abc',
    {
      env: { abc: 'bye', def: 'hello', ghi: 'bye' },
    },
  ],
  [
    'ARG gives its default, ENV wins',
    'ARG V=2\nFROM a:$V\nARG V\nARG W=w\nENV W=e\nENV X=$V$W',
    {
      env: { W: 'e', X: '2e' },
    },
  ],
  [
    'the last stage counts, with what it takes from an earlier one',
    'FROM a AS base\nENV A=1\nWORKDIR /srv\nCMD ["base"]\nFROM b AS other\nENV B=2\nFROM base\nWORKDIR app',
    {
      env: { A: '1' },
      workdir: '/srv/app',
      cmd: ['base'],
    },
  ],
  ['WORKDIR resolves dots and variables', 'FROM a\nENV D=/one\nWORKDIR $D/two/../three', { workdir: '/one/three' }],
  [
    'what is in a here-document is no instruction',
    'FROM a\nRUN <<EOF\nCMD ["wrong"]\nEOF\nCOPY <<-"X" /y\n\tCMD bad\n\tX\nCMD ["right"]',
    {
      cmd: ['right'],
    },
  ],
  [
    'instructions may be written small, with Windows line ends',
    'from a\r\nuser app:staff\r\ncmd ["x"]\r\n',
    {
      user: 'app:staff',
      cmd: ['x'],
    },
  ],
];

for (const [name, text, expected] of CASES) {
  test(`Dockerfile: ${name}`, () => {
    const parsed: Partial<ImageConfig> = parseDockerfile(text);
    for (const [key, value] of Object.entries(expected)) assert.deepEqual(parsed[key as keyof ImageConfig], value);
  });
}

test('a Dockerfile without FROM, or with something before it, is refused with its line', () => {
  assert.throws(() => parseDockerfile('# nothing\n'), /has no FROM/);
  assert.throws(() => parseDockerfile('\nCMD x\nFROM a'), /line 2: CMD before the first FROM/);
  assert.throws(() => parseDockerfile('FROM a\nENV A=1 B'), /line 2: ENV "B"/);
});

test('any text either parses or is refused as a Dockerfile, and never loops', () => {
  const piece = fc.constantFrom(
    'FROM a\n',
    'ENV ',
    'A=$',
    '${B:-',
    '}',
    '"',
    "'",
    '\\',
    '\n',
    'RUN <<X\n',
    'X\n',
    'CMD [',
    '#',
    ' ',
    'é',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string({ maxLength: 4 })), { maxLength: 40 }), (pieces) => {
      try {
        parseDockerfile(pieces.join(''));
      } catch (error) {
        assert.ok(error instanceof DockerfileError);
      }
    }),
  );
});
