import { systemClock } from '../../kit/clock.ts';
import { Alarm, TimerWheel } from '../../kit/timer-wheel.ts';
import type { Micro } from './measure.ts';

export const timerWheel: Micro = {
  name: 'timer-wheel',
  about: "a request's time-out: set, and cleared when the answer comes",
  prepare: () => {
    const clock = systemClock();
    const wheel = new TimerWheel(clock);
    const alarm = new Alarm(() => undefined);
    return {
      run: () => {
        wheel.set(alarm, clock.monotonic(), 15_000);
        wheel.clear(alarm);
      },
      close: () => wheel.close(),
    };
  },
};
