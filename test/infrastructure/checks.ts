import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RegoEngine, TemplateFile } from '@aws/cloudformation-validate';
import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import * as z from 'zod/mini';

/** An app for `violations`, whose functions are not bundled. */
export function createCheckedApp(outdir: string, context: Readonly<Record<string, unknown>> = {}): App {
  return new App({
    outdir,
    context: {
      'aws:cdk:bundling-stacks': [],
      // The report has the findings. Without this, CDK would also end the process with an error.
      '@aws-cdk/core:failSynthOnValidationErrors': false,
      ...context,
    },
    builtinCloudFormationValidation: false,
  });
}

/** The rules of cdk-nag that the app breaks. A plugin without findings is not in the report. */
export function violations(app: App): readonly string[] {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  app.synth();
  const report = reportSchema.parse(
    JSON.parse(readFileSync(join(app.outdir, 'validation-report.json'), 'utf8')),
  );
  return report.pluginReports.flatMap((plugin) => plugin.violations.map(({ ruleName }) => ruleName));
}

/** What CloudFormation would refuse in a template. */
export function graveDiagnostics(template: string): readonly string[] {
  const engine = new RegoEngine();
  try {
    return engine
      .validateStandard(new TemplateFile(template))
      .diagnostics.filter(({ severity }) => severity === 'ERROR' || severity === 'FATAL')
      .map(({ ruleId, message }) => `${ruleId} ${message}`);
  } finally {
    engine.free();
  }
}

const reportSchema = z.object({
  pluginReports: z.array(
    z.object({ pluginName: z.string(), violations: z.array(z.object({ ruleName: z.string() })) }),
  ),
});
