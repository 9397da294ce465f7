import { FakeClock } from '../../../kit/fake-clock.ts';
import { storeConformance } from '../conformance.ts';
import { openMemoryStore } from './memory-store.ts';

storeConformance('memory', async () => {
  const clock = new FakeClock();
  const store = openMemoryStore({ clock });
  return { store, advance: (byMs) => clock.advance(byMs), dispose: () => store.close() };
});
