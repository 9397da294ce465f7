import { ApiError } from '../../meta/api-error.ts';
import type { Conflict } from './apply-configuration.ts';
import { pathText } from './field-set.ts';
import { managerText } from './managers.ts';

/** The 409 of an apply that would change what others own, with a cause per field (managedfields' conflict.go). */
export function applyConflict(conflicts: readonly Conflict[]): ApiError {
  const causes = conflicts.map(({ with: owner, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${managerText(owner)}`,
    field: pathText(path),
  }));
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: messageOf(conflicts),
    reason: 'Conflict',
    details: { causes },
    code: 409,
  });
}

function messageOf(conflicts: readonly Conflict[]): string {
  const [first] = conflicts;
  if (conflicts.length === 1 && first !== undefined) {
    return `Apply failed with 1 conflict: conflict with ${managerText(first.with)}: ${pathText(first.path)}`;
  }
  const byManager = Map.groupBy(conflicts, ({ with: owner }) => managerText(owner));
  const lines = [...byManager].flatMap(([manager, of]) => [
    `conflicts with ${manager}:`,
    ...of.map(({ path }) => `- ${pathText(path)}`),
  ]);
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`;
}
