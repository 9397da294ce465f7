/** Kubernetes' way to name a field: `spec.ports[0].name`; names with dots in brackets, `metadata.labels[app.example/tier]`. */
export function formatPath(path: readonly (string | number)[]): string {
  return path
    .map((step, at) => {
      if (typeof step === 'number') return `[${step}]`;
      if (/[./]/.test(step)) return `[${step}]`;
      return at === 0 ? step : `.${step}`;
    })
    .join('');
}

/** The other way; whole numbers in brackets are places in a list. */
export function parsePath(text: string): (string | number)[] {
  return [...text.matchAll(/\[([^\]]*)\]|[^.[\]]+/g)].map(([whole, bracketed]) => {
    const step = bracketed ?? whole;
    return bracketed !== undefined && /^\d+$/.test(step) ? Number(step) : step;
  });
}
