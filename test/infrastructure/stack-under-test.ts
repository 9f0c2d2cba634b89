import { App, Stack, type StackProps } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import * as z from 'zod/mini';
import { SwitchboardStack, type SwitchboardStackSettings } from '../../lib/switchboard-stack.ts';

/** The stack with these settings. Its functions are not bundled, because these tests read the template only. */
export function createStack(
  settings: SwitchboardStackSettings = {},
  props: StackProps = {},
): SwitchboardStack {
  return new SwitchboardStack(createApp(), 'Switchboard', settings, props);
}

/** An empty stack of a user's own app. */
export function createOwnStack(): Stack {
  return new Stack(createApp(), 'Own');
}

function createApp(): App {
  return new App({
    context: { 'aws:cdk:bundling-stacks': [], '@aws-cdk/aws-iam:minimizePolicies': true },
    builtinCloudFormationValidation: false,
  });
}

export interface TemplateResource {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  readonly deletionPolicy: string | undefined;
}

/** Every resource of a type, with references written as text (see `asText`). */
export function resourcesOf(stack: Stack, type?: string): readonly TemplateResource[] {
  const template = templateSchema.parse(Template.fromStack(stack).toJSON());
  return Object.entries(template.Resources)
    .filter(([, resource]) => type === undefined || resource.Type === type)
    .map(([logicalId, resource]) => ({
      logicalId: shortId(logicalId),
      type: resource.Type,
      properties: objectSchema.parse(asText(resource.Properties ?? {})),
      deletionPolicy: resource.DeletionPolicy,
    }));
}

export function outputsOf(stack: Stack): Readonly<Record<string, unknown>> {
  const template = templateSchema.parse(Template.fromStack(stack).toJSON());
  return Object.fromEntries(
    Object.entries(template.Outputs).map(([name, { Value }]) => [name, asText(Value)]),
  );
}

/** Writes Join and GetAtt as readable text, such as `${SessionsTable.Arn}/index/byAudience`. */
function asText(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asText);
  if (typeof value !== 'object' || value === null) return value;
  const intrinsic = intrinsicSchema.safeParse(value);
  if (!intrinsic.success) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asText(inner)]));
  }
  if ('Ref' in intrinsic.data) return `\${${shortId(intrinsic.data.Ref)}}`;
  if ('Fn::GetAtt' in intrinsic.data) {
    const [id, attribute] = intrinsic.data['Fn::GetAtt'];
    return `\${${shortId(id)}.${attribute}}`;
  }
  const [separator, parts] = intrinsic.data['Fn::Join'];
  return parts.map((part) => String(asText(part))).join(separator);
}

/** A logical id without the construct's name in front and CDK's hash behind: `SessionsTable`. */
function shortId(logicalId: string): string {
  return logicalId.replace(/^Switchboard/, '').replace(/[0-9A-F]{8}$/, '');
}

const objectSchema = z.record(z.string(), z.unknown());

const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({
      Type: z.string(),
      Properties: z.optional(objectSchema),
      DeletionPolicy: z.optional(z.string()),
    }),
  ),
  Outputs: z._default(z.record(z.string(), z.object({ Value: z.unknown() })), {}),
});

const intrinsicSchema = z.union([
  z.strictObject({ Ref: z.string() }),
  z.strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) }),
  z.strictObject({ 'Fn::Join': z.tuple([z.string(), z.array(z.unknown())]) }),
]);
