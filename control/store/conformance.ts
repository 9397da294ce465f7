import { describe, type TestContext, test } from 'node:test';
import * as fc from 'fast-check';
import { compaction } from './conformance/compaction.ts';
import { leases } from './conformance/leases.ts';
import { limitsAndClosing } from './conformance/limits.ts';
import { lists } from './conformance/lists.ts';
import { followsModel, step } from './conformance/model.ts';
import type { StoreUnderTest } from './conformance/subject.ts';
import { transactions } from './conformance/transactions.ts';
import { watches } from './conformance/watches.ts';

/** What every engine of the store keeps to. `open` gives an empty one each time. */
export function storeConformance(name: string, open: () => Promise<StoreUnderTest>): void {
  void describe(`store conformance: ${name}`, () => {
    const conforms = (sentence: string, run: (subject: StoreUnderTest) => Promise<void>): void => {
      void test(sentence, async (context: TestContext) => {
        const subject = await open();
        context.after(() => subject.dispose());
        await run(subject);
      });
    };
    transactions(conforms);
    lists(conforms);
    watches(conforms);
    compaction(conforms);
    leases(conforms);
    limitsAndClosing(conforms);
    void test('any sequence of transactions and compactions reads as the model says, at every kept revision', async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(step, { maxLength: 40 }), fc.nat(), async (steps, from) => {
          const subject = await open();
          try {
            await followsModel(subject.store, steps, from);
          } finally {
            await subject.dispose();
          }
        }),
        { numRuns: 40 },
      );
    });
  });
}
