import { CommandError } from '../output/exit-codes.ts';
import { formatProblem, type ManifestProblem } from './problem.ts';
import { documentName, type ManifestDocument, readManifests } from './read-manifests.ts';

/** The documents of the manifests, or, when anything is wrong with any of them, a refusal of all. */
export async function checkedManifests(paths: readonly string[]): Promise<readonly ManifestDocument[]> {
  if (paths.length === 0) return [];
  const { documents, problems } = await readManifests(paths);
  refuseProblems(problems, documents);
  return documents;
}

/**
 * Throws when a problem is an error: with every problem's place, and with the good documents named as not applied, since
 * nothing is applied by half. `documents` are those that could be read.
 */
export function refuseProblems(problems: readonly ManifestProblem[], documents: readonly ManifestDocument[]): void {
  const errors = problems.filter(({ severity }) => severity === 'error');
  if (errors.length === 0) return;
  const good = documents.filter(
    (document) => !errors.some((problem) => problem.document === document.index && problem.file === document.file),
  );
  const rest =
    good.length === 0 ? '' : `\nnot applied, though nothing is wrong with them: ${good.map(documentName).join(', ')}`;
  const count = `${errors.length} ${errors.length === 1 ? 'problem' : 'problems'}`;
  throw new CommandError(`manifests: ${count}; nothing was applied\n${errors.map(formatProblem).join('\n')}${rest}`);
}
