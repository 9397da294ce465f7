import assert from 'node:assert/strict';
import type { Call, Case } from './case.ts';
import { byName, type Difference, differences } from './compare.ts';
import { normalize } from './normalize.ts';
import { withoutOwnAdditions } from './own-additions.ts';
import { perform } from './perform.ts';
import { digest, type RecordedCase } from './recorded.ts';
import type { ReferenceServer } from './server.ts';

/** How the server's answers to a case differ from the recorded ones; fails when others were recorded than are asked. */
export async function findDifferences(
  server: ReferenceServer,
  each: Case,
  recorded: RecordedCase | undefined,
): Promise<readonly Difference[]> {
  assert.equal(recorded?.calls, digest(each), 'the calls have changed: run "node test/reference/record.ts"');
  const answers = normalize(each, withoutOwnAdditions(await perform(server, each)), Date.now());
  // As JSON has it: what is undefined is not there.
  const ours: unknown = JSON.parse(JSON.stringify(answers));
  const read = each.name.startsWith('discovery-')
    ? (all: unknown) => (all as readonly unknown[]).map(byName)
    : (all: unknown) => all;
  return differences(read(recorded?.answers), read(ours));
}

/** A difference for people: where, what was asked, what each said. */
export function describeDifference({ calls }: Case, { at, reference, ours }: Difference): string {
  const call = calls[Number(at.split('.')[0])];
  return `${at}\n  asked ${asked(call)}\n  kube  ${shortened(reference)}\n  tutti ${shortened(ours)}`;
}

function asked(call: Call | undefined): string {
  return call === undefined ? '' : `${call.method} ${call.path} ${call.body === undefined ? '' : shortened(call.body)}`;
}

const SHOWN_CHARACTERS = 600;

function shortened(value: unknown): string {
  const text = value === undefined ? '(not there)' : typeof value === 'string' ? value : JSON.stringify(value);
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}
