import { asList, asNumber, asRecord, asTexts } from '../json.ts';
import { header, type HttpRequest } from '../sigv4/request.ts';
import type { Resource } from '../template/template.ts';

/** One rule of a bucket's `CorsConfiguration`. The first rule that matches counts. */
export interface CorsRule {
  readonly origins: readonly string[];
  readonly methods: readonly string[];
  readonly allowedHeaders: readonly string[];
  readonly exposedHeaders: readonly string[];
  readonly maxAgeSeconds: number | undefined;
}

export function readCorsRules({ properties }: Resource): readonly CorsRule[] {
  return asList(asRecord(properties.CorsConfiguration).CorsRules)
    .map(asRecord)
    .map((rule) => ({
      origins: asTexts(rule.AllowedOrigins),
      methods: asTexts(rule.AllowedMethods),
      allowedHeaders: asTexts(rule.AllowedHeaders),
      exposedHeaders: asTexts(rule.ExposedHeaders),
      maxAgeSeconds: asNumber(rule.MaxAge),
    }));
}

/**
 * The headers that let a page of another origin read an answer; `undefined` if no rule matches the request.
 * https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
 */
export function corsHeaders(
  rules: readonly CorsRule[],
  request: HttpRequest,
): Readonly<Record<string, string>> | undefined {
  const origin = header(request, 'origin');
  if (origin === undefined) return undefined;
  const isPreflight = request.method === 'OPTIONS';
  const method = isPreflight ? (header(request, 'access-control-request-method') ?? '') : request.method;
  const wanted = (header(request, 'access-control-request-headers') ?? '').split(/\s*,\s*/).filter(Boolean);
  const rule = rules.find(
    ({ origins, methods, allowedHeaders }) =>
      origins.some((each) => matches(each, origin)) &&
      methods.includes(method) &&
      wanted.every((name) => allowedHeaders.some((each) => matches(each.toLowerCase(), name.toLowerCase()))),
  );
  if (rule === undefined) return undefined;
  const isOpen = rule.origins.includes('*');
  return {
    'access-control-allow-origin': isOpen ? '*' : origin,
    'access-control-allow-methods': rule.methods.join(', '),
    ...(wanted.length === 0 ? {} : { 'access-control-allow-headers': wanted.join(', ') }),
    ...(rule.exposedHeaders.length === 0
      ? {}
      : { 'access-control-expose-headers': rule.exposedHeaders.join(', ') }),
    ...(rule.maxAgeSeconds === undefined ? {} : { 'access-control-max-age': String(rule.maxAgeSeconds) }),
    ...(isOpen ? {} : { 'access-control-allow-credentials': 'true' }),
    vary: 'Origin, Access-Control-Request-Headers, Access-Control-Request-Method',
  };
}

/** A pattern may have one `*`. */
function matches(pattern: string, text: string): boolean {
  const [start = '', end] = pattern.split('*');
  if (end === undefined) return pattern === text;
  return text.length >= start.length + end.length && text.startsWith(start) && text.endsWith(end);
}
