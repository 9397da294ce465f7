import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { configMapKind } from '../../api/kinds/config-map.ts';
import { startTestApiServer, type TestApiServer } from '../support/api-server.ts';
import { needs, program } from '../support/programs.ts';
import { run } from '../support/tutti-process.ts';

// What real shells offer at Tab, with a `tutti` on PATH and a cluster behind it.

const BASH_COMPLETION = '/usr/share/bash-completion/bash_completion';
const main = join(import.meta.dirname, '..', '..', 'cli', 'main.ts');

let api: TestApiServer;
let env: Readonly<Record<string, string>>;

before(async () => {
  api = await startTestApiServer();
  for (const name of ['settings-one', 'settings-two', 'other']) {
    await api.client.create(configMapKind, { metadata: { name, namespace: 'default' }, data: {} });
  }
  const bin = join(api.folder, 'bin');
  mkdirSync(bin);
  writeFileSync(join(bin, 'tutti'), `#!/bin/sh\nexec "${process.execPath}" "${main}" "$@"\n`);
  chmodSync(join(bin, 'tutti'), 0o755);
  env = { PATH: `${bin}:${process.env['PATH']}`, KUBECONFIG: api.kubeconfig, HOME: api.folder };
});
after(() => api.close());

async function shell(name: 'bash' | 'zsh' | 'fish', script: string): Promise<string[]> {
  const plain = { bash: ['--norc', '--noprofile', '-c'], zsh: ['-f', '-c'], fish: ['--no-config', '-c'] }[name];
  const { stdout, stderr, code } = await run(program(name), [...plain, script], { cwd: api.folder, env });
  assert.equal(code, 0, stderr);
  return stdout.split('\n').filter((line) => line !== '');
}

/** The words that bash offers for a line whose last word is under the cursor. */
async function bash(line: string): Promise<string[]> {
  const words = line.split(' ');
  return await shell(
    'bash',
    `source ${BASH_COMPLETION}
source <(tutti completion bash)
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}
COMP_LINE='${line}'; COMP_POINT=${line.length}; COMP_TYPE=9; COMP_KEY=9
compopt() { :; }
__tutti_complete
printf '%s\\n' "\${COMPREPLY[@]}"`,
  );
}

async function fish(line: string): Promise<string[]> {
  const lines = await shell('fish', `tutti completion fish | source; complete --do-complete '${line}'`);
  return lines.map((each) => each.split('\t')[0] ?? '');
}

const offered: readonly (readonly [line: string, words: readonly string[]])[] = [
  ['tutti can', ['canary']],
  ['tutti rollout res', ['restart', 'resume']],
  ['tutti get configm', ['configmaps']],
  ['tutti get configmaps set', ['settings-one', 'settings-two']],
  ['tutti describe cm/oth', ['cm/other']],
  ['tutti get pods -n kube-sy', ['kube-system']],
  ['tutti get pods -o j', ['json']],
  ['tutti get --field', ['--field-selector']],
  ['tutti get configmaps nothing-like', []],
];

/** One of each kind: what is offered is decided by the same command whatever the shell. */
const IN_FISH = ['tutti can', 'tutti get configmaps set', 'tutti get pods -o j'];

for (const [line, words] of offered) {
  test(`bash offers ${words.join(', ') || 'nothing'} at "${line}"`, needs('bash'), async () => {
    assert.deepEqual((await bash(line)).map((word) => word.trim()).sort(), [...words].sort());
  });
  if (!IN_FISH.includes(line)) continue;
  test(`fish offers ${words.join(', ') || 'nothing'} at "${line}"`, needs('fish'), async () => {
    assert.deepEqual((await fish(line)).sort(), [...words].sort());
  });
}

test('zsh takes the script and completes tutti by it', needs('zsh'), async () => {
  const lines = await shell(
    'zsh',
    'autoload -Uz compinit; compinit -u -D; source <(tutti completion zsh); print -- ${_comps[tutti]}; whence -w _tutti',
  );
  assert.deepEqual(lines, ['_tutti', '_tutti: function']);
});

test('with no cluster in reach the names are left out, and nothing is said', needs('bash'), async () => {
  const away = { ...env, KUBECONFIG: join(api.folder, 'nothing') };
  const { stdout, stderr, code } = await run(process.execPath, [main, 'complete', '--', 'get', 'configmaps', ''], {
    cwd: api.folder,
    env: away,
  });
  assert.deepEqual([stderr, code], ['', 0]);
  assert.doesNotMatch(stdout, /settings/);
});
