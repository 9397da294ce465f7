import type { Carrying } from '../../api/trust/carried-identities.ts';
import type { TrustStep } from '../../api/trust/trust-bundle.ts';

const NAMED = 3;

/**
 * Why a step must wait (undefined: it need not). Before the new root signs, every proxy must have it in its bundle; before the old one goes,
 * every proxy must show a certificate of the new one. Both is what carrying the present generation means.
 */
export function refusalOfStep(step: TrustStep, { total, carried, waiting }: Carrying): string | undefined {
  if (step === 'add' || step === 'renew' || waiting.length === 0) return undefined;
  const others = waiting.length - NAMED;
  const names = `${waiting.slice(0, NAMED).join(', ')}${others > 0 ? ` and ${others} more` : ''}`;
  return `${carried} of ${total} agents and proxies carry the present stage; waiting for ${names}`;
}
