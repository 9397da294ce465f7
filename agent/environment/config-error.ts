/** What a container is configured with is not there or makes no sense: CreateContainerConfigError, or FailedMount. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}
