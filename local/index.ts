import { PortInUseError } from './http-server.ts';
import { TemplateError } from './template/template-error.ts';

export { startCloud, type Cloud, type CloudOptions } from './cloud.ts';
export { createDraws } from './faults/draws.ts';
export { allFaults, FaultSettingsError, parseFaults, type FaultSettings } from './faults/settings.ts';
export { PortInUseError } from './http-server.ts';
export type { DeniedCall, Grant } from './iam/grant-use.ts';
export type { Log, LogEntry } from './log.ts';
export type { Meter } from './meter.ts';
export { generatedSecret } from './services/secrets.ts';
export { TemplateError } from './template/template-error.ts';
export type { Deployment, Resource } from './template/template.ts';

/** Whether the user can mend the cause of a failed start. The message of such an error is one line for the user. */
export function isStartError(error: unknown): error is TemplateError | PortInUseError {
  return error instanceof TemplateError || error instanceof PortInUseError;
}
