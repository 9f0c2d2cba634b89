/** A template that cannot run here. The message is one line for the author of the template. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}
