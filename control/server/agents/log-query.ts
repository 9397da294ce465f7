import type { Pod } from '../../../api/kinds/pod.ts';
import { ApiError } from '../../../api/meta/api-error.ts';
import { isTrue } from '../http/request-info.ts';

const DEFAULT_CONTAINER = 'kubectl.kubernetes.io/default-container';
const FLAGS = ['follow', 'previous', 'timestamps'];
/** Whole numbers with the least that makes sense (ValidatePodLogOptions). */
const NUMBERS: Readonly<Record<string, number>> = { tailLines: 0, sinceSeconds: 1, limitBytes: 1 };

/** The parameters of PodLogOptions that the agent takes, checked. Throws ApiError 400. */
export function logQuery(query: URLSearchParams): URLSearchParams {
  const checked = new URLSearchParams();
  for (const flag of FLAGS) if (isTrue(query.get(flag))) checked.set(flag, 'true');
  for (const [name, least] of Object.entries(NUMBERS)) {
    const value = query.get(name);
    if (value === null || value === '') continue;
    if (!/^\d{1,15}$/.test(value) || Number(value) < least) {
      throw ApiError.badRequest(`${name}: ${JSON.stringify(value)} is not a whole number of ${least} or more`);
    }
    checked.set(name, value);
  }
  const sinceTime = query.get('sinceTime');
  if (sinceTime) {
    if (checked.has('sinceSeconds'))
      throw ApiError.badRequest('at most one of sinceTime or sinceSeconds may be specified');
    if (Number.isNaN(Date.parse(sinceTime)))
      throw ApiError.badRequest(`sinceTime: ${JSON.stringify(sinceTime)} is not a time`);
    checked.set('sinceTime', sinceTime);
  }
  return checked;
}

/** The container that is asked for, or the only one, or the one that the pod names as its default. Throws ApiError 400. */
export function logContainer({ metadata, spec }: Pod, asked: string | null): string {
  const main = spec.containers.map(({ name }) => name);
  const init = (spec.initContainers ?? []).map(({ name }) => name);
  const [only] = main;
  const wanted = asked || metadata.annotations?.[DEFAULT_CONTAINER] || (main.length === 1 ? only : undefined);
  if (wanted === undefined) {
    const choice = `choose one of: [${main.join(' ')}]${init.length === 0 ? '' : ` or one of the init containers: [${init.join(' ')}]`}`;
    throw ApiError.badRequest(`a container name must be specified for pod ${metadata.name}, ${choice}`);
  }
  if (![...main, ...init].includes(wanted)) {
    throw ApiError.badRequest(`container ${wanted} is not valid for pod ${metadata.name}`);
  }
  return wanted;
}
