import { PortInUseError } from './http-server.ts';
import { TemplateError } from './template/template-error.ts';

export { startCloud, type Cloud, type CloudOptions } from './cloud.ts';
export { FaultSettingsError, parseFaults, type FaultSettings } from './faults/settings.ts';
export { PortInUseError } from './http-server.ts';
export type { Log, LogEntry } from './log.ts';
export { Meter } from './meter.ts';
export { generatedSecret } from './services/secrets.ts';
export { TemplateError, type Deployment, type Resource } from './template/template.ts';

/** Is this something the user can mend, told in one line, rather than a fault of the cloud? */
export function isStartError(error: unknown): error is TemplateError | PortInUseError {
  return error instanceof TemplateError || error instanceof PortInUseError;
}
