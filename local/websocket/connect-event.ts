import { without, type UpgradeParts } from './upgrade-request.ts';

/** CONNECT, as captured in 2025: no `body`, no `path`, no `version`, and no query maps where there was no query. */
export function connectEvent(
  upgrade: UpgradeParts,
  stageVariables: Readonly<Record<string, string>>,
  context: Readonly<Record<string, unknown>>,
): unknown {
  return {
    ...without(upgrade, ['connection', 'upgrade', 'content-length']),
    ...upgrade.query,
    ...(Object.keys(stageVariables).length === 0 ? {} : { stageVariables }),
    requestContext: context,
    isBase64Encoded: false,
  };
}
