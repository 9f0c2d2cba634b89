const stock = new Map([
  ['tea', 12],
  ['coffee', 0],
]);

/** The target of `stock-*`: gets the message, answers `{content}` or `{error}`. */
export async function handler({ type, content }) {
  const sku = content?.sku;
  const left = stock.get(sku);
  if (type !== 'stock-check') return { error: { code: 'not_found', message: `there is no ${type}` } };
  if (left === undefined) return { error: { code: 'not_found', message: 'content.sku: is not sold here' } };
  return { content: { sku, left } };
}

/** The route `GET /stock`. */
export async function levels() {
  return {
    statusCode: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(Object.fromEntries(stock)),
  };
}
