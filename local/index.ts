import { PortInUseError } from './http-server.ts';
import { OriginError } from './loopback.ts';
import { OpenFolderError } from './private-folder.ts';
import { TemplateError } from './template/template-error.ts';

export { startCloud, type Cloud, type CloudOptions } from './cloud.ts';
export { createDraws } from './faults/draws.ts';
export { allFaults, FaultSettingsError, parseFaults, type FaultSettings } from './faults/settings.ts';
export { PortInUseError } from './http-server.ts';
export type { DeniedCall, Grant } from './iam/grant-use.ts';
export type { Log, LogEntry } from './log.ts';
export { OriginError } from './loopback.ts';
export type { Meter } from './meter.ts';
export { OpenFolderError } from './private-folder.ts';
export { TemplateError } from './template/template-error.ts';
export type { Deployment, Resource } from './template/template.ts';

/** Whether the user can mend the cause of a failed start. The message of such an error is one line for the user. */
export function isStartError(error: unknown): error is Error {
  return startErrors.some((kind) => error instanceof kind);
}

const startErrors = [TemplateError, PortInUseError, OriginError, OpenFolderError];
