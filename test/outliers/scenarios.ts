import type { OutlierDetection } from '../../proxy/cluster/outlier-detection.ts';
import type { Behaviour } from './faulty.ts';

export type Detection = Partial<Omit<OutlierDetection, 'enforcing'>> & {
  readonly enforcing?: Partial<OutlierDetection['enforcing']>;
};

export interface OutlierScenario {
  readonly name: string;
  /** One upstream each; requests go to them in turn. */
  readonly hosts: readonly Behaviour[];
  readonly requests: number;
  readonly detection: Detection;
  /** Places in `hosts` of those that were ejected after the requests, as Envoy 1.40 did it. */
  readonly ejected: readonly number[];
  /** Where ours are others, and why. */
  readonly ours?: { readonly ejected: readonly number[]; readonly because: string };
}

/** Long enough that nobody is back before the requests are through. */
export const BASE_EJECTION_MS = 1500;
export const INTERVAL_MS = 100;

const GATEWAY = { enforcing: { consecutive_5xx: 0, consecutive_gateway_failure: 100 } } as const;

export const SCENARIOS: readonly OutlierScenario[] = [
  { name: 'answers of 500', hosts: [500, 200, 200], requests: 24, detection: {}, ejected: [0] },
  {
    name: 'answers of 500 for gateway failures alone',
    hosts: [500, 503, 200],
    requests: 24,
    detection: GATEWAY,
    ejected: [1],
  },
  {
    name: 'connections refused',
    hosts: ['refuse', 200, 200],
    requests: 24,
    detection: GATEWAY,
    ejected: [0],
    ours: {
      ejected: [],
      because: 'who refuses a connection is asked last from then on, for growing times: not five times',
    },
  },
  {
    name: 'connections cut before the answer',
    hosts: ['reset', 200, 200],
    requests: 24,
    detection: GATEWAY,
    ejected: [0],
  },
  { name: 'answers cut short', hosts: ['cut', 200, 200], requests: 24, detection: {}, ejected: [] },
  { name: 'no answer in time', hosts: ['silent', 200, 200], requests: 24, detection: GATEWAY, ejected: [0] },
  { name: 'answers that are no HTTP', hosts: ['garbage', 200, 200], requests: 24, detection: GATEWAY, ejected: [0] },
  { name: 'a success now and then', hosts: ['every-fifth', 200, 200], requests: 48, detection: {}, ejected: [] },
  { name: 'answers of 404', hosts: [404, 200, 200], requests: 24, detection: {}, ejected: [] },
  {
    name: 'a share of a third',
    hosts: [500, 200, 200],
    requests: 24,
    detection: { maxEjectionPercent: 33 },
    ejected: [],
  },
  {
    name: 'a share of nobody, but one always',
    hosts: [500, 200, 200],
    requests: 24,
    detection: { maxEjectionPercent: 10, alwaysEjectOneHost: true },
    ejected: [0],
  },
  { name: 'three answers', hosts: [500, 200, 200], requests: 12, detection: { consecutive5xx: 3 }, ejected: [0] },
];
