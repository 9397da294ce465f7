import { reasonIndex } from '../../proxy/telemetry/reason.ts';
import { Telemetry } from '../../proxy/telemetry/telemetry.ts';
import type { Micro } from './measure.ts';

export const accountRequest: Micro = {
  name: 'account',
  about: "a finished request into its service's counters",
  prepare: () => {
    const telemetry = new Telemetry();
    for (let at = 0; at < 100; at++) telemetry.requestStats('outbound', `service-${at}.default`);
    return {
      run: () => telemetry.requestStats('outbound', 'service-50.default').record(200, reasonIndex(''), 1.5, 0, 100),
    };
  },
};
