import type { Check, Subject } from './checks.ts';
import type { Finding, Outcome } from './finding.ts';

/** One after the other, each told as it comes. A check that throws has failed: its own words are the finding. */
export async function* runChecks(checks: readonly Check[], subject: Subject): AsyncGenerator<Finding> {
  for (const { category, name, run } of checks) {
    yield { category, check: name, ...(await outcomeOf(run, subject)) };
  }
}

async function outcomeOf(run: Check['run'], subject: Subject): Promise<Outcome> {
  try {
    return await run(subject);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { verdict: 'failed', message, hint: 'the check itself could not be made' };
  }
}
